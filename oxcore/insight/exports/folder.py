"""The folder that an export is written to: as a whole, or not at all."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from secrets import token_hex
from typing import NamedTuple

from blake3 import blake3

from oxcore.errors import ExistsError, NotFoundError, StorageError


class Written(NamedTuple):
    """A file: its size and the BLAKE3 of its bytes."""

    size: int
    hash: str


class Folder:
    """Files below a folder in the making; ``files`` has what was written, by path."""

    def __init__(self, path: str) -> None:
        self._path = path
        self.files: dict[str, Written] = {}

    def write(self, name: str, pieces: bytes | Iterable[bytes]) -> None:
        """Write a file."""
        place = self.place(name)
        digest, size = blake3(), 0
        with open(place, "xb") as file:
            for piece in [pieces] if isinstance(pieces, bytes) else pieces:
                file.write(piece)
                digest.update(piece)
                size += len(piece)
        self.files[name] = Written(size, digest.hexdigest())

    def place(self, name: str) -> str:
        """Where a file is, whose folder is made."""
        place = os.path.join(self._path, *name.split("/"))
        os.makedirs(os.path.dirname(place), exist_ok=True)
        return place

    def took(self, name: str) -> None:
        """Note a file that another has written."""
        with open(self.place(name), "rb") as file:
            digest = blake3()
            while piece := file.read(1 << 20):
                digest.update(piece)
            self.files[name] = Written(file.tell(), digest.hexdigest())

    def manifest(self, told: dict[str, object]) -> dict[str, object]:
        """Write ``manifest.json``: what is told, and all files. Gives all of it."""
        files = {name: self.files[name]._asdict() for name in sorted(self.files)}
        made = {"version": 1, **told, "files": files}
        self.write("manifest.json", f"{json.dumps(made, indent=2, ensure_ascii=False)}\n".encode())
        return made


@contextmanager
def folder(target: str) -> Iterator[Folder]:
    """A folder that is there, with all that is written, when the block ends.

    Raises ``ExistsError`` if there is something already, ``NotFoundError`` if it cannot be there.
    """
    target = os.path.abspath(target)
    if os.path.lexists(target) and not (os.path.isdir(target) and not os.listdir(target)):
        raise ExistsError(f"{target} is there already", hint="an export is a folder of its own")
    above = os.path.dirname(target)
    if not os.path.isdir(above):
        raise NotFoundError(f"no such folder: {above}")
    made = os.path.join(above, f".ox-export-{token_hex(8)}")
    try:
        os.mkdir(made)
    except OSError as error:
        raise StorageError(f"{above}: {error.strerror}") from error
    try:
        yield Folder(made)
        os.rename(made, target)
    except OSError as error:
        raise StorageError(f"{target}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(made, ignore_errors=True)
