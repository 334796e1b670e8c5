"""How labels in a table become events on a branch: what ``proving`` calls."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from oxcore import verbs
from oxcore.api import evaluations
from oxcore.errors import NotFoundError, counted
from oxcore.model.entries import path_bytes, show_path
from oxcore.model.ids import parse_id
from oxcore.refs import branch_ref
from oxcore.repo import Repository

if TYPE_CHECKING:
    from oxcore.insight.labels import Imported


_ROWS = 100_000  # of a shard


class Say(NamedTuple):
    """Who says so: where labels come from, and the person (none: who commits)."""

    source: str
    author: str


def import_labels(
    repo: Repository,
    file: str,
    branch: str,
    folder: str | bytes,
    columns: tuple[str, str, str],
    say: Say,
) -> Imported:
    """See ``Proving.import_labels``; ``columns``: key, value and what the key is of a record."""
    from oxcore.insight.examples import Reading, examples
    from oxcore.insight.labels import Imported, given, match
    from oxcore.insight.records import captured
    from oxcore.tables.engine import engine

    key, value, column = columns
    table, _ = evaluations.table_of(repo, file)
    if table is None:
        raise NotFoundError(f"no table is at {file!r}", hint="a file, or REV:PATH")
    key = key or (table.key[0] if len(table.key) == 1 else "")
    place = path_bytes(folder).strip(b"/")
    with engine({"t": table.reader}) as sql:
        told = given(sql, table.schema, key, value)
    column = column or evaluations.column_of(key)
    with repo.lock("label"):  # so that two who import the same at once add it once
        records = captured(repo, repo.commit(_tip(repo, branch)).tree, place)
        with examples(records, Reading(), (column or "input_hash",)) as opened:
            found = match(opened.sql, told, column, say.source)
        commit = _commit(repo, branch, show_path(place), found.labels, say)
    return Imported(len(found.labels), *found[1:], told.empty, commit)


def _commit(
    repo: Repository, branch: str, folder: str, labels: Sequence[tuple[str, str]], say: Say
) -> bytes | None:
    from oxcore.capturing.events import Said, said

    if not labels:
        return None
    now = repo.settings.clock().us
    author = say.author or repo.author().name
    message = f"{counted(len(labels), 'label')} ({say.source})"
    with verbs.transaction.transaction(repo, branch, message=message) as t:
        for start in range(0, len(labels), _ROWS):
            events = [
                Said(record, "label", json.loads(value), say.source, author)
                for record, value in labels[start : start + _ROWS]
            ]
            shard = said(folder, events, now)
            t.put(shard.path, shard.data)
    return t.commit_id


def _tip(repo: Repository, branch: str) -> bytes:
    """The commit of a branch; ``NotFoundError``."""
    text = repo.view().get(branch_ref(branch))
    if text is None:
        raise NotFoundError(f"no branch is called {branch!r}", hint="see: ox branch")
    return parse_id(text)
