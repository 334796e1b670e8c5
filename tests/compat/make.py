"""Makes the repository of a release that is kept here and read for ever.

    python tests/compat/make.py VERSION

Run once when a release is made; what is there already is never made again.
"""

import sys
import tarfile
import tempfile
from pathlib import Path

from oxcore.api.repo import Repo
from oxcore.model.commits import Moment, Person
from oxcore.model.settings import Settings

HERE = Path(__file__).resolve().parent


def make(folder: Path) -> None:
    """A history with everything that the format knows: manifest, link, merge, tag, stash."""
    ticks = iter(range(10**15, 2 * 10**15, 10**6))
    settings = Settings(
        author=Person("Ada", "ada@example.org"), clock=lambda: Moment(next(ticks), 60)
    )
    with Repo.init(str(folder), settings=settings) as repo:
        rows = "".join(f"{number},label {number % 7}\n" for number in range(20_000))
        (folder / "labels.csv").write_text("id,label\n" + rows)
        (folder / "tool.sh").write_text("#!/bin/sh\nexit 0\n")
        (folder / "tool.sh").chmod(0o755)
        (folder / "link").symlink_to("labels.csv")
        (folder / "img").mkdir()
        for number in range(200):
            (folder / "img" / f"{number:03}.txt").write_text(f"picture {number}\n" * number)
        repo.add()
        repo.commit("first")
        repo.tag("v1", message="the first version")
        repo.switch("HEAD", create="side")
        (folder / "side.txt").write_text("side\n")
        repo.add()
        repo.commit("on the side")
        repo.switch("main")
        (folder / "labels.csv").write_text("id,label\n" + rows + "20000,last\n")
        repo.add()
        repo.commit("one row more", meta={"rows": 20001})
        repo.merge("side")
        (folder / "tool.sh").write_text("#!/bin/sh\nexit 1\n")
        repo.stash_push("not yet")


def main() -> None:
    """Make the archive of the version named on the command line."""
    target = HERE / sys.argv[1] / "repo.tar.gz"
    if target.exists():
        sys.exit(f"{target} is there already, and is kept for ever")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        make(Path(place) / "repo")
        with tarfile.open(target, "w:gz") as tar:
            tar.add(
                Path(place) / "repo" / ".ox",
                arcname="ox",
                filter=lambda info: None if "/index" in info.name else info,
            )


if __name__ == "__main__":
    main()
