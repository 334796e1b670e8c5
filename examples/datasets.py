"""Two true versions of one dataset, fetched by `npm pack` and kept in `.data/`; never committed.

`emoji-datasource-twitter` 14.0.0 and 15.1.2: 3,600 PNGs, sprite sheets and a JSON table. Where
there is no npm, or no registry answers, two versions of a dataset of the same shape are made
instead, from a seed: so the demo runs with Python alone.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import tarfile
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent / ".data"
PACKAGE = "emoji-datasource-twitter"
VERSIONS = ("14.0.0", "15.1.2")


def two_versions(home: Path = HOME, *, made: bool = False) -> tuple[Path, Path, str]:
    """Folders of the older and the newer version, and a line that says what they are.

    With ``made`` nothing is fetched.
    """
    if made:
        return make(home, 1), make(home, 2), "made from a seed"
    older, newer = [fetch(version, home) for version in VERSIONS]
    if older is not None and newer is not None:
        return older, newer, f"{PACKAGE} {VERSIONS[0]} and {VERSIONS[1]}, fetched with npm pack"
    return make(home, 1), make(home, 2), "no registry within reach: a dataset made from a seed"


def fetch(version: str, home: Path) -> Path | None:
    """The folder of one version of the package; None if it cannot be had here."""
    folder = home / f"{PACKAGE}-{version}"
    if folder.is_dir():
        return folder
    npm = shutil.which("npm")
    if npm is None:
        return None
    home.mkdir(parents=True, exist_ok=True)
    asked = [npm, "pack", "--silent", f"{PACKAGE}@{version}"]
    try:
        subprocess.run(asked, cwd=home, check=True, capture_output=True, timeout=300)
    except (subprocess.SubprocessError, OSError):
        return None
    return unpack(home / f"{PACKAGE}-{version}.tgz", folder)


def unpack(archive: Path, folder: Path) -> Path:
    """Unpack a package beside its place and rename it, so that half of one is never taken."""
    beside = folder.with_name(folder.name + ".part")
    shutil.rmtree(beside, ignore_errors=True)
    with tarfile.open(archive) as tar:
        tar.extractall(beside, filter="data")
    (beside / "package").rename(folder)
    shutil.rmtree(beside)
    archive.unlink()
    return folder


def make(home: Path, version: int) -> Path:
    """A made dataset: 600 small PNGs in three folders, two large ones and a JSON table.

    Version 2 changes 20 pictures, adds 30, removes 5 and edits rows of the table.
    """
    folder = home / f"made-{version}"
    if folder.is_dir():
        return folder
    beside = folder.with_name(folder.name + ".part")
    shutil.rmtree(beside, ignore_errors=True)
    rows = []
    for number in range(600 if version == 1 else 630):
        edition = 2 if version == 2 and number % 30 == 7 else 1
        if version == 2 and number % 120 == 11:
            continue
        path = f"img/{('smileys', 'animals', 'flags')[number % 3]}/{number:04x}.png"
        draw(beside / path, number * 10 + edition, 64)
        rows.append({"image": path, "name": f"picture {number}", "edition": edition})
    for number in (1, 2):
        draw(beside / f"img/sheets/sheet-{number}.png", 7 * version + number, 1024)
    (beside / "table.json").write_text(json.dumps(rows, indent=1), encoding="utf-8")
    beside.rename(folder)
    return folder


def draw(path: Path, seed: int, size: int) -> None:
    """A picture of coloured discs that depends on nothing but its seed."""
    from PIL import Image, ImageDraw

    rng = random.Random(seed)
    image = Image.new("RGBA", (size, size), (0, 0, 0, 0))
    pen = ImageDraw.Draw(image)
    for _ in range(12):
        x, y, radius = rng.randrange(size), rng.randrange(size), rng.randrange(4, size // 3)
        colour = (rng.randrange(256), rng.randrange(256), rng.randrange(256), 255)
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)


if __name__ == "__main__":
    print(*two_versions(), sep="\n")
