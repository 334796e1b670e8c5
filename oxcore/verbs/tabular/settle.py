"""Open cells of a table in conflict, settled one by one or all by one side."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import BinaryIO, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from oxcore import tree
from oxcore.errors import InvalidError, NotFoundError, UnsavedError
from oxcore.fs.atomic import storage_errors
from oxcore.model.entries import Change, Entry, show_path
from oxcore.repo import Repository
from oxcore.repo.merging import Pending, TableState, read_pending, waiting
from oxcore.repo.survey import Found, differs
from oxcore.store import Batch
from oxcore.tables import Source, Table
from oxcore.tables.rowmerge import Decision, Settled
from oxcore.tables.rowmerge.decisions import Decisions, Given, given_by
from oxcore.tables.rowmerge.settle import Decided
from oxcore.verbs.moving import intent
from oxcore.verbs.moving.update import carry
from oxcore.verbs.tabular.df import stored
from oxcore.verbs.tabular.rowmerging import put_conflicts, put_table, read_conflicts, sides_of
from oxcore.worktree import peek


class SettledCells(NamedTuple):
    """How many conflicts of a table were settled, and how many are ``left``."""

    path: bytes
    done: int
    left: int


def settle_cells(repo: Repository, path: bytes, given: Iterable[Given | str]) -> SettledCells:
    """Settle open cells of the table at ``path`` with values of their own.

    ``given``: texts ``KEY.COLUMN=VALUE``, or ``Given``. When none is left the file is settled.
    Raises ``NotFoundError`` for a cell that is not open, ``UsageError`` for a name that fits
    several, ``InvalidError`` for a value that the column cannot hold, ``UnsavedError`` if the file
    was edited meanwhile.
    """
    with repo.lock("resolve"):
        intent.recover(repo)
        pending = read_pending(repo)
        state = None if pending is None else pending.cells(path)
        if pending is None or state is None or state.listed is None:
            raise NotFoundError(
                f"no cell of {show_path(path)} is open", hint="see what is: ox conflicts"
            )
        found = Decisions(given).match(read_conflicts(repo, state.listed))
        with repo.batch() as batch:
            entry, after = settled(repo, batch, pending, path, found)
            stage = repo.stage()
            new = tree.edit(repo.store, batch, stage, [(path, entry)], replace=True)
        check_unedited(repo, path)
        done = state.left - after.left
        steps = [Change(path, tree.get(repo.store, stage, path), entry)]
        note = f"{done} of {state.left} in {show_path(path)}"
        changes = waiting(repo, _with(pending, after))
        carry(repo, steps, stage=new, verb="resolve", note=note, changes=changes)
    return SettledCells(path, done, after.left)


def settled(
    repo: Repository,
    batch: Batch,
    pending: Pending,
    path: bytes,
    found: Mapping[int, Decision] | Decision,
) -> tuple[Entry, TableState]:
    """The table with these decisions, or one for all that is open, and how it stands then."""
    state = pending.cells(path)
    conflict = next(one for one in pending.conflicts if one.path == path)
    entry = tree.get(repo.store, repo.stage(), path)
    if state is None or state.listed is None or entry is None:
        raise NotFoundError(f"no cell of {show_path(path)} is open")
    listed = state.listed
    merged = Table(stored(repo, entry, show_path(path)))

    def decided() -> Iterator[Decided]:
        for place, one in enumerate(read_conflicts(repo, listed)):
            own = found if isinstance(found, Decision) else found.get(place)
            if own is not None and own.side == "value" and one.column is not None:
                own = Decision("value", parsed(merged, one.column, own.value))
            yield one, own

    made = Settled(decided)
    theirs = sides_of(repo, conflict).theirs
    edits = made.edits(merged, theirs, state.keys, dict(state.called))
    new = put_table(repo, batch, merged, edits, entry)._replace(mode=entry.mode)
    left = put_conflicts(repo, batch, made.left()) if made.open else None
    names = made.renamed
    after = state._replace(
        left=made.open,
        listed=left,
        keys=tuple(names.get(name, name) for name in state.keys),
        called=tuple(pair for pair in state.called if pair[0] not in names),
    )
    return new, after


def read_given(file: str, path: bytes) -> list[Given]:
    """What a table anywhere on this machine decides of the table at ``path``."""
    with storage_errors(f"read {file}"):
        try:
            size = os.stat(file).st_size
        except FileNotFoundError:
            raise NotFoundError(f"there is no file {file}", hint="check the spelling") from None
    table = Table(Source(file, size, partial(_open, file)))
    return list(given_by(table, show_path(path)))


def _open(file: str) -> BinaryIO:
    return open(file, "rb")


def check_unedited(repo: Repository, path: bytes) -> None:
    """Raise ``UnsavedError`` if the file is not as the merge, or the last decision, left it."""
    if repo.worktree is None:
        return
    entry, now = tree.get(repo.store, repo.stage(), path), peek(repo.worktree, path)
    if now is not None and differs(repo, Found(path, now.mode, now.stat, entry)) is None:
        return
    raise UnsavedError(
        f"{show_path(path)} was edited since the merge",
        paths=[path],
        hint="ox add takes it as it is now for the answer; ox restore gives the edit up",
    )


def parsed(table: Table, column: str, value: object) -> object:
    """A value for a column out of the text that people write: nothing is null, ``""`` an empty
    text; other values go as they are. ``InvalidError`` for a text that is no such value."""
    if not isinstance(value, str) or column not in table.schema.names:
        return value
    if value in {"", '""'}:
        return value.strip('"') if value else None
    type_ = table.schema.field(column).type
    if table.format in {"csv", "tsv"} or types.is_string(type_) or types.is_large_string(type_):
        return value
    try:
        return json.loads(value) if types.is_nested(type_) else pc.cast(pa.scalar(value), type_)
    except (ValueError, pa.ArrowException):
        raise InvalidError(f"{value!r} is no value of column {column!r}: {type_}") from None


def _with(pending: Pending, state: TableState) -> Pending:
    if not state.left:
        return pending.without({state.path})
    tables = tuple(state if one.path == state.path else one for one in pending.tables)
    return pending._replace(tables=tables)
