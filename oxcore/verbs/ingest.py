"""Files of the work tree into the store: small ones by the hundred, large ones in a stream.

A small file is one read, one hash and a place in the next batch. A larger one is cut by
content and gets a manifest: ``large``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from oxcore.errors import StorageError, UnstableError, counted
from oxcore.index import pack_row
from oxcore.model.entries import Entry, show_path
from oxcore.model.ids import Kind, content_id
from oxcore.repo import Repository
from oxcore.store import Batch
from oxcore.verbs.deposit import put_bytes
from oxcore.verbs.large import Large
from oxcore.verbs.survey import Found
from oxcore.worktree import exists, read_file

_BATCH_FILES = 512
_BATCH_BYTES = 8 << 20


class Ingest:
    """Puts files into ``batch`` and says what they are.

    ``unstable`` and ``unreadable`` collect the files that kept changing or could not be read.
    Progress is told of under the phase ``what``, of ``expected`` files if that is known.
    """

    def __init__(
        self, repo: Repository, batch: Batch, what: str, expected: int | None = None
    ) -> None:
        self.repo = repo
        self.batch = batch
        self.root = repo.tree_root()
        self.large = Large(repo, batch)
        self.what = what
        self.expected = expected
        self.unstable: list[bytes] = []
        self.unreadable: list[tuple[bytes, str]] = []

    def files(self, found: Iterable[Found]) -> Iterator[tuple[bytes, bytes]]:
        """Path and packed row (as the stat cache keeps it) of each file that could be read."""
        small: list[Found] = []
        pending = 0
        self.repo.settings.progress.start(self.what, self.expected, "files")
        for item in found:
            if item.size > self.repo.params.minimum:
                yield from self._one(item)
                continue
            small.append(item)
            pending += item.size
            if len(small) >= _BATCH_FILES or pending >= _BATCH_BYTES:
                yield from self._many(small)
                small, pending = [], 0
        yield from self._many(small)
        self.repo.settings.progress.done()

    def check(self) -> None:
        """Raise for the files that could not be read: ``UnstableError``, ``StorageError``."""
        if self.unreadable:
            items = [f"{show_path(path)}: {why}" for path, why in self.unreadable]
            raise StorageError(
                f"{counted(len(items), 'file')} cannot be read",
                items=items,
                hint="check their permissions",
            )
        if self.unstable:
            raise UnstableError(
                f"{counted(len(self.unstable), 'file')} changed during the read",
                paths=self.unstable,
                hint="stop what writes to them, or leave them out with .oxignore",
            )

    def _many(self, items: list[Found]) -> Iterator[tuple[bytes, bytes]]:
        rows: list[tuple[bytes, bytes]] = []
        ids: list[bytes] = []
        datas: list[bytes] = []
        for item in items:
            try:
                data, mode, stat = read_file(self.root, item.path)
            except (UnstableError, StorageError) as error:
                self._note(item.path, error)
                continue
            if len(data) > self.repo.params.minimum:  # it has grown since it was looked at
                oid = put_bytes(self.repo, self.batch, data)
            else:
                oid = content_id(data)
                ids.append(oid)
                datas.append(data)
            rows.append((item.path, pack_row(stat, Entry(mode, len(data), oid))))
        self.batch.put_many(ids, Kind.CHUNK, datas)
        nbytes = sum(map(len, datas))
        self._count(len(rows), nbytes)
        self.repo.counters.bytes_hashed += nbytes
        yield from rows

    def _one(self, item: Found) -> Iterator[tuple[bytes, bytes]]:
        try:
            row, size = self.large.row(item)
        except (UnstableError, StorageError) as error:
            self._note(item.path, error)
        else:
            self._count(1, size)
            yield item.path, row

    def _note(self, path: bytes, error: UnstableError | StorageError) -> None:
        if isinstance(error, UnstableError):
            self.unstable.append(path)
        elif exists(self.root, path):  # what is gone since it was looked at is no trouble
            self.unreadable.append((path, error.message))

    def _count(self, files: int, nbytes: int) -> None:
        self.repo.counters.files_opened += files
        self.repo.settings.progress.step(files, nbytes)
