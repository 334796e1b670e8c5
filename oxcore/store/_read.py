"""Reading objects out of packs: one by one, or many in the order of the disk."""

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from blake3 import blake3

from oxcore.codec.pack import PackIndex
from oxcore.errors import CorruptError, FormatError, MissingError
from oxcore.model.counters import Counters
from oxcore.model.ids import Buffer, Kind
from oxcore.model.protocols import How, Location, Locator, Stored
from oxcore.model.run import Run
from oxcore.store._coding import base_of, decode, decode_delta, encode, prove
from oxcore.store._files import PackFiles, PackHandle, VanishedError
from oxcore.store._runs import Place, located, read_runs, spans

_ROWS = 1 << 18  # places that the index is told in one transaction, at least
_AT_ONCE = 512  # objects located with one question
_WINDOW = 8 << 20  # bytes held at once by a bulk read
_BLOCK = 1 << 20  # bytes of one read that takes neighbours together
_GAP = 4096  # bytes between neighbours that are cheaper read than skipped
_RACY_NS = 1_000_000_000  # a folder changed this lately may change again within the same tick
# Chains are one long as written. Where two processes stored the same objects at once, each as a
# delta of the other's, a rebuilt index may show longer ones.
_CHAIN = 4
_DELTA = int(How.DELTA)
_RAW = int(How.RAW)
_TREE, _CHUNK = int(Kind.TREE), int(Kind.CHUNK)


class Refreshed(NamedTuple):
    """What ``refresh`` found: names of packs added and dropped, and of those it cannot read."""

    added: tuple[bytes, ...]
    dropped: tuple[bytes, ...]
    unreadable: tuple[bytes, ...]


class PackReader:
    """The reading half of a ``PackStore``. Safe to use from several threads if the locator is."""

    def __init__(self, folder: str, locator: Locator, counters: Counters, *, level: int) -> None:
        self.files = PackFiles(folder)
        self.locator = locator
        self.counters = counters
        self.level = level
        self._names: dict[int, bytes] = {}
        self._seen = (0, 0)  # mtime of the folder when it was last looked at, and that time

    def get(self, oid: bytes, kind: Kind) -> bytes:
        """The decoded bytes of an object, verified; see ``model.protocols.Reader.get``."""
        where = self._find(oid)
        try:
            return self._decoded(oid, kind, where, self.payload(oid, where))
        except (VanishedError, CorruptError) as error:
            where = self._elsewhere(oid, where, error)
        return self._decoded(oid, kind, where, self.payload(oid, where))

    def get_many(self, oids: Iterable[bytes], kind: Kind) -> Iterator[bytes]:
        """Like ``get`` for each id, in the given order.

        Reads in the order of the disk, neighbours together, holding about 8 MiB at once.
        """
        for span, found in self._windows(oids):
            for oid, where, payload in zip(span, found, self.payloads(found), strict=True):
                yield self._sound(oid, kind, where, payload)

    def get_chunks_at(
        self, oids: Sequence[bytes], places: Sequence[Location | None]
    ) -> Iterator[Buffer]:
        """``get_many`` for chunks whose ``locate`` is known, holding about 1 MiB at once, and what
        its deltas rest on, which is read together; what is stored as it is is not copied."""
        for span, found in self._cut(oids, places, _BLOCK):
            for oid, where, data in zip(span, found, self.decoded(span, found), strict=True):
                if data is None or where.kind != _CHUNK or blake3(data).digest() != oid:
                    yield self.get(oid, Kind.CHUNK)  # looks elsewhere, or says what is wrong
                else:
                    self.counters.objects_read += 1
                    yield data

    def get_unproved_at(self, places: Iterable[Place]) -> Iterator[tuple[list[Buffer], list[int]]]:
        """The bytes of chunks whose ``locate`` is known, half a MiB at a time: some pieces, and the
        lengths of the chunks that they are. Nothing is proved: whoever asks proves the whole.

        Raises ``CorruptError`` or ``MissingError`` for what cannot be read or decoded.
        """
        for run in read_runs(self, places, deltas=True):
            self.counters.objects_read += len(run.ids)
            if run.hows.count(_RAW) == len(run.ids):
                yield [run.blob], list(run.stored)
                continue
            rows = zip(run.hows, run.payloads(), run.raws, strict=True)
            yield [self.decode(how, bytes(payload), raw) for how, payload, raw in rows], [*run.raws]

    def _sound(self, oid: bytes, kind: Kind, where: Location, payload: Buffer | None) -> bytes:
        """The object of a payload if that is sound, else looked for again."""
        if payload is not None:
            try:
                return self._decoded(oid, kind, where, bytes(payload))
            except CorruptError:
                pass
        return self.get(oid, kind)

    def get_stored(self, oid: bytes) -> Stored:
        """The object as it lies, not verified; a delta is encoded anew, to need no base."""
        where = self._find(oid)
        try:
            return self._stored(oid, where, self.payload(oid, where))
        except (VanishedError, CorruptError) as error:
            where = self._elsewhere(oid, where, error)
        return self._stored(oid, where, self.payload(oid, where))

    def get_stored_many(self, oids: Iterable[bytes]) -> Iterator[Stored]:
        """Like ``get_stored`` for each id, in the given order, read as ``get_many`` does."""
        for span, found in self._windows(oids):
            for oid, where, payload in zip(span, found, self.payloads(found), strict=True):
                if payload is None or where.how == _DELTA:
                    yield self.get_stored(oid)
                else:
                    yield self._stored(oid, where, bytes(payload))

    def get_runs(self, oids: Iterable[bytes]) -> Iterator[Run]:
        """Like ``get_stored_many``, in runs of about half a MiB; what lies together on disk, in the
        order of the ids, is read with one call and not copied."""
        return read_runs(self, located(self, oids), deltas=False)

    def get_runs_at(self, places: Iterable[Place], *, deltas: bool = False) -> Iterator[Run]:
        """``get_runs`` for ids whose ``locate`` is known; with ``deltas`` chunks that lie as such
        are left so."""
        return read_runs(self, places, deltas=deltas)

    def piece(self, pack: int, offset: int, length: int) -> bytes:
        """Bytes of a pack. Raises ``VanishedError`` or ``CorruptError``."""
        return self._handle(pack).read(offset, length)

    def extents(self, places: Sequence[Location]) -> list[tuple[PackHandle, int, int]]:
        """Where objects lie together: pack, which is open as long as it is held, offset and length
        in bytes; not read. Raises ``VanishedError``."""
        found = [(self._handle(pack), start, size) for pack, start, size in spans(places)]
        self.counters.objects_read += len(places)
        return found

    def decode(self, how: int, payload: bytes, raw: int) -> bytes:
        """The ``raw`` bytes that a payload stands for, not verified; a delta's base is read.

        Raises ``CorruptError`` if there are not as many, ``MissingError`` for a base.
        """
        return decode(how, payload, raw) if how != _DELTA else self._decode(how, payload, raw, 0)

    def has_many(self, oids: Sequence[bytes]) -> list[bool]:
        """For each id, whether the index knows an object with it."""
        return list(map(bool, self.locator.kinds(oids)))

    def kinds(self, oids: Sequence[bytes]) -> bytes:
        """For each id a byte, the kind of its object, or 0."""
        return self.locator.kinds(oids)

    def locate(self, oids: Sequence[bytes]) -> list[Location | None]:
        """For each id where its object lies, or None."""
        return self.locator.find_many(oids)

    def find_prefix(self, prefix: bytes, limit: int) -> list[tuple[bytes, Location]]:
        """Up to ``limit`` objects whose id starts with these bytes, in the order of ids."""
        return self.locator.find_prefix(prefix, limit)

    def refresh(self) -> Refreshed:
        """Index packs that another process sealed, and forget those that are gone."""
        # In this order: a pack that is sealed in between is listed, and adding it twice is
        # harmless; the other way round it would look as if it were gone.
        known = set(self.locator.packs().values())
        self._look()
        there = self.files.names()
        dropped = sorted(known - there)
        if dropped:
            self.locator.drop_packs(dropped)
        for name in dropped:
            self.files.forget(name)
        added, unreadable = self._add_packs(sorted(there - known))
        self._names = dict(self.locator.packs())
        return Refreshed(tuple(added), tuple(dropped), tuple(unreadable))

    def reindex(self) -> None:
        """Add every pack again: finds the second copy of what a dropped pack held."""
        self._add_packs(sorted(self.files.names()))

    def _add_packs(self, names: Iterable[bytes]) -> tuple[list[bytes], list[bytes]]:
        found: list[tuple[bytes, PackIndex]] = []
        added, unreadable = [], []
        for name in names:
            try:
                found.append((name, self.files.index(name)))
                added.append(name)
            except (CorruptError, FormatError):
                unreadable.append(name)
            except VanishedError:
                continue
            if sum(len(index) for _, index in found) >= _ROWS:
                self.locator.add_packs(found)
                found = []
        if found:
            self.locator.add_packs(found)
        return added, unreadable

    def _look(self) -> bool:
        """Note the time of the folder; whether it may have changed since the last look."""
        try:
            changed = os.stat(self.files.folder).st_mtime_ns
        except OSError:
            changed = 0
        before, self._seen = self._seen, (changed, time.time_ns())
        return changed != before[0] or changed > before[1] - _RACY_NS

    def _find(self, oid: bytes) -> Location:
        where = self.locator.find_many((oid,))[0]
        if where is None and self._look():
            self.refresh()
            where = self.locator.find_many((oid,))[0]
        if where is None:
            raise MissingError(
                f"object {oid.hex()} is not in the store",
                hint="fetch it from a remote that has it: ox fsck --repair",
                items=(oid.hex(),),
            )
        return where

    def _elsewhere(self, oid: bytes, where: Location, error: Exception) -> Location:
        """The place of an object after a refresh; raises ``error`` if it is still the same."""
        name = self._names.get(where.pack)
        self.refresh()
        again = self._find(oid)
        same = again == where and self._names.get(again.pack) == name
        if same and not isinstance(error, VanishedError):
            raise error
        return again

    def _handle(self, pack: int) -> PackHandle:
        name = self._names.get(pack)
        if name is None:
            self._names = dict(self.locator.packs())
            name = self._names.get(pack)
            if name is None:
                raise VanishedError(f"pack number {pack} is gone")
        return self.files.open(name)

    def payload(self, oid: bytes, where: Location) -> bytes:
        """The bytes that lie at a place, neither decoded nor verified."""
        handle = self._handle(where.pack)
        try:
            return handle.read(where.offset, where.stored)
        except CorruptError as error:
            raise self._bad(oid, where, error.message) from error

    def _bad(self, oid: bytes, where: Location, why: str) -> CorruptError:
        name = self._names.get(where.pack, b"").hex()
        return CorruptError(
            f"object {oid.hex()} in pack {name}.pack is damaged: {why}",
            hint="repair it from a remote that has it: ox fsck --repair",
            items=(oid.hex(),),
        )

    def _decoded(self, oid: bytes, kind: int, where: Location, payload: bytes) -> bytes:
        try:
            if where.kind != kind:
                raise CorruptError(f"it is a {_word(where.kind)}, not a {_word(kind)}")
            data = self.decode(where.how, payload, where.raw)
            prove(oid, kind, data)
        except CorruptError as error:
            raise self._bad(oid, where, error.message) from error
        self.counters.objects_read += 1
        if kind == _TREE:
            self.counters.nodes_read += 1
        return data

    def _base(self, oid: bytes, depth: int) -> bytes:
        """The bytes of a base, not verified: the object made from it will be."""
        if depth > _CHAIN:
            raise CorruptError("its chain of bases is too long")
        where = self._find(oid)
        try:
            return self._decode(where.how, self.payload(oid, where), where.raw, depth)
        except (VanishedError, CorruptError) as error:
            where = self._elsewhere(oid, where, error)
        return self._decode(where.how, self.payload(oid, where), where.raw, depth)

    def _decode(self, how: int, payload: bytes, raw: int, depth: int) -> bytes:
        if how == _DELTA:
            return decode_delta(payload, raw, self._base(base_of(payload), depth + 1))
        return decode(how, payload, raw)

    def _stored(self, oid: bytes, where: Location, payload: bytes) -> Stored:
        if where.how != _DELTA:
            return Stored(oid, where.kind, where.how, where.raw, payload)
        data = self._decoded(oid, where.kind, where, payload)
        how, payload = encode(data, self.level)
        return Stored(oid, where.kind, how, where.raw, payload)

    def _windows(self, oids: Iterable[bytes]) -> Iterator[tuple[Sequence[bytes], list[Location]]]:
        """Ids with their places, cut so that a window's payloads fit into memory."""
        source = iter(oids)
        while span := list(islice(source, _AT_ONCE)):
            yield from self._cut(span, self.locator.find_many(span), _WINDOW)

    def _cut(
        self, oids: Sequence[bytes], places: Sequence[Location | None], window: int
    ) -> Iterator[tuple[Sequence[bytes], list[Location]]]:
        found = [where or self._find(oid) for oid, where in zip(oids, places, strict=True)]
        start = held = 0
        for index, where in enumerate(found):
            if held and held + where.raw > window:
                yield oids[start:index], found[start:index]
                start, held = index, 0
            held += where.raw
        yield oids[start:], found[start:]

    def decoded(self, oids: Sequence[bytes], found: Sequence[Location]) -> list[Buffer | None]:
        """The bytes of some objects that lie where ``found`` says, not verified; None for what
        cannot be read or decoded."""
        from oxcore.store._together import decode_together  # for whoever reads chunks in bulk

        return decode_together(self, found, self.payloads(found))

    def payloads(self, found: Sequence[Location]) -> list[memoryview | None]:
        """What lies at some places, in their order, neighbours read together; None for what could
        not be read."""
        out: list[memoryview | None] = [None] * len(found)
        for run in _runs(found):
            first, last = found[run[0]], found[run[-1]]
            start = first.offset
            try:
                length = last.offset + last.stored - start
                block = memoryview(self._handle(first.pack).read(start, length))
            except (VanishedError, CorruptError):
                continue
            for index in run:
                _, offset, stored, *_ = found[index]
                out[index] = block[offset - start : offset - start + stored]
        return out


def _runs(found: Sequence[Location]) -> Iterator[list[int]]:
    """Positions in ``found`` grouped into reads: neighbours on disk, up to 1 MiB together."""
    order = sorted(range(len(found)), key=found.__getitem__)
    run: list[int] = []
    pack = start = end = 0
    for index in order:
        at, offset, stored, *_ = found[index]
        near = at == pack and offset - end <= _GAP and offset + stored - start <= _BLOCK
        if run and not near:
            yield run
            run = []
        if not run:
            pack, start = at, offset
        run.append(index)
        end = max(end, offset + stored) if len(run) > 1 else offset + stored
    if run:
        yield run


def _word(kind: int) -> str:
    try:
        return Kind(kind).name.lower()
    except ValueError:
        return f"thing of kind {kind}"
