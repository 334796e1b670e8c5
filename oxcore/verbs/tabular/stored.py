"""A table file of the store, read by itself or together with another version."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from oxcore.model.entries import Entry
from oxcore.repo import Repository, files
from oxcore.repo.memo import StoredMemo
from oxcore.store import content
from oxcore.tables import Source
from oxcore.verbs.storing.processes import helpers_for, processors

if TYPE_CHECKING:
    from oxcore.store import PackReader
    from oxcore.tables.source import Together

LEAST = 32 << 20  # bytes of either file from which on a helper pays
# Names of what can be cut in parts, with a version behind them or without.
_CUT = re.compile(r"(?is)\.(csv|tsv|parquet|pq|arrow|feather)(@.*| \(.*)?$")


class Stored(NamedTuple):
    """A file of a store, which messages call ``name``: the ``Origin`` of its source."""

    repo: Repository
    entry: Entry
    name: str

    def source(self, reader: PackReader | None = None) -> Source:
        """Where its rows are read from; through ``reader``, if it is said."""
        return Source(
            self.name,
            self.entry.size,
            partial(files.open_entry, self.repo, self.entry, reader),
            self.entry.id,
            StoredMemo(self.repo, self.entry.id),
            self.repo.counters,
            partial(content.chunks, self.repo.store, self.entry.id),
            origin=self,
        )

    @contextmanager
    def together(self, other: object) -> Iterator[Together | None]:
        """This one and another of the same repository, if both are large tables that can be cut:
        what they share is decoded once, and processes, which load their libraries at once, have
        them as well."""
        if not isinstance(other, Stored) or not self._pays(other):
            yield None
            return
        from oxcore.verbs.tabular.helpers import helping

        count, pair = helpers_for(processors()), [one[1:] for one in (self, other)]
        with helping(count, self.repo.folder, pair, self.repo.counters) as helpers:
            yield *self.shared(other), helpers

    def shared(self, other: Stored) -> tuple[Source, Source]:
        """Both sources; what they have in common is decoded once, if they are of one store."""
        if self.repo.store is not other.repo.store:
            return self.source(), other.source()
        from oxcore.store import KeepingReader

        reader = KeepingReader(self.repo.store)
        return self.source(reader), other.source(reader)

    def _pays(self, other: Stored) -> bool:
        return self.repo.folder == other.repo.folder and all(
            one.entry.size >= LEAST and _CUT.search(one.name) for one in (self, other)
        )
