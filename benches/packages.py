"""True datasets from the npm registry; never committed, and nothing where there is no registry."""

from __future__ import annotations

import json
import shutil
import subprocess
import tarfile
from pathlib import Path

from benches.results import Row


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


def tell(folder: Path, out: str) -> None:
    """Write what became of each table between the last two commits."""
    from oxcore.api import Repo

    told: list[Row] = []
    with Repo.open(str(folder)) as repo:
        difference = repo.diff("HEAD~1..HEAD")
        for change in difference:
            if change.letter == "M" and (found := difference.table(change)) is not None:
                with found:
                    counts, columns = found.rows.counts, found.rows.columns
                    told.append(
                        {
                            "file": str(change.path, "utf-8").rpartition("/")[2],
                            "by": ", ".join(found.rows.keys) or found.rows.by,
                            **counts._asdict(),
                            "columns changed": len(columns.added + columns.removed)
                            + len(columns.retyped + columns.renamed),
                            "rows read so far": repo.counters.rows,
                        }
                    )
    Path(out).write_text(json.dumps(told), encoding="utf-8")
