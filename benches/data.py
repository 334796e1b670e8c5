"""The bytes that the benchmarks work on: made from seeds, the same everywhere, incompressible."""

from __future__ import annotations

import os
from pathlib import Path

from blake3 import blake3

KIB, MIB = 1 << 10, 1 << 20


def noise(seed: str, length: int, at: int = 0) -> bytes:
    """`length` bytes that look random and depend on nothing but seed and place."""
    return blake3(seed.encode()).digest(length=length, seek=at)


def many(folder: Path, count: int, most: int = 16 * KIB) -> None:
    """`count` files of `most`/4 to `most` bytes, a thousand (at least ten) to a folder."""
    for number in range(count):
        path = _place(folder, count, number)
        if number % 1000 == 0 or not path.parent.is_dir():
            path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_content(number, 1, most))


def change_many(folder: Path, count: int, most: int = 16 * KIB) -> None:
    """Give every hundredth of `many` files (at least one) other bytes."""
    for number in range(0, count, 100):
        _place(folder, count, number).write_bytes(_content(number, 2, most))


def _place(folder: Path, count: int, number: int) -> Path:
    each = max(10, min(1000, count // 100))
    return folder / f"{number // each:04}" / f"{number:07}.bin"


def _content(number: int, version: int, most: int) -> bytes:
    spread = most - most // 4
    return noise(f"{number}/{version}", most // 4 + number * 7919 % (spread + 1))


def large(folder: Path, count: int, length: int) -> None:
    """`count` files of `length` bytes, written in pieces."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        with open(folder / f"{number}.bin", "wb") as file:
            file.writelines(
                noise(f"large {number}", min(MIB, length - at), at) for at in range(0, length, MIB)
            )


def change_large(folder: Path, count: int, spots: int = 100) -> None:
    """Insert 1 KiB near the start of each file, and overwrite 64 bytes at `spots` places."""
    for number in range(count):
        old, new = folder / f"{number}.bin", folder / "new"
        with open(old, "rb") as source, open(new, "wb") as target:
            target.write(source.read(10_000) + noise(f"insert {number}", KIB))
            while piece := source.read(MIB):
                target.write(piece)
            for spot in range(spots):
                target.seek((2 * spot + 1) * os.path.getsize(old) // (2 * spots))
                target.write(noise(f"spot {number}/{spot}", 64))
        os.replace(new, old)
