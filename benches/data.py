"""The bytes that the benchmarks work on: made from seeds, the same everywhere, incompressible.

What makes many files works in two processes, and holds none of them in memory.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from blake3 import blake3

KIB, MIB = 1 << 10, 1 << 20
WORTH_A_PROCESS = 2_000  # files


def noise(seed: str, length: int, at: int = 0) -> bytes:
    """`length` bytes that look random and depend on nothing but seed and place."""
    return blake3(seed.encode()).digest(length=length, seek=at)


def many(
    folder: Path, count: int, least: int = 4 * KIB, most: int = 16 * KIB, each: int | None = None
) -> None:
    """`count` files of `least` to `most` bytes, `each` (0: all) to a folder, else a hundredth."""
    each = _each(count, each)
    for first in range(0, count, each or count):
        (folder / _name(first, each)).parent.mkdir(parents=True, exist_ok=True)
    half = count if count < WORTH_A_PROCESS else (count + 1) // 2
    tasks = [
        (str(folder), range(at, min(at + half, count)), 1, least, most, each)
        for at in range(0, count, half)
    ]
    if len(tasks) == 1:
        _write(*tasks[0])
        return
    with ProcessPoolExecutor(len(tasks)) as pool:
        for task in [pool.submit(_write, *task) for task in tasks]:
            task.result()


def change_many(
    folder: Path,
    count: int,
    least: int = 4 * KIB,
    most: int = 16 * KIB,
    each: int | None = None,
    changed: int | None = None,
    version: int = 2,
) -> None:
    """Give `changed` of the files of `many`, spread evenly, other bytes; else every hundredth."""
    wanted = max(1, count // 100 if changed is None else min(changed, count))
    numbers = (number * count // wanted for number in range(wanted))
    _write(str(folder), numbers, version, least, most, _each(count, each))


def _write(
    folder: str, numbers: Iterable[int], version: int, least: int, most: int, each: int
) -> None:
    spread = most - least + 1
    for number in numbers:
        content = noise(f"{number}/{version}", least + number * 7919 % spread)
        with open(f"{folder}/{_name(number, each)}", "wb", buffering=0) as file:
            file.write(content)


def _each(count: int, each: int | None) -> int:
    return max(10, min(1000, count // 100)) if each is None else each


def _name(number: int, each: int) -> str:
    return f"{number // each:04}/{number:07}.bin" if each else f"{number:07}.bin"


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


def small_and_large(folder: Path, count: int, length: int) -> None:
    """`many` small files, and one of `length` bytes unless that is 0."""
    many(folder / "small", count)
    if length:
        large(folder / "large", 1, length)


def change_small(folder: Path, count: int) -> None:
    """Change a hundredth of the small files."""
    change_many(folder / "small", count)
