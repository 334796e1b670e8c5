"""Text that several verbs of branching share: conflicts, moves of the folder, ways back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from oxcli.render.text import plural, short_id
from oxcore.errors import ConflictError
from oxcore.repo.merging import TableState
from oxcore.tree import Conflict
from oxcore.verbs.moving.update import Moved
from oxcore.verbs.switch import Switched

Show = Callable[[bytes], str]
"""How a path of the dataset is written."""

SETTLE_CELLS = "see: ox conflicts; settle with: ox resolve, then: ox commit"
SETTLE = "settle each with: ox resolve --ours|--theirs|--both PATH, then: ox commit"


def conflict_words(conflict: Conflict, state: TableState | None = None) -> str:
    """What happened to the file on both sides: ``both changed it``; ``state``: of a table how its
    rows were merged, or why not."""
    words = _file_words(conflict)
    if state is None:
        return words
    if state.why:
        return f"{words}; its rows are not merged: {state.why}"
    if not state.left:
        return words
    return f"merged by {', '.join(state.keys)}, {plural(state.left, 'conflict')} open in it"


def _file_words(conflict: Conflict) -> str:
    if conflict.kind == "folder":
        return "a file on one side, a folder on the other"
    if conflict.kind == "added":
        return "both added it"
    if conflict.ours is None:
        return "deleted here, changed there"
    if conflict.theirs is None:
        return "changed here, deleted there"
    return "both changed it"


def conflict_lines(
    conflicts: Iterable[Conflict], show: Show, tables: Iterable[TableState] = ()
) -> list[str]:
    """One line a conflict: the path, and what happened."""
    states = {one.path: one for one in tables}
    return [f"{show(one.path)}  ({conflict_words(one, states.get(one.path))})" for one in conflicts]


def stopped(
    verb: str,
    conflicts: tuple[Conflict, ...],
    show: Show,
    note: str = "",
    tables: Sequence[TableState] = (),
) -> ConflictError:
    """The error that a command ends with when a person has to decide."""
    settle = SETTLE_CELLS if any(one.left for one in tables) else SETTLE
    return ConflictError(
        f"{plural(len(conflicts), 'conflict')}: the {verb} waits for you{note}",
        items=conflict_lines(conflicts, show, tables),
        hint=f"{settle}; or give up with: ox {verb} --abort",
    )


def table_lines(tables: Iterable[TableState], show: Show) -> list[str]:
    """One line for each table whose rows were merged without a question."""
    return [
        f"{show(one.path)}: rows merged by {', '.join(one.keys)}: {_counts(one)}"
        for one in tables
        if not (one.left or one.why)
    ]


def _counts(state: TableState) -> str:
    counts = [
        plural(state.cells, "cell") if state.cells else "",
        f"{plural(state.inserted, 'row')} added" if state.inserted else "",
        f"{plural(state.deleted, 'row')} deleted" if state.deleted else "",
    ]
    return ", ".join(filter(None, counts)) or "nothing of theirs was new"


def conflict_document(conflict: Conflict, state: TableState | None = None) -> dict[str, object]:
    """The object for programs."""
    document = {**conflict._asdict(), "words": conflict_words(conflict, state)}
    return document if state is None else {**document, "table": table_document(state)}


def table_document(state: TableState) -> dict[str, object]:
    """How the rows of a table were merged, for programs."""
    return {
        "path": state.path,
        "keys": state.keys,
        "cells": state.cells,
        "inserted": state.inserted,
        "deleted": state.deleted,
        "open": state.left,
        "why": state.why or None,
    }


def moved_text(moved: Moved | None) -> str:
    """``3 files written, 1 removed``; empty if no file changed."""
    if moved is None or not (moved.written or moved.removed):
        return ""
    return f"{plural(moved.written, 'file')} written, {moved.removed:,} removed"


def moved_document(moved: Moved | None) -> dict[str, int]:
    """The counts for programs."""
    moved = moved or Moved()
    return {"written": moved.written, "removed": moved.removed, "bytes": moved.nbytes}


def switched_lines(done: Switched) -> list[str]:
    """What to say after HEAD went somewhere."""
    lines = [_went(done)]
    if done.upstream is not None:
        lines.append(f"it follows {done.upstream.split('/', 2)[2]}")
    if done.branch is None and done.before is not None:
        lines.append("commits made here are on no branch: ox switch -c NAME keeps them")
    files = moved_text(done.moved)
    return [*lines, files] if files else lines


def switched_document(done: Switched) -> dict[str, object]:
    """The object for programs."""
    upstream = None if done.upstream is None else done.upstream.split("/", 2)[2]
    return {
        "branch": done.branch,
        "commit": done.commit,
        "created": done.created,
        "upstream": upstream,
        "before": {"branch": done.before, "commit": done.left},
        "moved": moved_document(done.moved),
    }


def _went(done: Switched) -> str:
    if done.branch is None:
        return f"HEAD is at {short_id(done.commit or b'')} {done.title}".rstrip()
    if done.created:
        return f"on the new branch {done.branch}"
    return f"{'already ' if done.branch == done.before else ''}on {done.branch}"
