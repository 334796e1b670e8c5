"""The two sides of a comparison: a file of the store, or of the work tree."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Protocol

from oxcore.chunk import iter_chunks, may_have_seams
from oxcore.fs.atomic import storage_errors
from oxcore.model.entries import Entry, Mode, show_path
from oxcore.model.ids import content_id
from oxcore.repo import Repository
from oxcore.store import content
from oxcore.worktree import StableRead, read_file, stable

if TYPE_CHECKING:
    from oxcore.verbs.tabular.origins import Origin

_HEAD = 8192  # bytes at the start of a large file that tell whether it is text, as in git


class FileSide(Protocol):
    """One of two files to compare."""

    path: bytes
    entry: Entry

    def data(self) -> bytes:
        """All its bytes."""
        ...

    def head(self) -> bytes:
        """Its first bytes, enough to tell text from other content."""
        ...

    def chunks(self) -> Iterable[tuple[bytes, int]]:
        """Id and length of its chunks."""
        ...

    def origin(self) -> Origin:
        """The file as it may be read together with another."""
        ...

    def key(self) -> tuple[str, ...] | None:
        """The key columns of its schema; None if it has none."""
        ...


class StoredSide:
    """A file of the store; messages name it with ``rev``, the version that was asked for."""

    def __init__(self, repo: Repository, path: bytes, entry: Entry, rev: str | None = None) -> None:
        self.path = path
        self.entry = entry
        self.store = repo.store
        self._repo, self._rev = repo, rev

    @property
    def _name(self) -> str:
        return show_path(self.path) if self._rev is None else f"{show_path(self.path)}@{self._rev}"

    def data(self) -> bytes:
        """All its bytes, verified."""
        return b"".join(content.read(self.store, self.entry.id))

    def head(self) -> bytes:
        """The start of its first chunk."""
        return next(iter(content.read(self.store, self.entry.id)), b"")[:_HEAD]

    def chunks(self) -> Iterator[tuple[bytes, int]]:
        """Id and length of its chunks, as they are stored."""
        return content.chunks(self.store, self.entry.id)

    def origin(self) -> Origin:
        """The file as it may be read together with another."""
        from oxcore.verbs.tabular.origins import Stored

        return Stored(self._repo, self.entry, self._name)

    def key(self) -> tuple[str, ...] | None:
        """The key columns of the schema in its version."""
        return _key(self._repo, self.path, self._rev)


class WorkSide:
    """A file of the work tree, as it is when it is looked at."""

    def __init__(self, repo: Repository, path: bytes, entry: Entry) -> None:
        self.path = path
        self.entry = entry
        self._repo, self._root = repo, repo.tree_root()
        self._params = repo.params

    def data(self) -> bytes:
        """All its bytes, or the target of a link."""
        return read_file(self._root, self.path).data

    def head(self) -> bytes:
        """Its first bytes, or the target of a link."""
        if self.entry.mode == Mode.LINK:
            return self.data()
        place = os.path.join(os.fsencode(self._root), self.path)
        with storage_errors(f"read {show_path(self.path)}"), open(place, "rb") as file:
            return file.read(_HEAD)

    def chunks(self) -> list[tuple[bytes, int]]:
        """Id and length of the chunks that it would be stored as."""
        if self.entry.mode == Mode.LINK:
            target = self.data()
            return [(content_id(target), len(target))]
        return stable(self._root, self.path, self._cut)[0]

    def origin(self) -> Origin:
        """The file as it may be read together with another."""
        from oxcore.verbs.tabular import df

        return df.folder_file(self._repo, self._root, self.path)

    def key(self) -> tuple[str, ...] | None:
        """The key columns of the schema in the work tree."""
        return _key(self._repo, self.path, None)

    def _cut(self, source: StableRead) -> list[tuple[bytes, int]]:
        chunks = iter_chunks(source.read, self._params, places=self._places(source))
        return [(content_id(one), len(one)) for one in chunks]

    def _places(self, source: StableRead) -> list[int]:
        """Where a table would be cut besides."""
        head = source.read_at(0, 8)
        if not may_have_seams(head, source.size):
            return []
        from oxcore.chunk import cut_places, find_seams

        seams = find_seams(head, source.size, source.read_at)
        return cut_places(seams, source.size, self._params)


def _key(repo: Repository, path: bytes, rev: str | None) -> tuple[str, ...] | None:
    from oxcore.verbs.tabular import kept

    found = kept.read(repo, path, rev)
    return None if found is None else found.key
