"""What every store must do, as a suite: subclass ``StoreSuite``, give it stores, run pytest.

class TestMine(StoreSuite):
    def new_store(self, folder): return MyStore(folder)
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from blake3 import blake3

from oxcore.codec.manifest import Manifest, encode_manifest
from oxcore.errors import CorruptError, MissingError, OxError
from oxcore.model.ids import ID_LEN, Buffer, Kind, content_id, object_id
from oxcore.model.protocols import How, Location, Stored


class BatchLike(Protocol):
    """What the suite asks of a batch."""

    def put(self, oid: bytes, kind: Kind, data: Buffer, *, base: bytes | None = None) -> None:
        """Store an object."""
        ...

    def put_many(self, oids: Sequence[bytes], kind: Kind, datas: Sequence[Buffer]) -> None:
        """Store many of one kind."""
        ...

    def put_stored(self, stored: Stored) -> None:
        """Prove and store an object as it comes."""
        ...

    def put_stored_many(self, objects: Sequence[Stored]) -> None:
        """Prove and store many."""
        ...

    def get(self, oid: bytes, kind: Kind) -> bytes:
        """Read through the batch."""
        ...

    def has_many(self, oids: Sequence[bytes]) -> list[bool]:
        """Whether batch or store has them."""
        ...

    def locate(self, oids: Sequence[bytes]) -> list[Location | None]:
        """Where they are."""
        ...

    def flush(self) -> None:
        """Make what was put durable."""
        ...

    def seal_partial(self) -> None:
        """Keep what was put, whatever happens."""
        ...


class StoreLike(Protocol):
    """What the suite asks of a store."""

    def get(self, oid: bytes, kind: Kind) -> bytes:
        """One object, verified."""
        ...

    def get_many(self, oids: Iterable[bytes], kind: Kind) -> Iterator[bytes]:
        """Many, in order."""
        ...

    def get_stored(self, oid: bytes) -> Stored:
        """One as it lies."""
        ...

    def get_stored_many(self, oids: Iterable[bytes]) -> Iterator[Stored]:
        """Many as they lie."""
        ...

    def has_many(self, oids: Sequence[bytes]) -> list[bool]:
        """Whether they are there."""
        ...

    def locate(self, oids: Sequence[bytes]) -> list[Location | None]:
        """Where they are."""
        ...

    def find_prefix(self, prefix: bytes, limit: int) -> list[tuple[bytes, Location]]:
        """Ids that start so."""
        ...

    def batch(self) -> AbstractContextManager[BatchLike]:
        """A block that writes."""
        ...


def expect(holds: bool, what: str) -> None:
    """``AssertionError`` with ``what`` unless it holds; unlike ``assert``, also under ``-O``."""
    if not holds:
        raise AssertionError(what)


def refuses(error: type[OxError], act: Callable[[], object]) -> OxError:
    """The error that ``act`` raises; ``AssertionError`` if it raises none."""
    try:
        act()
    except error as found:
        return found
    raise AssertionError(f"{error.__name__} was not raised")


def noise(seed: int, size: int) -> bytes:
    """Bytes that do not compress, the same for the same seed."""
    return blake3(b"noise %d" % seed).digest(length=size)


def sample_objects(seed: int = 0) -> list[tuple[bytes, Kind, bytes]]:
    """Objects of every kind that has an id of its own: empty, tiny, plain text, noise, large."""
    datas = [
        b"",
        b"x",
        noise(seed, 63),
        b"ab" * 32,
        noise(seed + 1, 10_000),
        b"a line of text, again and again\n" * 700,
        b"\x89PNG\r\n\x1a\n" + bytes(5000),
        noise(seed + 2, 300_000),
        noise(seed + 3, 2000) * 150,
    ]
    kinds = (Kind.CHUNK, Kind.TREE, Kind.SEGMENT, Kind.COMMIT, Kind.TAG)
    return [(object_id(kind, data), kind, data) for kind in kinds for data in datas]


class StoreSuite(ABC):
    """Conformance of a store and its batch. Each ``test_`` method takes pytest's ``tmp_path``."""

    @abstractmethod
    def new_store(self, folder: str) -> StoreLike:
        """A fresh store; it may use ``folder``, which does not exist yet."""

    def filled(self, folder: Path) -> tuple[StoreLike, list[tuple[bytes, Kind, bytes]]]:
        """A store with the sample objects."""
        store, objects = self.new_store(str(folder / "store")), sample_objects()
        with store.batch() as batch:
            for oid, kind, data in objects:
                batch.put(oid, kind, data)
        return store, objects

    def test_gives_back_what_was_put(self, tmp_path: Path) -> None:
        """Every kind and size comes back, one by one and together."""
        store, objects = self.filled(tmp_path)
        for oid, kind, data in objects:
            expect(store.get(oid, kind) == data, f"{kind.name} of {len(data)} bytes")
        chunks = [(oid, data) for oid, kind, data in objects if kind == Kind.CHUNK] * 3
        chunks.sort(key=lambda pair: content_id(pair[0]))
        found = list(store.get_many((oid for oid, _ in chunks), Kind.CHUNK))
        expect(found == [data for _, data in chunks], "get_many: same bytes, same order")

    def test_knows_what_it_has(self, tmp_path: Path) -> None:
        """``has_many`` and ``locate`` answer in order; locations tell kind and length."""
        store, objects = self.filled(tmp_path)
        other = content_id(b"not there")
        asked = [other, *(oid for oid, _, _ in objects), other]
        expect(store.has_many(asked) == [False, *[True] * len(objects), False], "has_many")
        places = store.locate(asked)
        expect(places[0] is None and places[-1] is None, "an unknown id has no place")
        for where, (_, kind, data) in zip(places[1:-1], objects, strict=True):
            expect(where is not None and where.kind == kind, "kind")
            expect(where is not None and where.raw == len(data), "decoded length")
        expect(store.has_many([]) == [] and store.locate([]) == [], "no question, no answer")

    def test_finds_by_prefix(self, tmp_path: Path) -> None:
        """``find_prefix`` gives ids in order, up to the limit."""
        store, objects = self.filled(tmp_path)
        ids = sorted(oid for oid, _, _ in objects)
        expect([oid for oid, _ in store.find_prefix(b"", 5)] == ids[:5], "the first five")
        for oid in ids:
            expect([one for one, _ in store.find_prefix(oid[:8], 9)] == [oid], "one of its kind")
        expect(store.find_prefix(content_id(b"not there")[:8], 9) == [], "none")

    def test_names_what_is_missing(self, tmp_path: Path) -> None:
        """A missing object is a ``MissingError`` that lists the id."""
        store, objects = self.filled(tmp_path)
        gone = content_id(b"not there")
        calls: list[Callable[[], object]] = [
            lambda: store.get(gone, Kind.CHUNK),
            lambda: store.get_stored(gone),
            lambda: list(store.get_many([objects[0][0], gone], Kind.CHUNK)),
            lambda: list(store.get_stored_many([gone])),
        ]
        for call in calls:
            expect(refuses(MissingError, call).items == (gone.hex(),), "the id is listed")

    def test_refuses_another_kind(self, tmp_path: Path) -> None:
        """An object asked for as another kind is a ``CorruptError``."""
        store, objects = self.filled(tmp_path)
        oid = next(oid for oid, kind, _ in objects if kind == Kind.TREE)
        error = refuses(CorruptError, lambda: store.get(oid, Kind.COMMIT))
        expect(oid.hex() in error.message, "the error names the object")
        refuses(CorruptError, lambda: list(store.get_many([oid], Kind.CHUNK)))

    def test_batch_appears_at_its_end(self, tmp_path: Path) -> None:
        """The store sees a batch when it is flushed or left; the batch sees itself at once."""
        store = self.new_store(str(tmp_path / "store"))
        first, second = content_id(b"first"), content_id(b"second")
        with store.batch() as batch:
            batch.put(first, Kind.CHUNK, b"first")
            expect(store.has_many([first]) == [False], "not before the seal")
            expect(batch.has_many([first, second]) == [True, False], "the batch has it")
            expect(batch.get(first, Kind.CHUNK) == b"first", "the batch gives it")
            where = batch.locate([first, second])
            expect(where[0] is not None and where[1] is None, "the batch locates it")
            batch.flush()
            expect(store.get(first, Kind.CHUNK) == b"first", "after flush")
            batch.put(second, Kind.CHUNK, b"second")
            expect(batch.get(first, Kind.CHUNK) == b"first", "through to the store")
        expect(store.get(second, Kind.CHUNK) == b"second", "after the block")

    def test_exception_drops_the_batch(self, tmp_path: Path) -> None:
        """An exception drops what is not sealed, unless ``seal_partial`` was called."""
        for keep in (False, True):
            store = self.new_store(str(tmp_path / f"store-{keep}"))
            before, after = content_id(b"before"), content_id(b"after")
            try:
                with store.batch() as batch:
                    batch.put(before, Kind.CHUNK, b"before")
                    batch.flush()
                    batch.put(after, Kind.CHUNK, b"after")
                    if keep:
                        batch.seal_partial()
                    raise KeyError("the caller fails")
            except KeyError:
                pass
            expect(store.has_many([before, after]) == [True, keep], f"seal_partial: {keep}")

    def test_put_many(self, tmp_path: Path) -> None:
        """``put_many`` is ``put`` for each, twins and buffers of all sorts included."""
        store = self.new_store(str(tmp_path / "store"))
        datas = [bytes([n]) * (n * 37) for n in range(200)]
        ids = [content_id(data) for data in datas]
        scratch = bytearray(b"changed later on")
        with store.batch() as batch:
            batch.put_many(ids[:150] * 2, Kind.CHUNK, datas[:150] * 2)
            batch.put_many(ids[150:], Kind.CHUNK, [memoryview(data) for data in datas[150:]])
            batch.put(content_id(scratch), Kind.CHUNK, scratch)
            kept, scratch[:7] = bytes(scratch), b"CHANGED"
        expect(list(store.get_many(ids, Kind.CHUNK)) == datas, "all there")
        expect(store.get(content_id(kept), Kind.CHUNK) == kept, "as it was when it was put")

    def test_delta_gives_the_same_bytes(self, tmp_path: Path) -> None:
        """``base`` changes how an object lies, never what it is, nor what is sent."""
        store = self.new_store(str(tmp_path / "store"))
        versions = [noise(2, 40_000)]
        for step in range(4):
            versions.append(versions[-1][: step * 999] + b"edit" + versions[-1][step * 999 :])
        ids = [content_id(version) for version in versions]
        bases = [content_id(b"not there"), *ids[:-1]]
        for oid, version, base in zip(ids, versions, bases, strict=True):
            with store.batch() as batch:
                batch.put(oid, Kind.CHUNK, version, base=base)
                expect(batch.get(oid, Kind.CHUNK) == version, "from the batch")
        expect(list(store.get_many(ids, Kind.CHUNK)) == versions, "from the store")
        expect(all(one.how != How.DELTA for one in store.get_stored_many(ids)), "no base needed")

    def test_stored_objects_travel(self, tmp_path: Path) -> None:
        """What ``get_stored`` gives, another store takes, and has the same objects."""
        store, objects = self.filled(tmp_path)
        other = self.new_store(str(tmp_path / "other"))
        with other.batch() as batch:
            batch.put_stored_many(list(store.get_stored_many(oid for oid, _, _ in objects)))
            batch.put_stored(store.get_stored(objects[0][0]))
        for oid, kind, data in objects:
            expect(other.get(oid, kind) == data, f"{kind.name} of {len(data)} bytes")

    def test_refuses_damaged_objects(self, tmp_path: Path) -> None:
        """``put_stored`` takes nothing whose bytes do not give its id."""
        store, objects = self.filled(tmp_path)
        other = self.new_store(str(tmp_path / "other"))
        for oid, _, data in objects:
            good = store.get_stored(oid)
            with other.batch() as batch:
                for bad in damaged(good):
                    refuses(CorruptError, lambda bad=bad: batch.put_stored(bad))  # type: ignore[misc]
            expect(not any(other.has_many([oid])), f"nothing of it is kept ({len(data)} bytes)")

    def test_manifests_are_checked_for_structure(self, tmp_path: Path) -> None:
        """A ``FILE`` comes back if its bytes are a manifest; nothing else passes for one."""
        store = self.new_store(str(tmp_path / "store"))
        oid = content_id(b"ab")
        data = encode_manifest(Manifest(0, content_id(b"a") + content_id(b"b"), (1, 1)))
        with store.batch() as batch:
            batch.put_stored(Stored(oid, int(Kind.FILE), int(How.RAW), len(data), data))
            bad = Stored(content_id(b"c"), int(Kind.FILE), int(How.RAW), 3, b"abc")
            refuses(CorruptError, lambda: batch.put_stored(bad))
        expect(store.get(oid, Kind.FILE) == data, "the manifest")
        refuses(CorruptError, lambda: store.get(oid, Kind.CHUNK))


def damaged(good: Stored) -> list[Stored]:
    """Wrong versions of a sound object: other bytes, lengths, kinds and encodings, a wrong id."""
    flipped = [
        good._replace(payload=flip_bit(good.payload, at))
        for at in (0, len(good.payload) // 2, len(good.payload) - 1)
        if 0 <= at < len(good.payload)
    ]
    return [
        # A bit of a zstd frame may be without effect: what decodes to the same is no damage.
        *(bad for bad in flipped if bad.how == How.RAW),
        good._replace(payload=good.payload + b"\0"),
        good._replace(payload=good.payload[:-1] if good.payload else b"\0"),
        good._replace(raw=good.raw + 1),
        good._replace(raw=(1 << 32) - 1),
        good._replace(kind=int(Kind.TAG if good.kind != Kind.TAG else Kind.TREE)),
        good._replace(kind=99),
        good._replace(how=99),
        good._replace(how=int(How.DELTA), payload=good.id + good.payload),
        good._replace(id=content_id(good.id)),
        good._replace(id=good.id[: ID_LEN - 1]),
    ]


def flip_bit(data: bytes, at: int) -> bytes:
    """``data`` with the lowest bit of the byte at ``at`` turned."""
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
