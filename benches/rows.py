"""Two versions of a table in files: made by `arrow`, taken from where they were made.

Nothing here loads Arrow before it is needed: who measures has to stay small (see `harness`).
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from benches.data import MIB

COLUMNS = (
    "id", "time", "camera", "label", "score", "left", "top", "width", "height", "image"
)  # fmt: skip


def versions(folder: Path, count: int, edits: int) -> None:
    """Write table.csv, table.parquet and plain.parquet of both versions below folder/1 and /2."""
    from benches import arrow

    arrow.versions(folder, count, edits)


def take(folder: Path, source: str, version: int, names: Sequence[str]) -> None:
    """Copy files of a version into a folder, over what is there."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        shutil.copyfile(Path(source, str(version), name), folder / name)


def compress(path: Path, out: str) -> None:
    """What `zstd -1 -T2` does, where there is no such program."""
    import zstandard

    with open(path, "rb") as source, open(out, "wb") as target:
        packer = zstandard.ZstdCompressor(level=1, threads=2)
        packer.copy_stream(source, target, read_size=MIB, write_size=MIB)


def one_edit(folder: Path) -> None:
    """Write table.parquet of folder/1 with one row updated below folder/3."""
    from benches import arrow

    arrow.one_edit(folder)
