"""True datasets from the npm registry; never committed, and nothing where there is no registry."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
from pathlib import Path


def fetch(package: str, version: str, folder: Path) -> Path | None:
    """The files of one version of a package, below `folder`; None if it cannot be had here."""
    npm = shutil.which("npm")
    if npm is None:
        return None
    place = folder / f"{package}-{version}"
    place.mkdir(parents=True)
    asked = [npm, "pack", "--silent", f"{package}@{version}"]
    try:
        subprocess.run(asked, cwd=place, check=True, capture_output=True, timeout=300)
    except (subprocess.SubprocessError, OSError):
        return None
    with tarfile.open(place / f"{package}-{version}.tgz") as archive:
        archive.extractall(place, filter="data")
    return place / "package"
