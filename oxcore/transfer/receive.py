"""Takes objects that come from outside and keeps those that are proved."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext

from blake3 import blake3

from oxcore.codec.commit import decode_commit, decode_tag
from oxcore.codec.manifest import decode_segment
from oxcore.codec.node import decode as decode_node
from oxcore.codec.node import validate
from oxcore.errors import CorruptError, MissingError, UnreachableError, counted
from oxcore.fs.ahead import Ahead
from oxcore.model.ids import Buffer, Kind
from oxcore.model.protocols import How, Location, Stored
from oxcore.model.run import Run, run_of
from oxcore.repo import Repository
from oxcore.store import Batch, Finder, base_of, content, decode, prove_run
from oxcore.transfer.levels import batched
from oxcore.wire.messages import PutReply

_LARGE = 8 << 20  # bytes of a file whose chunks a thread reads: that takes a while to start
_AHEAD = 64  # chunks that it reads before they are hashed
_AT_ONCE = 128  # chunks of a file that are read together: some 8 MiB
HOLD = 16 << 20  # bytes of manifests that wait for their proof
_FILE, _CHUNK, _DELTA = int(Kind.FILE), int(Kind.CHUNK), int(How.DELTA)


def _check_node(data: bytes) -> None:
    validate(decode_node(data))


_LAYOUTS: dict[int, Callable[[bytes], object]] = {
    int(Kind.SEGMENT): decode_segment,
    int(Kind.TREE): _check_node,
    int(Kind.COMMIT): decode_commit,
    int(Kind.TAG): decode_tag,
}


class Receiver:
    """Puts objects into a batch once they are proved.

    The bytes of each must give its id, and its layout must be canonical. A manifest waits in
    ``held`` until ``settle``: what it names must be there, and assemble to its id. A delta that
    came before its base is ``waiting`` until then. Raises
    ``CorruptError`` (or ``MissingError`` for a manifest with a gap) for the first that fails.
    """

    def __init__(self, batch: Batch, hold: int = HOLD) -> None:
        self.batch = batch
        self._hold_bytes = hold
        self.held: dict[bytes, Stored] = {}
        self.waiting: dict[bytes, Stored] = {}
        self.received = 0
        self.kept = 0
        self._held_bytes = 0

    def take(self, run: Run) -> None:
        """Take objects: chunks reach the batch together."""
        self.received += len(run.ids)
        if _DELTA in run.hows:
            self._take_deltas([item for item in run.objects() if item.how == _DELTA])
            run = run.pick([at for at, how in enumerate(run.hows) if how != _DELTA])
        if run.kinds.count(_CHUNK) == len(run.ids):
            prove_run(run)
            self.kept += self.batch.put_run(run)
            return
        plain: list[Stored] = []
        for item in run.objects():
            if item.kind == _FILE:
                self._hold(item)
            else:
                if item.kind != _CHUNK:
                    _check_layout(item)
                plain.append(item)
        if plain:
            rest = run_of(plain)
            prove_run(rest)
            self.kept += self.batch.put_run(rest)

    def settle(self) -> None:
        """Prove and keep what was held. ``MissingError`` for deltas whose bases have not come."""
        self.retry()
        if self.waiting:
            items = [oid.hex() for oid in self.lacking()]
            raise MissingError(f"{counted(len(items), 'base')} of deltas did not come", items=items)
        self._settle_held()

    def retry(self) -> None:
        """Keep the deltas whose bases have come meanwhile."""
        self._take_deltas(list(self.waiting.values()))

    def lacking(self) -> list[bytes]:
        """The bases that deltas wait for."""
        return sorted({base_of(item.payload) for item in self.waiting.values()})

    def _settle_held(self) -> None:
        while self.held:
            waiting = len(self.held)
            for oid, item in list(self.held.items()):
                self._settle(oid, item, last=waiting == 1)
            if len(self.held) == waiting:
                self._settle(*next(iter(self.held.items())), last=True)
        self._held_bytes = 0

    def _take_deltas(self, items: list[Stored]) -> None:
        here = self.batch.has_many([item.id for item in items])
        for item in (item for item, there in zip(items, here, strict=True) if not there):
            try:
                self.batch.put_stored(item)
            except MissingError:
                self.waiting[item.id] = item
            else:
                self.waiting.pop(item.id, None)
                self.kept += 1

    def _settle(self, oid: bytes, item: Stored, *, last: bool) -> None:
        try:
            prove_manifest(self.batch, oid, decode(item.how, item.payload, item.raw))
        except MissingError:
            # A part may be a file of several chunks itself, whose manifest waits too.
            if last:
                raise
            return
        self.batch.put_stored(item)
        self.kept += 1
        del self.held[oid]

    def _hold(self, item: Stored) -> None:
        if self.batch.has_many((item.id,))[0]:
            return
        self.held[item.id] = item
        self._held_bytes += len(item.payload)
        if self._held_bytes >= self._hold_bytes:
            self.retry()
            self._settle_held()


def receive(repo: Repository, runs: Iterable[Run]) -> PutReply:
    """Store a stream of objects; durable when this returns.

    Where the stream breaks off, what came before is kept, so that a retry need not send it again;
    where an object fails its proof, what is not durable yet is dropped.
    """
    with repo.store.batch() as batch:
        receiver = Receiver(batch)
        try:
            for run in runs:
                receiver.take(run)
            receiver.settle()
        except UnreachableError:
            batch.seal_partial()
            raise
    return PutReply(receiver.received, receiver.kept)


def prove_manifest(batch: Batch, oid: bytes, data: bytes) -> None:
    """Raise ``CorruptError`` unless the manifest ``data`` assembles to the file ``oid``,
    ``MissingError`` where a part of it is not here. Reads the whole file, some chunks at a time.

    Each chunk was proved when it came: here one hash goes over all of them.
    """
    finder, whole = _WithManifest(batch, oid, data), blake3()
    listed = content.parts(finder, oid)
    large = next(listed).length >= _LARGE  # the manifest comes first
    pieces = _plain(batch, oid, listed)
    with Ahead(pieces, _AHEAD) if large else nullcontext(pieces) as found:
        for piece in found:
            whole.update(piece)
    if whole.digest() != oid:
        for _ in content.read(finder, oid):  # names the chunk, if it is one of ours
            pass


def _plain(batch: Batch, oid: bytes, listed: Iterator[content.Part]) -> Iterator[Buffer]:
    for some in batched((part for part in listed if part.kind == _CHUNK), _AT_ONCE):
        pieces = batch.plain_many([part.oid for part in some])
        for part, piece in zip(some, pieces, strict=True):
            content.check_length(oid, part.oid, len(piece), part.length)
            yield piece


class _WithManifest:
    """A ``Finder`` that has one manifest more than the store."""

    def __init__(self, finder: Finder, oid: bytes, data: bytes) -> None:
        self._finder = finder
        self._oid = oid
        self._data = data

    def get(self, oid: bytes, kind: Kind) -> bytes:
        """The manifest, or an object of the store."""
        return self._data if oid == self._oid else self._finder.get(oid, kind)

    def has_many(self, oids: Sequence[bytes]) -> list[bool]:
        """For each id, whether it is here."""
        return [where is not None for where in self.locate(oids)]

    def locate(self, oids: Sequence[bytes]) -> list[Location | None]:
        """For each id where its object lies; the manifest lies nowhere yet."""
        size = len(self._data)
        mine = Location(-1, 0, size, size, _FILE, int(How.RAW))
        found = self._finder.locate(oids)
        return [mine if oid == self._oid else w for oid, w in zip(oids, found, strict=True)]


def _check_layout(item: Stored) -> None:
    check = _LAYOUTS.get(item.kind)
    if check is None:
        raise CorruptError(f"object {item.id.hex()} is of an unknown kind")
    try:
        check(decode(item.how, item.payload, item.raw))
    except CorruptError as error:
        name = item.id.hex()
        raise CorruptError(
            f"object {name} arrived damaged: {error.message}", items=(name,)
        ) from error
