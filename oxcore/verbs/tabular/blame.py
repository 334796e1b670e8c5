"""``blame``: which commit gave each cell of a row the value that it has.

As git's blame does, a cell goes on to the first parent whose row holds the same, by value; the
commit that no parent shares a cell with has set it. At a merge a cell came from whichever parent
has its value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from oxcore import history
from oxcore.errors import InvalidError, NotFoundError, UsageError
from oxcore.model.commits import Commit
from oxcore.model.entries import show_path
from oxcore.repo import Repository, files
from oxcore.repo.names import resolve_commit
from oxcore.tables import Part, Query, rowdiff, texts
from oxcore.tables.rowcells import Row, same
from oxcore.tables.rowkeys import Key, names_of, parse_key, show_key, text_key
from oxcore.tables.values import text
from oxcore.verbs.tabular import kept
from oxcore.verbs.tabular.trail import Place, Spot, Trail, Version, open_place

MOST = 1000  # rows that a condition may name
AnyKey = str | Mapping[str, object]
"""A key as text (``id=42``) or as values by column."""


class BlamedCell(NamedTuple):
    """A cell and the commit that set it, in the file ``path``, where the column had ``name``."""

    column: str
    shown: str | None
    id: bytes
    commit: Commit
    path: bytes
    name: str


class BlamedRow(NamedTuple):
    """A row of the table: its ``key``, its ``row`` (values by column), ``cells`` in their order."""

    key: Key
    row: Row
    cells: tuple[BlamedCell, ...]


class Blame(NamedTuple):
    """The rows in the order of the keys; ``remarks`` name versions that could not be read."""

    id: bytes
    rows: tuple[BlamedRow, ...]
    remarks: tuple[str, ...]


class _Held(NamedTuple):
    """A cell on its way: its row in the last version that was read, at ``since``."""

    row: Row
    since: Place


Cell = tuple[int, str]  # which key, and the column as it is called today
_Waiting = dict[bytes, dict[Spot, dict[Cell, _Held]]]


def blame(repo: Repository, path: bytes, keys: Sequence[AnyKey], rev: str = "HEAD") -> Blame:
    """Who set each cell of the rows that ``keys`` name, in the table at ``path`` of a revision.

    Raises ``NotFoundError`` for a file, column or row that is not there, ``InvalidError`` for a
    key that several rows have, and for a file that is no table.
    """
    if not keys:
        raise UsageError("no key: which row?", hint="as in --key id=42")
    oid = resolve_commit(repo, rev)
    start = Place(oid, Spot(path), files.entry(repo, path, rev))
    parsed = read_keys(keys, names_of(open_place(repo, start)))
    trail = Trail(repo, parsed)
    rows = _start(trail, start)
    done = _settle(trail, start, rows)
    made = tuple(
        BlamedRow(key, row, tuple(_cell(trail, row, name, done[n, name]) for name in row.raw))
        for n, (key, row) in enumerate(zip(parsed, rows, strict=True))
    )
    return Blame(oid, made, tuple(trail.remarks))


def keys_where(repo: Repository, path: bytes, where: str, rev: str = "HEAD") -> list[Key]:
    """The keys of the rows for which the SQL expression ``where`` is true.

    The key is that of the table's schema, or else a column without nulls whose values all differ.
    Raises ``UsageError`` if there is none, ``NotFoundError`` for no row, ``InvalidError`` for more
    than 1,000.
    """
    oid = resolve_commit(repo, rev)
    table = open_place(repo, Place(oid, Spot(path), files.entry(repo, path, rev)))
    known = kept.at(repo, repo.commit(oid).tree, path)
    names = known.key if known and known.key else rowdiff.find_keys(table, table)
    if not names:
        raise UsageError(
            f"no column tells the rows of {table.name} apart",
            hint=f"name those that do: ox schema set {show_path(path)} --key COLUMNS",
        )
    keys: list[Key] = []
    with table.pick(Query(tuple(names), where), Part("head", MOST + 1)) as rows:
        if rows.total > MOST:
            raise InvalidError(f"{rows.total:,} rows, and {MOST:,} are followed at most")
        if not rows.total:
            raise NotFoundError(f"{table.name} has no row for which this is true: {where}")
        for batch in rows.batches():
            columns = [texts(column) for column in batch.columns]
            keys += [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
    return keys


def read_keys(keys: Iterable[AnyKey], names: Sequence[str]) -> list[Key]:
    """Keys of the same columns; ``UsageError`` if they name others."""
    made: list[Key] = [
        parse_key(one, names) if isinstance(one, str) else text_key(one) for one in keys
    ]
    for key in made:
        if not key or key.keys() != made[0].keys():
            raise UsageError("all keys name the same columns", hint="ask for one after the other")
    return made


def no_row(table: str, key: Key) -> NotFoundError:
    """The error for a row that is not there."""
    return NotFoundError(
        f"{table} has no row with {show_key(key)}",
        hint="see the rows: ox df FILE --where SQL; when it was there: ox log --row KEY FILE",
    )


def _start(trail: Trail, start: Place) -> list[Row]:
    found = trail.version(start, strict=True)
    rows = []
    for key, row in zip(trail.keys, found.rows, strict=True):
        if row is None:
            raise no_row(f"{show_path(start.spot.path)}@{start.commit.hex()[:10]}", key)
        rows.append(row)
    return rows


def _settle(trail: Trail, start: Place, rows: Sequence[Row]) -> dict[Cell, _Held]:
    """For each cell the place that set it."""
    cells = {(n, name): _Held(row, start) for n, row in enumerate(rows) for name in row.raw}
    waiting: _Waiting = {start.commit: {start.spot: cells}}
    done: dict[Cell, _Held] = {}
    for oid, _ in history.walk(trail.read, [start.commit]):
        for spot, held in waiting.pop(oid, {}).items():
            done.update(_pass(trail, trail.place(oid, spot), held, waiting))
        if not waiting:
            break
    return done


def _pass(
    trail: Trail, here: Place, cells: dict[Cell, _Held], waiting: _Waiting
) -> dict[Cell, _Held]:
    """Hand the cells on to parents that have them; gives the rest."""
    parents = trail.before(here)
    for parent in parents:
        if parent.entry is not None and here.entry == parent.entry:
            moved = {cell: _moved(held, here, parent) for cell, held in cells.items()}
            _note(waiting, parent, moved)
            return {}
    if not parents:
        return cells
    now = trail.version(here)
    rest = dict(cells)
    unread: list[Place] = []
    columns = list(dict.fromkeys([*trail.keys[0], *(name for _, name in cells)]))
    for parent in parents:
        if not rest:
            break
        parent = trail.follow(here, now, parent, columns)
        old = trail.version(parent)
        if parent.entry is not None and old.table is None:
            unread.append(parent)
            continue
        taken = {
            cell: _Held(row, parent)
            for cell, held in rest.items()
            if (row := _in(old, parent, cell, held))
        }
        rest = {cell: held for cell, held in rest.items() if cell not in taken}
        _note(waiting, parent, taken)
    for parent in unread[:1]:
        _note(waiting, parent, rest)
        rest = {}
    return rest


def _in(old: Version, parent: Place, cell: Cell, held: _Held) -> Row | None:
    """The row of an older version, if its cell holds the same."""
    number, name = cell
    row, there = old.rows[number], parent.spot.there(name)
    if row is None or there not in row.raw:
        return None
    return row if same(held.row, held.since.spot.there(name), row, there) else None


def _note(waiting: _Waiting, place: Place, cells: dict[Cell, _Held]) -> None:
    if cells:
        waiting.setdefault(place.commit, {}).setdefault(place.spot, {}).update(cells)


def _moved(held: _Held, here: Place, parent: Place) -> _Held:
    """The cell at a parent that has the very bytes of ``here``."""
    return held._replace(since=parent) if held.since == here else held


def _cell(trail: Trail, row: Row, name: str, held: _Held) -> BlamedCell:
    value, since = row.raw[name], held.since
    return BlamedCell(
        name,
        None if value is None else text(value),
        since.commit,
        trail.read(since.commit),
        since.spot.path,
        since.spot.there(name),
    )
