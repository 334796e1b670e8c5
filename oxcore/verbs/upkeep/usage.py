"""What content costs: distinct files, distinct chunks, bytes as they lie in packs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from oxcore.model.ids import Kind
from oxcore.model.protocols import Location
from oxcore.repo import Repository
from oxcore.store import content

_AT_ONCE = 4096  # ids located with one question


@dataclass(slots=True)
class Usage:
    """Sizes in bytes of some entries, each layer below the one before.

    - ``logical``: the sum of the sizes of all ``files``;
    - ``unique``: the bytes of the ``unique_files`` distinct ones among them;
    - ``chunked``: the bytes of their distinct ``chunks``;
    - ``stored``: those chunks as they lie in packs, compressed or as deltas;
    - ``manifests``: the lists of chunks of larger files, as they lie in packs.

    ``missing`` files have an object that is not here; they count for ``unique`` alone.
    """

    files: int = 0
    logical: int = 0
    unique_files: int = 0
    unique: int = 0
    chunks: int = 0
    chunked: int = 0
    stored: int = 0
    manifests: int = 0
    missing: int = 0

    @property
    def saved_by_files(self) -> int:
        """Bytes spared because equal files are stored once."""
        return self.logical - self.unique

    @property
    def saved_by_chunks(self) -> int:
        """Bytes spared because equal chunks of different files are stored once."""
        return self.unique - self.chunked

    @property
    def saved_by_compression(self) -> int:
        """Bytes spared by compression and deltas; manifests are not set against it."""
        return self.chunked - self.stored


class Meter:
    """Adds up the content of files; what it has seen it does not count again."""

    def __init__(self, repo: Repository) -> None:
        self._store = repo.store
        self._files: set[bytes] = set()
        self._objects: set[bytes] = set()

    def add(self, usage: Usage, files: Iterable[tuple[bytes, int]]) -> None:
        """Count files (id and size in bytes), and into ``usage`` what they add."""
        source = iter(files)
        while batch := list(islice(source, _AT_ONCE)):
            usage.files += len(batch)
            usage.logical += sum(size for _, size in batch)
            fresh = {oid: size for oid, size in batch if oid not in self._files}
            self._files.update(fresh)
            usage.unique_files += len(fresh)
            usage.unique += sum(fresh.values())
            self._content(usage, list(fresh))

    def _content(self, usage: Usage, oids: Sequence[bytes]) -> None:
        for oid, where in zip(oids, self._store.locate(oids), strict=True):
            if where is None:
                usage.missing += 1
            elif where.kind == Kind.FILE:
                self._parts(usage, oid)
            else:
                self._object(usage, oid, where)

    def _parts(self, usage: Usage, oid: bytes) -> None:
        parts = content.parts(self._store, oid)
        while batch := [part.oid for part in islice(parts, _AT_ONCE)]:
            places = self._store.locate(batch)
            usage.missing += None in places
            for one, where in zip(batch, places, strict=True):
                if where is not None:
                    self._object(usage, one, where)

    def _object(self, usage: Usage, oid: bytes, where: Location) -> None:
        if oid in self._objects:
            return
        self._objects.add(oid)
        if where.kind == Kind.CHUNK:
            usage.chunks += 1
            usage.chunked += where.raw
            usage.stored += where.stored
        else:
            usage.manifests += where.stored
