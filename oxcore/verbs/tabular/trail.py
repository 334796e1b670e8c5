"""Rows of one table on their way back through history: where the file was, and what it held.

A version of the file is read once, however many commits have it; what is kept of it are the rows
that are looked for. A version that cannot be read as a table is named in a remark and skipped.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

from oxcore import tree
from oxcore.errors import InvalidError
from oxcore.model.entries import Entry, Mode, show_path
from oxcore.repo import Repository
from oxcore.repo.changes import with_renames
from oxcore.tables import Table
from oxcore.tables.rowcells import Row, renamed, rows_at
from oxcore.tables.rowfind import find
from oxcore.tables.rowkeys import Key, names_of, row_number, show_key
from oxcore.verbs.tabular.df import stored

_KEPT = 256  # versions of the file whose rows are remembered


class Spot(NamedTuple):
    """Where the table is in a commit: its path, and how columns that were renamed since are
    called there, as pairs (now, there)."""

    path: bytes
    names: tuple[tuple[str, str], ...] = ()

    def there(self, name: str) -> str:
        """What the column is called there."""
        return dict(self.names).get(name, name)

    def key(self, key: Key) -> Key:
        """The key in the names there."""
        return {self.there(name): value for name, value in key.items()}


class Place(NamedTuple):
    """The table at a commit: ``entry`` None where it is not there."""

    commit: bytes
    spot: Spot
    entry: Entry | None


class Version(NamedTuple):
    """One version of the table, with the row of each key, or None where it has none.

    ``table`` is None for a version that cannot be read.
    """

    table: Table | None
    rows: tuple[Row | None, ...]


class Trail:
    """The rows with these keys, one each, through the history of a file.

    ``remarks``: what could not be read, as it is met.
    """

    def __init__(self, repo: Repository, keys: Sequence[Key]) -> None:
        self.keys = tuple(keys)
        self.remarks: list[str] = []
        self.read = repo.history()
        self._repo = repo
        self._nodes = tree.Nodes(repo.store)
        self._kept: OrderedDict[tuple[bytes, Spot], Version] = OrderedDict()

    def place(self, oid: bytes, spot: Spot) -> Place:
        """The table at a commit."""
        return Place(oid, spot, tree.get(self._nodes, self.read(oid).tree, spot.path))

    def before(self, here: Place) -> list[Place]:
        """The same at each parent; where none has it, by the exact rename that brought it here."""
        found = [self.place(parent, here.spot) for parent in self.read(here.commit).parents]
        if here.entry is None or any(one.entry is not None for one in found):
            return found
        return [self._renamed(one, here) for one in found]

    def version(self, place: Place, *, strict: bool = False) -> Version:
        """What is there. If it cannot be read, or a key names several rows, this is remarked, or
        an ``InvalidError`` if ``strict``."""
        if place.entry is None:
            return Version(None, (None,) * len(self.keys))
        at = (place.entry.id, place.spot)
        known = self._kept.pop(at, None)
        if known is None:
            try:
                known = self._look(place)
            except InvalidError as error:
                if strict:
                    raise
                self.remark(error.message)
                known = Version(None, ())
        self._kept[at] = known
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return known

    def _look(self, place: Place) -> Version:
        table = open_place(self._repo, place)
        keys = [place.spot.key(key) for key in self.keys]
        if not keys or not set(keys[0]) <= set(names_of(table)):
            return Version(table, (None,) * len(keys))
        found = find(table, keys)
        for key, places in zip(keys, found, strict=True):
            check_one(table, key, places)
        rows = rows_at(table, [places[0] for places in found if places])
        return Version(table, tuple(rows[places[0]] if places else None for places in found))

    def follow(self, here: Place, now: Version, before: Place, columns: Sequence[str]) -> Place:
        """``before`` with the names of columns that the values say were renamed on the way here.

        Looked into only where one of ``columns`` (as they are called today) is not there.
        """
        if before.entry is None or now.table is None:
            return before
        old = self.version(before).table
        if old is None or {before.spot.there(one) for one in columns} <= set(names_of(old)):
            return before
        try:
            found = renamed(old, now.table)
        except InvalidError as error:
            self.remark(error.message)
            return before
        names = {name: here.spot.there(name) for name in columns}
        pairs = tuple((name, found.get(there, there)) for name, there in names.items())
        spot = Spot(before.spot.path, tuple(pair for pair in pairs if pair[0] != pair[1]))
        return before._replace(spot=spot)

    def _renamed(self, before: Place, here: Place) -> Place:
        old, new = self.read(before.commit).tree, self.read(here.commit).tree
        for change in with_renames(lambda: tree.diff(self._nodes, old, new)):
            if change.path == here.spot.path and change.old_path is not None:
                return Place(before.commit, here.spot._replace(path=change.old_path), change.old)
        return before

    def remark(self, text: str) -> None:
        """Note what could not be read, once."""
        if text not in self.remarks:
            self.remarks.append(text)


def open_place(repo: Repository, place: Place) -> Table:
    """The table that is there; ``InvalidError`` if it is none."""
    entry = place.entry
    name = f"{show_path(place.spot.path)}@{place.commit.hex()[:10]}"
    if entry is None or entry.mode == Mode.LINK:
        raise InvalidError(f"{name} is a symbolic link", hint="name the file that it points to")
    return Table(stored(repo, entry, name))


def check_one(table: Table, key: Key, places: Sequence[int]) -> None:
    """Raise ``InvalidError`` for a key that several rows have."""
    if len(places) > 1:
        shown = ", ".join(f"{row_number(table, place):,}" for place in places)
        raise InvalidError(
            f"{table.name}: {show_key(key)} is no key: rows {shown} have it",
            hint="name more columns: --key id=42,split=train",
        )
