"""Writing objects: many into one pack, one fsync for all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Self

from oxcore.errors import CorruptError, MissingError, OxError, UsageError
from oxcore.model.ids import ID_LEN, Buffer, Kind
from oxcore.model.protocols import How, Location, Stored
from oxcore.model.run import Run
from oxcore.store._coding import MAX_RAW, base_of, decode, decode_delta, encode, prove
from oxcore.store._deltas import Base, Encoded, encode_against
from oxcore.store._outbox import Outbox
from oxcore.store._read import PackReader

_FILE = int(Kind.FILE)
_CHUNK = int(Kind.CHUNK)
_DELTA = int(How.DELTA)


class Batch:
    """Takes objects and seals them into packs. One thread at a time, one ``with`` block.

    Leaving the block seals; an exception drops the pack that is not sealed yet, unless
    ``seal_partial`` was called. Objects of the batch can be read back from it at once (it is a
    ``Reader`` over the store and itself); the store sees them when they are sealed.

    ``replace``: store also what is there, and let the new copy win (repair, repacking).
    """

    def __init__(self, reader: PackReader, *, pack_size: int, replace: bool = False) -> None:
        self._reader = reader
        self._replace = replace
        self._outbox = Outbox(reader, pack_size=pack_size, replace=replace)
        self._keep = False

    @property
    def sealed(self) -> list[bytes]:
        """Names of the packs that this batch made."""
        return self._outbox.sealed

    def __enter__(self) -> Self:
        self._reader.files.make()
        self._reader.refresh()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                self.flush()
            else:
                self._abandon()
        finally:
            self._outbox.close()

    def put(self, oid: bytes, kind: Kind, data: Buffer, *, base: bytes | None = None) -> None:
        """Store an object unless it is there. The caller vouches for the id.

        ``base``: id of an object of the same kind that is likely much alike. If storing only
        the difference is smaller, that is done. A base that is a delta itself stands for its own
        base, so that no chain is longer than one; a base that is not here is ignored.
        """
        if base is None or kind == _FILE:
            self.put_many((oid,), kind, (data,))
        elif not self._is_here(oid):
            data = _frozen(data)
            how, payload = self._encode_against(base, kind, data)
            self._add(oid, int(kind), how, data, payload)

    def put_many(self, oids: Sequence[bytes], kind: Kind, datas: Sequence[Buffer]) -> None:
        """Like ``put`` for each pair of id and bytes, with one question to the index."""
        number = int(kind)
        level = self._reader.level
        for oid, data, where in zip(oids, datas, self._located(oids), strict=True):
            if where is None and not self._is_pending(oid):
                data = _frozen(data)
                how, payload = encode(data, level)
                self._add(oid, number, how, data, payload)

    def put_run(self, run: Run) -> int:
        """Store the objects of a run unless they are there; gives how many were new.

        The caller vouches for ids and payloads. The blob may be used again when this returns.
        """
        fresh = self._fresh(run.ids)
        if len(fresh) < len(run.ids):
            run = run.pick(fresh)
        if fresh:
            self._outbox.add_run(run)
        return len(fresh)

    def put_encoded(self, chunks: Sequence[Encoded]) -> None:
        """Store chunks that are encoded already, unless they are there. The caller vouches for
        them; their payloads may be used again when this returns."""
        fresh = self._fresh([chunk.id for chunk in chunks])
        if fresh:
            ids, hows, raws, payloads = zip(*(chunks[at] for at in fresh), strict=True)
            kinds, sizes = bytes([_CHUNK]) * len(ids), list(map(len, payloads))
            self._outbox.add_run(Run(ids, kinds, bytes(hows), raws, sizes, b""), payloads)

    def put_stored(self, stored: Stored) -> None:
        """Store an object as it comes, once it is proved; see ``put_stored_many``."""
        self.put_stored_many((stored,))

    def put_stored_many(self, objects: Sequence[Stored]) -> None:
        """Store objects as they come, unless they are there: the hash of the decoded bytes must
        give the id (of a ``FILE`` manifest only the structure is checked). A delta whose base is
        one itself here is encoded anew.

        Raises ``CorruptError`` for the first that is wrong, and ``MissingError`` for a delta
        whose base is not here; those before it are in the batch.
        """
        places = self._located([stored.id for stored in objects])
        for stored, where in zip(objects, places, strict=True):
            if where is None and not self._is_pending(stored.id):
                data = self._check(stored)
                if stored.how == _DELTA and not self._is_whole(base_of(stored.payload)):
                    base = base_of(stored.payload)
                    self.put(stored.id, Kind(stored.kind), data, base=base)
                    continue
                payload = _frozen(stored.payload)
                self._outbox.add(stored.id, stored.kind, stored.how, stored.raw, payload)

    def put_proved(self, stored: Stored) -> None:
        """Store an object as it comes, unless it is there. The caller vouches for its bytes."""
        if not self._is_here(stored.id):
            self._outbox.add(
                stored.id, stored.kind, stored.how, stored.raw, _frozen(stored.payload)
            )

    def get(self, oid: bytes, kind: Kind) -> bytes:
        """An object of this batch or of the store, verified."""
        writer = self._outbox.holder(oid)
        if writer is None:
            return self._reader.get(oid, kind)
        where = writer.place(writer.rows[oid])
        if where.kind != kind:
            raise CorruptError(f"object {oid.hex()} is not a {kind.name.lower()}")
        data = self._decode(where.how, writer.read(where), where.raw)
        prove(oid, kind, data)
        counters = self._reader.counters
        counters.objects_read += 1
        counters.nodes_read += kind == Kind.TREE
        return data

    def plain_many(self, oids: Sequence[bytes]) -> Iterator[bytes | memoryview]:
        """The decoded bytes of these chunks, *not* verified: for who proves all of them together.

        Raises ``MissingError`` for one that is not here, ``CorruptError`` for what cannot be read.
        """
        places = self.locate(oids)
        if all(where and where.pack >= 0 and where.kind == _CHUNK for where in places):
            for run in self._reader.get_runs_at(zip(oids, places, strict=True), deltas=True):
                for how, payload, raw in zip(run.hows, run.payloads(), run.raws, strict=True):
                    if how == _DELTA:
                        yield self._decode(how, bytes(payload), raw)
                    else:
                        yield decode(how, payload, raw)
            return
        for oid in oids:
            writer = self._outbox.holder(oid)
            where = None if writer is None else writer.place(writer.rows[oid])
            if writer is None or where is None or where.kind != _CHUNK:
                yield self.get(oid, Kind.CHUNK)
            else:
                yield self._decode(where.how, writer.read(where), where.raw)

    def has_many(self, oids: Sequence[bytes]) -> list[bool]:
        """For each id, whether the batch or the store has an object with it."""
        found = self._reader.has_many(oids)
        return [there or self._is_pending(oid) for oid, there in zip(oids, found, strict=True)]

    def locate(self, oids: Sequence[bytes]) -> list[Location | None]:
        """For each id where its object lies; pack -1 for one that is not sealed yet."""
        found = self._reader.locate(oids)
        writers = self._outbox.writers()
        if all(writer.rows.keys().isdisjoint(oids) for writer in writers):
            return found
        return [where or self._place(oid) for oid, where in zip(oids, found, strict=True)]

    def flush(self) -> None:
        """Seal what there is: afterwards it is durable, and the store sees it.

        Raises, then and at every later call, the first error if some of it could not be written:
        a ``StorageError``.
        """
        self._outbox.flush()

    def seal_partial(self) -> None:
        """From now on even an exception seals what there is: so that a transfer can go on
        where it stopped."""
        self._keep = True

    def _abandon(self) -> None:
        try:
            if self._keep:
                self.flush()
            else:
                self._outbox.give_up()
        except OxError:
            return  # the exception that ends the block is the one to report

    def _is_here(self, oid: bytes) -> bool:
        return self._located((oid,))[0] is not None or self._is_pending(oid)

    def _is_pending(self, oid: bytes) -> bool:
        return self._outbox.holder(oid) is not None

    def _place(self, oid: bytes) -> Location | None:
        writer = self._outbox.holder(oid)
        return None if writer is None else writer.place(writer.rows[oid])

    def _located(self, oids: Sequence[bytes]) -> list[Location | None]:
        return [None] * len(oids) if self._replace else self._reader.locate(oids)

    def _fresh(self, oids: Sequence[bytes]) -> Sequence[int]:
        """The places of the ids that are neither here nor the same as one before."""
        located = self._located(oids)
        pending = self._outbox.ids
        if not any(located) and pending.isdisjoint(oids):
            first = dict(zip(reversed(oids), range(len(oids) - 1, -1, -1), strict=True))
            return range(len(oids)) if len(first) == len(oids) else sorted(first.values())
        first = {}
        for at, (oid, where) in enumerate(zip(oids, located, strict=True)):
            if where is None and oid not in first and oid not in pending:
                first[oid] = at
        return list(first.values())

    def _add(self, oid: bytes, kind: int, how: int, data: bytes, payload: bytes) -> None:
        if len(data) > MAX_RAW:
            raise UsageError(f"an object of {len(data)} bytes: cut it into chunks first")
        self._outbox.add(oid, kind, how, len(data), payload)

    def _check(self, stored: Stored) -> bytes:
        """The bytes of an object from elsewhere, proved."""
        try:
            if len(stored.id) != ID_LEN:
                raise CorruptError("its id has the wrong length")
            payload = _frozen(stored.payload)
            if stored.how == _DELTA and base_of(payload) == stored.id:
                raise CorruptError("it is a delta of itself")
            data = self._decode(stored.how, payload, stored.raw)
            prove(stored.id, stored.kind, data)
            return data
        except CorruptError as error:
            name = stored.id.hex()
            raise CorruptError(
                f"object {name} arrived damaged: {error.message}", items=(name,)
            ) from error

    def _decode(self, how: int, payload: bytes, raw: int) -> bytes:
        if how != _DELTA:
            return decode(how, payload, raw)
        base = base_of(payload)
        found = self._plain_base(base)
        if found is None:
            raise MissingError(f"the base {base.hex()} of a delta is not here", items=(base.hex(),))
        data = found[1] if found[0] == base else self.get(base, Kind.CHUNK)
        return decode_delta(payload, raw, data)

    def _is_whole(self, oid: bytes) -> bool:
        where = self.locate((oid,))[0]
        return where is not None and where.how != _DELTA

    def _encode_against(self, base: bytes, kind: Kind, data: bytes) -> tuple[int, bytes]:
        try:
            found = self._plain_base(base)
            if found is not None:
                prove(found[0], kind, found[1])
        except (CorruptError, MissingError):
            found = None  # a base is a help, not a need
        if found is None:
            return encode(data, self._reader.level)
        return encode_against(data, self._reader.level, Base(*found, found[0] == base))

    def _plain_base(self, oid: bytes) -> tuple[bytes, bytes] | None:
        """Id and bytes of a base that is stored whole: ``oid`` or, if that is a delta, its own."""
        for _ in range(2):
            writer = self._outbox.holder(oid)
            where = self._place(oid) or self._reader.locate((oid,))[0]
            if where is None:
                return None
            payload = writer.read(where) if writer else self._reader.payload(oid, where)
            if where.how != _DELTA:
                return oid, decode(where.how, payload, where.raw)
            oid = base_of(payload)
        raise CorruptError(f"object {oid.hex()}, the base of a delta, is a delta itself")


def _frozen(data: Buffer) -> bytes:
    """Bytes that the caller cannot change before they are written."""
    return data if type(data) is bytes else bytes(data)
