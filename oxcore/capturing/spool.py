"""The spool: a folder in which records wait until they are on the branch.

target.json      whose records these are
WRITER/          lock, NNNNNN.seg, gaps
bad/             segments, or what was left of them, that could not be read
trouble.jsonl    what went wrong
wanted           touched by who wants all to be sent now
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import suppress

from oxcore.capturing.ids import writer_id
from oxcore.capturing.trouble import Trouble
from oxcore.capturing.where import Where
from oxcore.errors import InvalidError
from oxcore.fs.atomic import TEMPORARY, fsync_dir, storage_errors, write_atomic

_WRITER = re.compile(r"[0-9a-f]{20}")
_SEGMENT = re.compile(r"(\d{6,})\.seg")


class Folder:
    """What a writer has in the spool; whoever holds it holds its lock."""

    def __init__(self, path: str, handle: int) -> None:
        self.path = path
        self.name = os.path.basename(path)
        self._handle = handle

    def segment(self, number: int) -> str:
        """The path of a segment."""
        return os.path.join(self.path, f"{number:06}.seg")

    def segments(self) -> list[tuple[int, str]]:
        """Number and path of each segment, in order."""
        with suppress(FileNotFoundError):
            found = ((_SEGMENT.fullmatch(name), name) for name in os.listdir(self.path))
            return sorted((int(m[1]), os.path.join(self.path, name)) for m, name in found if m)
        return []

    @property
    def gaps(self) -> str:
        """The path of the ledger of gaps."""
        return os.path.join(self.path, "gaps")

    def remove(self) -> None:
        """All of it is on the branch: the folder goes, and the lock with it."""
        shutil.rmtree(self.path, ignore_errors=True)
        self.release()

    def release(self) -> None:
        """Let go of the lock, if that was not done yet."""
        handle, self._handle = self._handle, -1
        if handle >= 0:
            os.close(handle)


class Spool:
    """The spool in ``folder``, which is made. ``StorageError`` if that cannot be."""

    def __init__(self, folder: str, where: Where) -> None:
        self.folder = folder
        self.where = where
        self.trouble = Trouble(os.path.join(folder, "trouble.jsonl"))
        with storage_errors(f"make the spool {folder}"):
            os.makedirs(folder, mode=0o700, exist_ok=True)
            told = os.path.join(folder, "target.json")
            if not os.path.exists(told):
                write_atomic(told, json.dumps(where._asdict(), indent=1).encode() + b"\n")
                fsync_dir(os.path.dirname(folder))

    @classmethod
    def found(cls, folder: str) -> Spool:
        """The spool that is in ``folder`` already; ``InvalidError`` if there is none."""
        try:
            with open(os.path.join(folder, "target.json"), "rb") as file:
                told = json.load(file)
            where = Where(*(str(told[key]) for key in Where._fields))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InvalidError(f"no spool of capture in {folder}: {error}") from error
        return cls(folder, where)

    def writer(self) -> Folder:
        """A new writer's folder, locked before anybody sees it."""
        name = writer_id()
        beside = os.path.join(self.folder, TEMPORARY + name)
        with storage_errors(f"make a writer in {self.folder}"):
            os.mkdir(beside, mode=0o700)
            handle = _locked(beside)
            os.rename(beside, os.path.join(self.folder, name))
            fsync_dir(self.folder)
        if handle is None:
            raise InvalidError(f"the new folder {beside} is locked by another")
        return Folder(os.path.join(self.folder, name), handle)

    def writers(self) -> list[str]:
        """The names of all writers, the oldest first."""
        with suppress(FileNotFoundError):
            return sorted(name for name in os.listdir(self.folder) if _WRITER.fullmatch(name))
        return []

    def leftovers(self) -> Iterator[Folder]:
        """The folders of writers whose processes are gone, each locked for the caller."""
        for name in self.writers():
            path = os.path.join(self.folder, name)
            try:
                handle = _locked(path)
            except OSError:
                continue  # gone meanwhile, or not ours to touch
            if handle is not None:
                yield Folder(path, handle)

    def segments(self, name: str) -> list[str]:
        """The paths of a writer's segments, in order."""
        return [path for _, path in Folder(os.path.join(self.folder, name), -1).segments()]

    def sizes(self) -> dict[str, int]:
        """Bytes that wait, by writer."""
        return {name: _size(os.path.join(self.folder, name)) for name in self.writers()}

    @property
    def bad(self) -> str:
        """Where that lies which could not be read."""
        return os.path.join(self.folder, "bad")

    def set_aside(self, path: str, name: str) -> None:
        """Keep a damaged segment for people; a copy, under a name of its own."""
        os.makedirs(self.bad, mode=0o700, exist_ok=True)
        shutil.copyfile(path, os.path.join(self.bad, name))

    def want(self) -> None:
        """Ask the writers that live to send what they have."""
        with storage_errors(f"write to the spool {self.folder}"):
            write_atomic(os.path.join(self.folder, "wanted"), b"", sync=False)

    def wanted(self) -> int:
        """When that was asked last, in nanoseconds; 0: never."""
        try:
            return os.stat(os.path.join(self.folder, "wanted")).st_mtime_ns
        except OSError:
            return 0


def spools(folder: str) -> list[str]:
    """The spools among what lies in ``folder``."""
    with suppress(FileNotFoundError, NotADirectoryError):
        places = (os.path.join(folder, name) for name in sorted(os.listdir(folder)))
        return [one for one in places if os.path.isfile(os.path.join(one, "target.json"))]
    return []


def _locked(folder: str) -> int | None:
    """The lock of a writer's folder, taken; None if somebody lives who has it."""
    handle = os.open(os.path.join(folder, "lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    except OSError:
        os.close(handle)
        raise
    return handle


def _size(folder: str) -> int:
    total = 0
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(".seg"):
                with suppress(FileNotFoundError):
                    total += entry.stat().st_size
    return total
