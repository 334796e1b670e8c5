"""Draw lines of history beside a log, as ``git log --graph`` does.

One column of two characters for each line of history that is open. A commit stands in the
leftmost column that waits for it; its further parents open columns to the right of it, and two
columns that wait for the same commit run into one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from oxcore.model.commits import Commit


class Drawn(NamedTuple):
    """One commit with what stands left of its text: ``mark`` before its first line, ``pad``
    before each further one, and the lines of ``after`` below all of them."""

    id: bytes
    commit: Commit
    mark: str
    pad: str
    after: tuple[str, ...]


def graph(
    commits: Iterable[tuple[bytes, Commit]], *, first_parent: bool = False
) -> Iterator[Drawn]:
    """Draw commits that come children first, as ``walk`` gives them ("topo" looks best).

    ``first_parent`` as in the walk. Lines to commits that the walk leaves out stay open.
    """
    columns: list[bytes] = []
    for oid, commit in commits:
        if oid not in columns:
            columns.append(oid)
        at = columns.index(oid)
        parents = tuple(dict.fromkeys(commit.parents))[: 1 if first_parent else None]
        mark = _row(("*" if place == at else "|") for place in range(len(columns)))
        open_ = [place != at or bool(parents) for place in range(len(columns))]
        pad = _row("|" if here else " " for here in open_)
        after = [*_branch(columns, at, parents), *_join(columns)]
        yield Drawn(oid, commit, mark, pad, tuple(line.rstrip() for line in after))


def _row(marks: Iterable[str]) -> str:
    return "".join(f"{mark} " for mark in marks)


def _branch(columns: list[bytes], at: int, parents: Sequence[bytes]) -> Iterator[str]:
    """Put the parents in the place of the commit in column ``at``."""
    if not parents:
        del columns[at]
        if at < len(columns):
            yield "| " * at + " /" * (len(columns) - at)
        return
    columns[at] = parents[0]
    for extra, parent in enumerate(parents[1:], at):
        right = len(columns) - extra - 1
        yield "| " * extra + "|\\" + " \\" * right
        columns.insert(extra + 1, parent)


def _join(columns: list[bytes]) -> Iterator[str]:
    """Lead each column that waits for the same commit as one left of it into that one."""
    at = 0
    while at < len(columns):
        into = columns.index(columns[at])
        if into == at:
            at += 1
            continue
        del columns[at]
        right = len(columns) - at
        # The line moves left by one column in each row; in the first, all right of it follow.
        yield "| " * (at - 1) + "|/" + " /" * right
        for place in range(at - 1, into, -1):
            yield "| " * (place - 1) + "|/" + "| " * (len(columns) - place)
