"""``log --row``: the commits that changed one row of a table, newest first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from oxcore import history
from oxcore.errors import NotFoundError
from oxcore.history import Filter
from oxcore.model.commits import Commit
from oxcore.model.entries import show_path
from oxcore.repo import Repository
from oxcore.repo.names import decorations, tips
from oxcore.tables.rowcells import Row, same
from oxcore.tables.rowkeys import names_of, show_key, text_key
from oxcore.verbs.tabular.blame import AnyKey, read_keys
from oxcore.verbs.tabular.trail import Place, Spot, Trail, Version, open_place


class CellChange(NamedTuple):
    """One cell: ``old`` and ``new`` are the columns that it was in before and after, None where
    there was none."""

    old: str | None
    new: str | None

    @property
    def column(self) -> str:
        """The column as it was called last."""
        return self.new or self.old or ""


class RowCommit(NamedTuple):
    """A commit that added, removed or changed the row, against its first parent; at ``path``,
    with the cells that differ. ``refs`` as of the log; ``old``, ``new``: the row before and after.
    """

    id: bytes
    commit: Commit
    refs: tuple[str, ...]
    path: bytes
    old: Row | None
    new: Row | None
    cells: tuple[CellChange, ...]

    @property
    def kind(self) -> str:
        """added, removed or changed."""
        return "added" if self.old is None else "removed" if self.new is None else "changed"


class RowLog:
    """The commits, found as they are asked for; ``remarks`` name versions that were skipped."""

    def __init__(self, found: Iterator[RowCommit], remarks: list[str]) -> None:
        self._found = found
        self.remarks = remarks

    def __iter__(self) -> Iterator[RowCommit]:
        return self._found


def row_log(
    repo: Repository,
    path: bytes,
    key: AnyKey,
    revisions: Sequence[str] = (),
    *,
    only: Filter | None = None,
    limit: int | None = None,
    first_parent: bool = False,
) -> RowLog:
    """The commits reachable from ``revisions`` (none: ``HEAD``) that changed the row with ``key``
    of the table at ``path``: those where it differs from what each parent has.

    An exact rename of the file is followed. Asking for the first one raises ``NotFoundError`` if
    no version has the row, ``InvalidError`` if the newest is no table.
    """
    trail = Trail(repo, ())
    walk = _Walk(repo, trail, path, key, first_parent=first_parent)
    found = walk.commits(revisions, only or Filter())
    return RowLog(islice(found, limit), trail.remarks)


_Change = tuple[Row | None, Row | None, tuple[CellChange, ...]]


class _Walk:
    """``spots``: where the table is in commits that are still to come."""

    def __init__(
        self, repo: Repository, trail: Trail, path: bytes, key: AnyKey, *, first_parent: bool
    ) -> None:
        self._repo, self._trail, self._key = repo, trail, key
        self._start = Spot(path)
        self._first = first_parent
        self._spots: dict[bytes, dict[Spot, None]] = {}
        self._met = False

    def commits(self, revisions: Sequence[str], only: Filter) -> Iterator[RowCommit]:
        """The commits that changed the row."""
        chosen, refs = tips(self._repo, revisions), decorations(self._repo)
        for oid in chosen.tips:
            self._spots[oid] = {self._start: None}
        rows = history.walk(self._trail.read, chosen.tips, chosen.hide, first_parent=self._first)
        for oid, commit in rows:
            for spot in self._spots.pop(oid, {}):
                found = self._changed(self._trail.place(oid, spot))
                if found is not None and only.fits(commit):
                    yield RowCommit(oid, commit, refs.get(oid, ()), spot.path, *found)
        if not self._met and not any(map(self._has, chosen.tips)):
            shown = self._key if isinstance(self._key, str) else show_key(text_key(self._key))
            raise NotFoundError(
                f"no version of {show_path(self._start.path)} has a row with {shown}",
                hint="see the rows: ox df FILE",
            )

    def _changed(self, here: Place) -> _Change | None:
        """What the commit did to the row; None if it, or its file, is as in one of the parents."""
        parents = self._trail.before(here)[: 1 if self._first else None]
        if any(parent.entry == here.entry for parent in parents):
            self._onward(parents)
            return None
        now = self._version(here)
        if here.entry is not None and now.table is None:
            self._onward(parents)
            return None
        parents = [self._named(here, now, parent) for parent in parents]
        self._onward(parents)
        row = _row(now)
        found = [_compare(here.spot, row, *self._readable(parent)) for parent in parents]
        if not parents:
            found = [_compare(here.spot, row, here.spot, None)]
        return found[0] if all(found) else None

    def _onward(self, parents: Sequence[Place]) -> None:
        for parent in parents:
            self._spots.setdefault(parent.commit, {})[parent.spot] = None

    def _version(self, place: Place) -> Version:
        if place.entry is not None and not self._trail.keys:
            names = names_of(open_place(self._repo, place))
            self._trail.keys = tuple(read_keys([self._key], names))
        found = self._trail.version(place)
        self._met = self._met or _row(found) is not None
        return found

    def _named(self, here: Place, now: Version, parent: Place) -> Place:
        today = {there: name for name, there in here.spot.names}
        row = _row(now)
        columns = [today.get(name, name) for name in row.raw] if row else []
        return self._trail.follow(here, now, parent, [*self._trail.keys[0], *columns])

    def _readable(self, place: Place) -> tuple[Spot, Row | None]:
        """The row there; past versions that cannot be read, that of their first parents."""
        found = self._version(place)
        while place.entry is not None and found.table is None:
            older = self._trail.before(place)
            if not older:
                return place.spot, None
            place = older[0]
            found = self._version(place)
        return place.spot, _row(found)

    def _has(self, tip: bytes) -> bool:
        place = self._trail.place(tip, self._start)
        return place.entry is not None and _row(self._version(place)) is not None


def _row(version: Version) -> Row | None:
    return version.rows[0] if version.rows else None


def _compare(spot: Spot, new: Row | None, before: Spot, old: Row | None) -> _Change | None:
    """What was done to a row; None if nothing was."""
    if old is None and new is None:
        return None
    cells = tuple(
        CellChange(was, now)
        for was, now in _pairs(spot, new, before, old)
        if not (old and new and was and now and same(new, now, old, was))
    )
    return (old, new, cells) if cells or old is None or new is None else None


def _pairs(
    spot: Spot, new: Row | None, before: Spot, old: Row | None
) -> Iterator[tuple[str | None, str | None]]:
    """Every column, as it is called before and after; None where there is none."""
    today = {there: name for name, there in spot.names}
    had, met = old.raw if old else {}, set()
    for name in new.raw if new else ():
        was = before.there(today.get(name, name))
        met.add(was)
        yield (was if was in had else None), name
    for name in had:
        if name not in met:
            yield name, None
