"""A store and a locator in dicts: for tests, and for what is never kept."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Self

from oxcore.errors import CorruptError, MissingError
from oxcore.model.ids import Buffer, Kind
from oxcore.model.protocols import How, Location, Stored
from oxcore.model.run import Run, gathered
from oxcore.store._coding import decode, prove
from oxcore.store._files import PackInfo
from oxcore.store._read import Refreshed

_RAW = int(How.RAW)


class MemoryLocator:
    """A ``Locator`` in a dict."""

    def __init__(self) -> None:
        self._rows: dict[bytes, Location] = {}
        self._packs: dict[int, bytes] = {}
        self._next = 1
        self._sorted: list[bytes] | None = None

    def find_many(self, oids: Sequence[bytes]) -> list[Location | None]:
        """For each id its location, or None."""
        get = self._rows.get
        return [get(oid) for oid in oids]

    def kinds(self, oids: Sequence[bytes]) -> bytes:
        """For each id the kind of its object, or 0."""
        return bytes(0 if where is None else where.kind for where in self.find_many(oids))

    def find_prefix(self, prefix: bytes, limit: int) -> list[tuple[bytes, Location]]:
        """Up to ``limit`` objects whose id starts with ``prefix``, in the order of ids."""
        ids = self._in_order()
        start = bisect_left(ids, prefix)
        near = ids[start : start + limit]
        return [(oid, self._rows[oid]) for oid in near if oid.startswith(prefix)]

    def packs(self) -> Mapping[int, bytes]:
        """Number -> name of every pack that is indexed."""
        return dict(self._packs)

    def add_pack(self, name: bytes, rows: Iterable[tuple[bytes, Location]]) -> int:
        """Index a pack; an id that is indexed already keeps its place."""
        number = self._number(name)
        for oid, where in rows:
            self._rows.setdefault(oid, where._replace(pack=number))
        self._sorted = None
        return number

    def add_packs(
        self, packs: Iterable[tuple[bytes, Iterable[tuple[bytes, Location]]]]
    ) -> list[int]:
        """``add_pack`` of many; their numbers."""
        return [self.add_pack(name, rows) for name, rows in packs]

    def replace(self, name: bytes, rows: Iterable[tuple[bytes, Location]]) -> int:
        """Index a pack; its places win."""
        number = self._number(name)
        self._rows.update((oid, where._replace(pack=number)) for oid, where in rows)
        self._sorted = None
        return number

    def drop_packs(self, names: Sequence[bytes]) -> None:
        """Forget these packs and every location in them."""
        gone = {number for number, name in self._packs.items() if name in set(names)}
        self._rows = {oid: where for oid, where in self._rows.items() if where.pack not in gone}
        self._packs = {n: name for n, name in self._packs.items() if n not in gone}
        self._sorted = None

    def ids(self) -> Iterator[tuple[bytes, Location]]:
        """Every indexed object, in the order of ids."""
        return iter([(oid, self._rows[oid]) for oid in self._in_order()])

    def _number(self, name: bytes) -> int:
        for number, known in self._packs.items():
            if known == name:
                return number
        number, self._next = self._next, self._next + 1
        self._packs[number] = name
        return number

    def _in_order(self) -> list[bytes]:
        if self._sorted is None:
            self._sorted = sorted(self._rows)
        return self._sorted


class MemoryStore:
    """A store in a dict: a ``Reader``, and a ``Sink`` that needs no batch."""

    def __init__(self) -> None:
        self.objects: dict[bytes, tuple[Kind, bytes]] = {}

    def put(self, oid: bytes, kind: Kind, data: Buffer, *, base: bytes | None = None) -> None:
        """Keep an object unless it is there; ``base`` is of no use here."""
        self.objects.setdefault(oid, (kind, bytes(data)))

    def get(self, oid: bytes, kind: Kind) -> bytes:
        """The bytes of an object, verified."""
        found, data = self._find(oid)
        if found != kind:
            raise CorruptError(f"object {oid.hex()} is a {found.name.lower()}, not a {kind.name}")
        try:
            prove(oid, kind, data)
        except CorruptError as error:
            raise CorruptError(f"object {oid.hex()}: {error.message}") from error
        return data

    def get_many(self, oids: Iterable[bytes], kind: Kind) -> Iterator[bytes]:
        """Like ``get`` for each id."""
        return (self.get(oid, kind) for oid in oids)

    def get_stored(self, oid: bytes) -> Stored:
        """The object, raw."""
        kind, data = self._find(oid)
        return Stored(oid, int(kind), _RAW, len(data), data)

    def get_stored_many(self, oids: Iterable[bytes]) -> Iterator[Stored]:
        """Like ``get_stored`` for each id."""
        return (self.get_stored(oid) for oid in oids)

    def get_runs(self, oids: Iterable[bytes]) -> Iterator[Run]:
        """The objects in runs."""
        return gathered(self.get_stored_many(oids))

    def has_many(self, oids: Sequence[bytes]) -> list[bool]:
        """For each id, whether it is there."""
        return [oid in self.objects for oid in oids]

    def get_unproved_at(
        self, places: Iterable[tuple[bytes, Location | None]]
    ) -> Iterator[tuple[list[Buffer], list[int]]]:
        """The chunks as they are here, and their lengths; not proved."""
        for oid, _ in places:
            data = self._find(oid)[1]
            yield [data], [len(data)]

    def get_chunks_at(
        self, oids: Sequence[bytes], places: Sequence[Location | None]
    ) -> Iterator[Buffer]:
        """``get_many`` for chunks whose ``locate`` is known."""
        del places
        return iter(list(self.get_many(oids, Kind.CHUNK)))

    def locate(self, oids: Sequence[bytes]) -> list[Location | None]:
        """For each id a place (in pack 0, at 0), or None."""
        found = (self.objects.get(oid) for oid in oids)
        return [None if pair is None else _place(*pair) for pair in found]

    def find_prefix(self, prefix: bytes, limit: int) -> list[tuple[bytes, Location]]:
        """Up to ``limit`` objects whose id starts with ``prefix``, in the order of ids."""
        near = sorted(oid for oid in self.objects if oid.startswith(prefix))[:limit]
        return [(oid, _place(*self.objects[oid])) for oid in near]

    def batch(self) -> MemoryBatch:
        """A block whose objects reach the store at its end, as in a ``PackStore``."""
        return MemoryBatch(self)

    def refresh(self) -> Refreshed:
        """Nothing: nobody else writes here."""
        return Refreshed((), (), ())

    def packs(self) -> list[PackInfo]:
        """None."""
        return []

    def close(self) -> None:
        """Do nothing."""

    def _find(self, oid: bytes) -> tuple[Kind, bytes]:
        found = self.objects.get(oid)
        if found is None:
            raise MissingError(f"object {oid.hex()} is not in the store", items=(oid.hex(),))
        return found


class MemoryBatch:
    """The batch of a ``MemoryStore``; see ``oxcore.store.batch.Batch``."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._pending = MemoryStore()
        self._keep = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None or self._keep:
            self.flush()

    def put(self, oid: bytes, kind: Kind, data: Buffer, *, base: bytes | None = None) -> None:
        """Take an object."""
        if oid not in self._store.objects:
            self._pending.put(oid, kind, data)

    def put_many(self, oids: Sequence[bytes], kind: Kind, datas: Sequence[Buffer]) -> None:
        """Take many objects of one kind."""
        for oid, data in zip(oids, datas, strict=True):
            self.put(oid, kind, data)

    def put_stored(self, stored: Stored) -> None:
        """Take an object as it comes, once it is proved."""
        try:
            data = decode(stored.how, bytes(stored.payload), stored.raw)
            prove(stored.id, stored.kind, data)
        except CorruptError as error:
            name = stored.id.hex()
            raise CorruptError(f"object {name} arrived damaged: {error.message}") from error
        self.put(stored.id, Kind(stored.kind), data)

    def put_stored_many(self, objects: Sequence[Stored]) -> None:
        """Take many objects as they come."""
        for stored in objects:
            self.put_stored(stored)

    def get(self, oid: bytes, kind: Kind) -> bytes:
        """An object of this batch or of the store."""
        return (self._pending if oid in self._pending.objects else self._store).get(oid, kind)

    def has_many(self, oids: Sequence[bytes]) -> list[bool]:
        """For each id, whether the batch or the store has it."""
        return [oid in self._pending.objects or oid in self._store.objects for oid in oids]

    def locate(self, oids: Sequence[bytes]) -> list[Location | None]:
        """For each id a place, or None."""
        pairs = zip(self._pending.locate(oids), self._store.locate(oids), strict=True)
        return [mine or theirs for mine, theirs in pairs]

    def flush(self) -> None:
        """Hand what there is to the store."""
        self._store.objects.update(self._pending.objects)
        self._pending = MemoryStore()

    def seal_partial(self) -> None:
        """From now on even an exception keeps what there is."""
        self._keep = True


def _place(kind: Kind, data: bytes) -> Location:
    return Location(0, 0, len(data), len(data), int(kind), _RAW)
