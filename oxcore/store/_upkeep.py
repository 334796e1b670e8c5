"""What keeps a folder of packs sound and small: audit, repacking, repair."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple

from oxcore.errors import CorruptError, FormatError, MissingError
from oxcore.fs.atomic import fsync_dir, storage_errors
from oxcore.model.ids import Kind
from oxcore.model.protocols import How, Location, Stored
from oxcore.store._coding import base_of, prove
from oxcore.store._files import PackFiles, PackHandle, VanishedError, read_index
from oxcore.store._read import PackReader
from oxcore.store.batch import Batch

_DELTA = int(How.DELTA)
_BLOCK = 4 << 20  # bytes read at once

Row = tuple[bytes, Location]
NewBatch = Callable[[], AbstractContextManager[Batch]]


class PackReport(NamedTuple):
    """What an audit of one pack found: ``problem`` is empty, or says why the pack as a whole
    can't be read; ``bad`` are the ids of objects whose bytes are wrong."""

    name: bytes
    size: int
    objects: int
    problem: str
    bad: tuple[bytes, ...]

    @property
    def sound(self) -> bool:
        """Whether nothing was found."""
        return not self.problem and not self.bad


class RewriteReport(NamedTuple):
    """What repacking did: names of packs removed and made; packs that stay because an object
    that is needed is damaged in them, with the ids; bytes of all files before and after."""

    removed: tuple[bytes, ...]
    made: tuple[bytes, ...]
    stuck: tuple[bytes, ...]
    damaged: tuple[bytes, ...]
    copied: int
    bytes_before: int
    bytes_after: int


def check_pack(reader: PackReader, name: bytes, *, deep: bool) -> PackReport:
    """Audit one pack: header, lengths, checksum and, if ``deep``, every object's bytes."""
    reader.files.forget(name)  # what lies there now, not what was opened before
    size = 0
    try:
        handle = reader.files.open(name)
        size = handle.size()
        index = read_index(handle, name)
    except (CorruptError, FormatError, MissingError) as error:
        return PackReport(name, size, 0, error.message, ())
    bad: list[bytes] = []
    if deep:
        for oid, where, payload in _scan(handle, index.rows()):
            if payload is None or not _is_sound(reader, oid, where, payload):
                bad.append(oid)
    return PackReport(name, size, len(index), "", tuple(bad))


def rewrite(
    reader: PackReader, new_batch: NewBatch, drop: Sequence[bytes], keep: Callable[[bytes], bool]
) -> RewriteReport:
    """Copy what ``keep`` wants out of the packs ``drop`` into new ones, then remove the old.

    New packs are durable and win in the index before any old one goes: a crash leaves the old
    objects, the new ones or both.
    """
    doomed = set(drop)
    before = _total(reader.files, drop)
    needed = _bases_outside(reader, doomed)
    with new_batch() as batch:
        copier = _Copier(reader, batch, doomed, lambda oid: oid in needed or keep(oid))
        for name in drop:
            copier.copy(name)
    made = set(batch.sealed)  # a pack that loses nothing comes out under its old name
    stuck = copier.stuck(made)
    removed = sorted(doomed - made - set(stuck))
    _remove(reader, removed)
    after = _total(reader.files, sorted(made | set(stuck)))
    return RewriteReport(
        tuple(removed),
        tuple(sorted(made)),
        tuple(sorted(stuck)),
        tuple(sorted({oid for oids in stuck.values() for oid in oids})),
        copier.copied,
        before,
        after,
    )


class _Copier:
    """Copies the live objects of packs that shall go."""

    def __init__(
        self,
        reader: PackReader,
        batch: Batch,
        doomed: set[bytes],
        keep: Callable[[bytes], bool],
    ) -> None:
        self.copied = 0
        self._reader = reader
        self._batch = batch
        self._keep = keep
        self._doomed = doomed
        self._leaving = self._numbers(doomed)
        self._failed: dict[bytes, list[bytes]] = {}  # pack -> ids that could not be copied

    def copy(self, name: bytes) -> None:
        """Copy what is live in one pack and lies nowhere else."""
        try:
            handle = self._reader.files.open(name)
            rows = list(read_index(handle, name).rows())
        except VanishedError:
            return
        except (CorruptError, FormatError):
            self._failed[name] = []
            return
        live = self._live(rows)
        for oid, where, payload in _scan(handle, live):
            if payload is None or not self._take(oid, where, payload):
                self._failed.setdefault(name, []).append(oid)

    def stuck(self, made: set[bytes]) -> dict[bytes, list[bytes]]:
        """Packs that must stay, and for each the live objects that lie only there, damaged."""
        numbers = self._numbers(self._doomed - made)
        stuck: dict[bytes, list[bytes]] = {}
        for name, oids in self._failed.items():
            places = self._reader.locate(oids)
            lost = [
                oid
                for oid, where in zip(oids, places, strict=True)
                if where is None or where.pack in numbers
            ]
            if lost or not oids:
                stuck[name] = lost
        return stuck

    def _numbers(self, names: set[bytes]) -> set[int]:
        packs = self._reader.locator.packs()
        return {number for number, name in packs.items() if name in names}

    def _live(self, rows: list[Row]) -> list[Row]:
        wanted = [row for row in rows if self._keep(row[0])]
        places = self._reader.locate([oid for oid, _ in wanted])
        return [
            row
            for row, where in zip(wanted, places, strict=True)
            if where is None or where.pack in self._leaving
        ]

    def _take(self, oid: bytes, where: Location, payload: bytes) -> bool:
        """Copy one object if its bytes are right. A delta that loses its base is stored whole."""
        try:
            data = self._reader.decode(where.how, payload, where.raw)
            prove(oid, where.kind, data)
            stays = where.how != _DELTA or self._stays(base_of(payload))
        except (CorruptError, MissingError):
            return False
        if stays:
            self._batch.put_proved(Stored(oid, where.kind, where.how, where.raw, payload))
        else:
            self._batch.put(oid, Kind(where.kind), data)
        self.copied += 1
        return True

    def _stays(self, base: bytes) -> bool:
        if self._keep(base):
            return True
        where = self._reader.locate((base,))[0]
        return where is not None and where.pack not in self._leaving


def quarantine(reader: PackReader, name: bytes) -> str:
    """Put a pack aside as ``<name>.pack.bad`` and forget it; gives the new path.

    What else has a copy of its objects is found again.
    """
    path = reader.files.path(name)
    with storage_errors("put a damaged pack aside"):
        os.rename(path, path + ".bad")
        fsync_dir(reader.files.folder)
    reader.counters.fsyncs += 1
    reader.files.forget(name)
    reader.locator.drop_packs([name])
    reader.reindex()
    return path + ".bad"


def replace_objects(new_batch: NewBatch, objects: Iterable[Stored]) -> int:
    """Store these, proved, though they are there, and let them win; gives how many."""
    count = 0
    with new_batch() as batch:
        for stored in objects:
            batch.put_stored(stored)
            count += 1
    return count


def _scan(
    handle: PackHandle, rows: Iterable[Row]
) -> Iterator[tuple[bytes, Location, bytes | None]]:
    """Objects of one pack with their payloads, None where those cannot be read."""
    for run in _blocks(rows):
        start = run[0][1].offset
        last = run[-1][1]
        try:
            block: bytes | None = handle.read(start, last.offset + last.stored - start)
        except CorruptError:
            block = None
        for oid, where in run:
            at = where.offset - start
            yield (
                oid,
                where,
                _one(handle, where) if block is None else block[at : at + where.stored],
            )


def _one(handle: PackHandle, where: Location) -> bytes | None:
    try:
        return handle.read(where.offset, where.stored)
    except CorruptError:
        return None


def _blocks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Rows of one pack, in the order of the file, cut into reads of about 4 MiB."""
    run: list[Row] = []
    for row in rows:
        if run and row[1].offset + row[1].stored - run[0][1].offset > _BLOCK:
            yield run
            run = []
        run.append(row)
    if run:
        yield run


def _is_sound(reader: PackReader, oid: bytes, where: Location, payload: bytes) -> bool:
    try:
        prove(oid, where.kind, reader.decode(where.how, payload, where.raw))
    except (CorruptError, MissingError):
        return False
    return True


def _bases_outside(reader: PackReader, doomed: set[bytes]) -> set[bytes]:
    """The bases that deltas in other packs need, live or not."""
    bases: set[bytes] = set()
    for name in sorted(reader.files.names() - doomed):
        try:
            handle = reader.files.open(name)
            for _, where in read_index(handle, name).rows():
                if where.how == _DELTA:
                    bases.add(base_of(handle.read(where.offset, min(where.stored, 64))))
        except (CorruptError, FormatError, VanishedError):
            continue
    return bases


def _total(files: PackFiles, names: Iterable[bytes]) -> int:
    total = 0
    for name in names:
        try:
            total += os.stat(files.path(name)).st_size
        except FileNotFoundError:
            continue
    return total


def _remove(reader: PackReader, names: Sequence[bytes]) -> None:
    if not names:
        return
    # The newest first: what names other objects goes before these, and a crash in between leaves
    # no manifest without its chunks.
    for name in sorted(names, key=lambda name: _age(reader.files, name)):
        reader.files.remove(name)
    with storage_errors("remove packs"):
        fsync_dir(reader.files.folder)
    reader.counters.fsyncs += 1
    reader.locator.drop_packs(names)


def _age(files: PackFiles, name: bytes) -> int:
    try:
        return -os.stat(files.path(name)).st_mtime_ns
    except FileNotFoundError:
        return 0
