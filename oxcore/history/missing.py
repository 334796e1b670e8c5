"""Which commits the other side of a transfer lacks, found in few questions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from oxcore.history.region import History, Read
from oxcore.model.commits import Commit

_FIRST, _MOST = 16, 1024  # commits in the first question; each next one asks twice as many


def missing(
    read: Read,
    tips: Iterable[bytes],
    have: Callable[[Sequence[bytes]], list[bool]],
    shallow: frozenset[bytes] = frozenset(),
) -> list[tuple[bytes, Commit]]:
    """The commits reachable from ``tips`` that the other side lacks, parents before children.

    ``have`` says for ids whether the other side has that commit with all its history. Each
    question looks some generations ahead, twice as many commits as the one before, so that n
    lacking commits cost O(log n) questions up to a thousand, then one for each thousand.
    """
    history = History(read, shallow)
    lacking: dict[bytes, Commit] = {}
    frontier = list(dict.fromkeys(tips))
    size = _FIRST
    while frontier:
        batch = _ahead(history, frontier, lacking, size)
        answers = dict(zip(batch, have(list(batch)), strict=True))
        frontier = _sort_out(history, frontier, batch, answers, lacking)
        size = min(2 * size, _MOST)
    return _parents_first(history, lacking)


def _ahead(
    history: History, frontier: Sequence[bytes], known: dict[bytes, Commit], size: int
) -> dict[bytes, Commit]:
    """Up to ``size`` commits (all of ``frontier`` at least), generation by generation."""
    batch: dict[bytes, Commit] = {}
    level: dict[bytes, None] = dict.fromkeys(frontier)
    while level and (not batch or len(batch) + len(level) <= size):
        commits = {oid: history.get(oid) for oid in level}
        batch.update(commits)
        below = (oid for row in commits.items() for oid in history.parents(*row))
        level = dict.fromkeys(oid for oid in below if oid not in batch and oid not in known)
    return batch


def _sort_out(
    history: History,
    frontier: Sequence[bytes],
    batch: dict[bytes, Commit],
    answers: dict[bytes, bool],
    lacking: dict[bytes, Commit],
) -> list[bytes]:
    """Add what is lacking by the answers; gives the lacking side's parents beyond the batch."""
    ahead: dict[bytes, None] = {}
    pending = list(frontier)
    while pending:
        oid = pending.pop()
        if oid in lacking:
            continue
        if oid not in batch:
            ahead[oid] = None
        elif not answers[oid]:
            lacking[oid] = batch[oid]
            pending.extend(history.parents(oid, batch[oid]))
    return list(ahead)


def _parents_first(history: History, commits: dict[bytes, Commit]) -> list[tuple[bytes, Commit]]:
    done: dict[bytes, Commit] = {}
    pending = [(oid, False) for oid in commits]
    while pending:
        oid, ready = pending.pop()
        if oid in done or oid not in commits:
            continue
        if ready:
            done[oid] = commits[oid]
            continue
        pending.append((oid, True))
        pending.extend((parent, False) for parent in history.parents(oid, commits[oid]))
    return list(done.items())
