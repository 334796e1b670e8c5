"""``oplog``: what happened to this repository, operation by operation."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from oxcore.codec.oplog import Operation
from oxcore.repo import Repository


class Logged(NamedTuple):
    """An operation, and the number of the one that took it back; None while it holds."""

    operation: Operation
    undone_by: int | None


def oplog(repo: Repository, limit: int | None = None) -> Iterator[Logged]:
    """Every operation that the log holds, newest first; at most ``limit``.

    An undo that was undone itself takes nothing back. Raises ``CorruptError`` with the number
    of the first operation that is damaged.
    """
    return islice(_logged(repo), limit)


def _logged(repo: Repository) -> Iterator[Logged]:
    # Newest first, so that whether an undo holds is known before what it takes back comes up.
    taken: dict[int, int] = {}
    for operation in repo.state.operations():
        by = taken.pop(operation.number, None)
        if by is None and operation.undoes is not None:
            taken[operation.undoes] = operation.number
        yield Logged(operation, by)
