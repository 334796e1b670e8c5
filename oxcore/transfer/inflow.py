"""The receiving half of a fetch: asks for what is lacking here, batch by batch, and keeps it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from oxcore.codec.commit import decode_commit
from oxcore.codec.manifest import Manifest, decode_manifest, decode_segment
from oxcore.errors import CorruptError, InvalidError, MissingError, counted
from oxcore.model.ids import Kind
from oxcore.model.run import Run
from oxcore.repo import Repository
from oxcore.store import Batch, decode
from oxcore.transfer.commits import Link
from oxcore.transfer.levels import batched
from oxcore.transfer.receive import Receiver
from oxcore.transfer.remote import REQUEST_BYTES, Remote
from oxcore.wire.ids import MAX_IDS
from oxcore.wire.messages import CommitsRequest

_SEAL_BYTES = 1 << 29  # the index is told at least this often; full packs are durable before
_FILES_AT_ONCE = 1 << 18  # files whose presence is looked up together
_ASK_LOCALLY = 8192  # ids looked up here together
_MEAN_CHUNK = 1 << 16  # bytes; to tell how long a manifest may be
_LIKELY_CHUNK = 72 << 10  # bytes; to tell how many there will be
_MANIFEST_ROW = 40  # bytes of a manifest for each chunk
_SEGMENT_BYTES = 1 << 15  # bytes; about what a segment takes
_BASES = 512  # bases of deltas that are asked for together: 32 MiB, as chunks go
_CHAIN = 4  # deltas of deltas that two writers at once may have made there
_HOLD = 1 << 28  # bytes of manifests in one answer; more is a lie that would eat the memory


class Inflow:
    """Brings objects from ``remote`` into ``batch``, each once and proved."""

    def __init__(self, repo: Repository, remote: Remote, batch: Batch) -> None:
        self._repo = repo
        self._remote = remote
        self._batch = batch
        self._receiver = Receiver(batch, _HOLD)
        self._files: dict[bytes, int] = {}
        self._unsealed = 0
        self._depth = 0  # files within files that are being completed

    def commits(self, request: CommitsRequest) -> dict[bytes, Link]:
        """Get the commits and tags that are asked for; gives the commits."""
        links: dict[bytes, Link] = {}
        for run in self._counted(self._remote.commits(request)):
            for item in run.objects():
                if item.kind == Kind.COMMIT:
                    commit = decode_commit(decode(item.how, item.payload, item.raw))
                    links[item.id] = Link(commit.tree, commit.parents)
                elif item.kind != Kind.TAG:
                    raise InvalidError("the remote sent something else in place of a commit")
            self._receiver.take(run)
        return links

    def want_nodes(self, oids: list[bytes]) -> list[bytes]:
        """Get the nodes of one level that are not here; gives all of them back."""
        self._pull_lacking((oid, 0) for oid in oids)
        return oids

    def read_nodes(self, oids: Sequence[bytes]) -> Iterator[bytes]:
        """The bytes of nodes, got first where they are not here."""
        self._pull_lacking((oid, 0) for oid in oids)
        return (self._batch.get(oid, Kind.TREE) for oid in oids)

    def want_files(self, files: Mapping[bytes, int]) -> None:
        """Get those of these files (id -> size) that are not here, sooner or later."""
        self._files.update(files)
        if len(self._files) >= _FILES_AT_ONCE:
            self.finish_files()

    def finish_files(self) -> None:
        """Get what ``want_files`` has put off."""
        files, self._files = self._files, {}
        lacking = list(self._lacking(files.items()))
        if lacking:
            total = sum(map(self._objects, (size for _, size in lacking)))
            self._repo.settings.progress.start("receiving", total, "objects")
        self._pull_all((oid, self._wire_size(size)) for oid, size in lacking)

    def finish(self) -> None:
        """Hand everything to the batch."""
        self._receiver.settle()

    def _wire_size(self, size: int) -> int:
        """About how many bytes the answer has for a file of ``size`` bytes: its one chunk, or its
        manifest."""
        if size <= self._repo.params.maximum:
            return size
        return size // _MEAN_CHUNK * _MANIFEST_ROW

    def _objects(self, size: int) -> int:
        """About how many objects a file of ``size`` bytes is."""
        return 1 if size <= self._repo.params.maximum else 2 + size // _LIKELY_CHUNK

    def _pull_lacking(self, wanted: Iterable[tuple[bytes, int]]) -> None:
        """Get those of these objects, with about their sizes, that are not here."""
        self._pull_all(self._lacking(wanted))

    def _pull_all(self, wanted: Iterable[tuple[bytes, int]]) -> None:
        batch: list[bytes] = []
        size = 0
        for oid, length in wanted:
            if batch and (size + length > REQUEST_BYTES or len(batch) == MAX_IDS):
                self._pull(batch)
                batch, size = [], 0
            batch.append(oid)
            size += length
        if batch:
            self._pull(batch)

    def _lacking(self, wanted: Iterable[tuple[bytes, int]]) -> Iterator[tuple[bytes, int]]:
        for rows in batched(wanted, _ASK_LOCALLY):
            sizes = dict(rows)
            there = self._batch.has_many(list(sizes))
            yield from (row for row, here in zip(sizes.items(), there, strict=True) if not here)

    def _pull(self, oids: Sequence[bytes]) -> None:
        """Get these objects and, of deltas among them, the bases, of manifests, the parts."""
        self._fetch(oids)
        self._bring_bases()
        self._seal()
        if self._receiver.held:
            self._complete()

    def _bring_bases(self) -> None:
        """Get the bases that the deltas which came need and that are not here."""
        for _ in range(_CHAIN):
            if not self._receiver.waiting:
                return
            for oids in batched(self._receiver.lacking(), _BASES):
                there = self._batch.has_many(oids)
                lacking = [oid for oid, here in zip(oids, there, strict=True) if not here]
                if lacking:
                    self._fetch(lacking)
            self._receiver.retry()
        if self._receiver.waiting:
            raise CorruptError("the remote sent a chain of deltas")

    def _fetch(self, oids: Sequence[bytes]) -> None:
        expected = set(oids)
        for run in self._counted(self._remote.fetch(oids)):
            before = len(expected)
            expected.difference_update(run.ids)
            if before - len(expected) != len(run.ids):
                raise InvalidError("the remote sent an object that was not asked for")
            self._receiver.take(run)
        if expected:
            names = sorted(oid.hex() for oid in expected)
            raise MissingError(f"the remote kept back {counted(len(names), 'object')}", items=names)

    def _complete(self) -> None:
        """Get the segments and chunks of the manifests that wait, then prove these."""
        if self._depth > 1:
            raise CorruptError("the remote sent files of files of files")
        receiver, self._receiver = self._receiver, Receiver(self._batch, _HOLD)
        held = receiver.held.values()
        manifests = [decode_manifest(decode(one.how, one.payload, one.raw)) for one in held]
        self._depth += 1
        segments = (child for one in manifests if one.depth for child in one.children())
        self._pull_lacking((oid, _SEGMENT_BYTES) for oid in segments)
        self._pull_lacking(row for one in manifests for row in self._chunks(one))
        self._depth -= 1
        self._receiver = receiver
        receiver.settle()
        self._seal()

    def _chunks(self, manifest: Manifest) -> Iterator[tuple[bytes, int]]:
        runs: Iterable[Manifest] = [manifest]
        if manifest.depth:
            children = manifest.children()
            runs = (decode_segment(self._batch.get(oid, Kind.SEGMENT)) for oid in children)
        for run in runs:
            yield from zip(run.children(), run.lengths, strict=True)

    def _counted(self, runs: Iterable[Run]) -> Iterator[Run]:
        counters, progress = self._repo.counters, self._repo.settings.progress
        for run in runs:
            size = len(run.blob)
            counters.objects_received += len(run.ids)
            counters.bytes_received += size
            progress.step(len(run.ids), size)
            self._unsealed += size
            yield run

    def _seal(self) -> None:
        if self._unsealed >= _SEAL_BYTES:
            self._batch.flush()
            self._unsealed = 0
