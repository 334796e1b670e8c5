"""A table file of the store or of the work tree, read by itself or together with another."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, TypeAlias

from oxcore.fs.atomic import storage_errors
from oxcore.model.entries import Entry
from oxcore.repo import Repository, files
from oxcore.repo.memo import StoredMemo
from oxcore.store import content
from oxcore.tables import Source
from oxcore.verbs.storing.processes import helpers_for, processors

if TYPE_CHECKING:
    from oxcore.store import PackReader
    from oxcore.tables.source import Memo, Together

LEAST = 32 << 20  # bytes of either file from which on a helper pays
# Names of what can be cut in parts, with a version behind them or without.
_CUT = re.compile(r"(?is)\.(csv|tsv|parquet|pq|arrow|feather)(@.*| \(.*)?$")


class Stored(NamedTuple):
    """A file of a store, which messages call ``name``: the ``Origin`` of its source."""

    repo: Repository
    entry: Entry
    name: str

    @property
    def size(self) -> int:
        """Its bytes."""
        return self.entry.size

    def told(self) -> tuple[object, ...]:
        """What a helper is told of it."""
        return self.entry, self.name

    def source(self, reader: PackReader | None = None) -> Source:
        """Where its rows are read from; through ``reader``, if it is said."""
        return Source(
            self.name,
            self.size,
            partial(files.open_entry, self.repo, self.entry, reader),
            self.entry.id,
            StoredMemo(self.repo, self.entry.id),
            self.repo.counters,
            partial(content.chunks, self.repo.store, self.entry.id),
            origin=self,
        )

    def together(self, other: object) -> AbstractContextManager[Together | None]:
        """As the function of this name."""
        return together(self, other)


Seen = tuple[int, int, int]
"""Size, time of change in nanoseconds, and inode of a file."""


class InFolder(NamedTuple):
    """A file of the work tree at ``place``, which messages call ``name``, as it was ``seen``: the
    ``Origin`` of its source. ``known``: id of its content, and what is known of that, if it is."""

    repo: Repository
    place: bytes
    name: str
    seen: Seen
    known: tuple[bytes | None, Memo | None] = (None, None)

    @property
    def size(self) -> int:
        """Its bytes."""
        return self.seen[0]

    def told(self) -> tuple[object, ...]:
        """What a helper is told of it."""
        return self.place, self.name, self.seen

    def source(self, reader: PackReader | None = None) -> Source:
        """Where its rows are read from: the file itself, and no ``reader`` of a store."""
        opener, (oid, memo) = partial(_open, self.place, self.name), self.known
        return Source(self.name, self.size, opener, oid, memo, self.repo.counters, origin=self)

    def is_same(self) -> bool:
        """Whether it is as it was seen."""
        return seen(os.stat(self.place)) == self.seen

    def together(self, other: object) -> AbstractContextManager[Together | None]:
        """As the function of this name."""
        return together(self, other)


Origin: TypeAlias = Stored | InFolder


def seen(found: os.stat_result) -> Seen:
    """What tells that a file is the same."""
    return found.st_size, found.st_mtime_ns, found.st_ino


def _open(place: bytes, name: str) -> BinaryIO:
    with storage_errors(f"read {name}"):
        return open(place, "rb")


@contextmanager
def together(one: Origin, other: object) -> Iterator[Together | None]:
    """Two files of a repository, if both are large tables that can be cut: what they share in its
    store is decoded once, and processes, which load their libraries at once, have them as well."""
    if not isinstance(other, Stored | InFolder) or not _pays(one, other):
        yield None
        return
    from oxcore.verbs.tabular.helpers import helping

    count, pair = helpers_for(processors()), [one.told(), other.told()]
    with helping(count, one.repo.folder, pair, one.repo.counters) as helpers:
        yield *shared(one, other), helpers


def shared(one: Origin, other: Origin) -> tuple[Source, Source]:
    """Both sources; what they have in common is decoded once, if they are of one store."""
    both = isinstance(one, Stored) and isinstance(other, Stored)
    if not both or one.repo.store is not other.repo.store:
        return one.source(), other.source()
    from oxcore.store import KeepingReader

    reader = KeepingReader(one.repo.store)
    return one.source(reader), other.source(reader)


def _pays(one: Origin, other: Origin) -> bool:
    return one.repo.folder == other.repo.folder and all(
        each.size >= LEAST and _CUT.search(each.name) for each in (one, other)
    )
