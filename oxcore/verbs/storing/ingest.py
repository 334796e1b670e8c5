"""Files of the work tree into the store: small ones by the hundred, large ones in a stream.

A small file is one read, one hash and a place in the next batch. A larger one is cut by
content and gets a manifest: ``large``.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from oxcore.errors import StorageError, UnstableError, counted
from oxcore.index import pack_row
from oxcore.model.entries import show_path
from oxcore.model.ids import Kind
from oxcore.repo import Repository
from oxcore.repo.survey import Found
from oxcore.store import Batch
from oxcore.verbs.storing.deposit import put_bytes
from oxcore.verbs.storing.intake import MEDIUM, SLOT, Seen, Taken, take
from oxcore.verbs.storing.large import Large
from oxcore.worktree import exists, read_file

if TYPE_CHECKING:
    from oxcore.verbs.storing.crew import Crew

_BATCH_FILES = 512
_LEAST = 4096  # bytes of a chunk
_FILE_WORK = 16 << 10  # bytes that would take as long as opening a file does
_ENOUGH = 128 << 20  # bytes of work, about 60 ms: as long as a helper takes to start


class Group(NamedTuple):
    """Files that are taken together, and their lengths."""

    items: list[Found]
    sizes: list[int]


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
        self._buffer = bytearray()
        # A file cut into very small chunks would have a manifest longer than its room.
        self._limit = MEDIUM if repo.params.minimum >= _LEAST else repo.params.minimum
        self._work = 0
        self._crew: Crew[Group] | None = None
        self.unstable: list[bytes] = []
        self.unreadable: list[tuple[bytes, str]] = []

    def files(self, found: Iterable[Found]) -> Iterator[tuple[bytes, bytes]]:
        """Path and packed row (as the stat cache keeps it) of each file that could be read."""
        self.repo.settings.progress.start(self.what, self.expected, "files")
        try:
            for group in self._groups(found):
                yield from self._one(group) if isinstance(group, Found) else self._many(group)
            if self._crew is not None:
                for earlier, taken in self._crew.rest():
                    yield from self._keep(earlier, taken)
        finally:
            if self._crew is not None:
                self._crew.close()
        self.repo.settings.progress.done()

    def _groups(self, found: Iterable[Found]) -> Iterator[Found | Group]:
        """Large files by themselves, others together.

        A cut file with an older version is by itself, too: it is likely to share chunks with
        that, which ``large`` looks for.
        """
        minimum, limit = self.repo.params.minimum, self._limit
        group, pending = Group([], []), 0
        for item in found:
            size = item.size
            if size > (limit if item.entry is None else minimum):
                yield item
                continue
            if len(group.sizes) >= _BATCH_FILES or pending + size > SLOT:
                yield group
                group, pending = Group([], []), 0
            group.items.append(item)
            group.sizes.append(size)
            pending += size
        if group.items:
            yield group

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

    def _many(self, group: Group) -> Iterator[tuple[bytes, bytes]]:
        """Files as the walk saw them in one run, the others with care, one by one."""
        seen = self._seen(group)
        self._work += sum(group.sizes) + _FILE_WORK * len(group.sizes)
        if self._work > _ENOUGH and self._crew is None:
            self._crew = self._hire()
        if self._crew is None:
            room, params = self._room(seen), self.repo.params
            yield from self._keep(group, take(seen, room, self.repo.store.level, params))
            return
        for earlier, taken in self._crew.put(group, seen):
            yield from self._keep(earlier, taken)

    def _hire(self) -> Crew[Group] | None:
        from oxcore.verbs.storing.crew import Crew
        from oxcore.verbs.storing.processes import helpers_for, processors

        count = helpers_for(processors())
        return Crew(count, self.repo.store.level, self.repo.params) if count > 0 else None

    def _keep(self, group: Group, taken: Taken) -> Iterator[tuple[bytes, bytes]]:
        """Store what was taken; the rest needs care."""
        (items, sizes), (at, parts, run) = group, taken
        self.batch.put_run(run)
        for place, oid in zip(at, taken.ids(), strict=True):
            path, mode, stat, _ = items[place]
            yield path, pack_row(stat, (mode, sizes[place], oid))
        nbytes = sum(sizes) if len(at) == len(items) else sum(sizes[place] for place in at)
        self._count(len(at), nbytes)
        self.repo.counters.bytes_hashed += nbytes
        self.repo.counters.chunks_hashed += run.kinds.count(Kind.CHUNK) - parts.count(1)
        if len(at) < len(items):
            known = set(at)
            for place, item in enumerate(items):
                if place not in known:
                    cut = sizes[place] > self.repo.params.minimum
                    yield from self._one(item) if cut else self._care(item)

    def _seen(self, group: Group) -> Seen:
        base = os.fsencode(self.root)
        places = [b"%s/%s" % (base, item.path) for item in group.items]
        return Seen(places, [item.stat for item in group.items], group.sizes)

    def _room(self, seen: Seen) -> memoryview:
        """A buffer that holds these files, used again by the next call."""
        size = sum(seen.sizes)
        if len(self._buffer) < size + size // 32:
            self._buffer = bytearray(size + size // 32)
        return memoryview(self._buffer)

    def _care(self, item: Found) -> Iterator[tuple[bytes, bytes]]:
        """A small file that is a link, or not as it was seen."""
        try:
            data, mode, stat = read_file(self.root, item.path)
        except (UnstableError, StorageError) as error:
            self._note(item.path, error)
            return
        oid = put_bytes(self.repo, self.batch, data)
        self._count(1, len(data))
        yield item.path, pack_row(stat, (mode, len(data), oid))

    def _one(self, item: Found) -> Iterator[tuple[bytes, bytes]]:
        try:
            row = self.large.row(item)
        except (UnstableError, StorageError) as error:
            self._note(item.path, error)
        else:
            self._count(1, 0)
            yield item.path, row

    def _note(self, path: bytes, error: UnstableError | StorageError) -> None:
        if isinstance(error, UnstableError):
            self.unstable.append(path)
        elif exists(self.root, path):  # what is gone since it was looked at is no trouble
            self.unreadable.append((path, error.message))

    def _count(self, files: int, nbytes: int) -> None:
        self.repo.counters.files_opened += files
        self.repo.settings.progress.step(files, nbytes)
