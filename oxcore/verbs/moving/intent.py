"""The intent of a move of the work tree: what to put back if it does not come to its end.

The file ``intent`` is there exactly while the work tree is being changed: canonical JSON with
the trees before and after (64 hex digits each), the number of the last operation when it
began, and the value that the operation of the move gives the key ``work``. If a later
operation that did so is in the log, the move happened.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from oxcore.codec import canonical
from oxcore.errors import BusyError, CorruptError
from oxcore.fs.atomic import storage_errors, write_atomic
from oxcore.model.commits import Json
from oxcore.model.ids import parse_id
from oxcore.repo import Repository


class _Intent(NamedTuple):
    before: bytes
    after: bytes
    number: int
    work: str


def declare(
    repo: Repository, before: bytes, after: bytes
) -> dict[str, tuple[str | None, str | None]]:
    """Write down, durably, that the work tree is about to change.

    Gives the change of ``work`` that belongs into the operation: ``FROM:TO``, with ``:NUMBER``
    behind it where the last move was the same, so that each move is a change of its own.
    """
    old, number = repo.view().get("work"), repo.view().number
    work = f"{before.hex()}:{after.hex()}"
    if work == old:
        work = f"{work}:{number}"
    note: dict[str, Json] = {
        "before": before.hex(),
        "after": after.hex(),
        "number": number,
        "work": work,
    }
    with storage_errors("write the intent"):
        write_atomic(repo.intent, canonical.dumps(note))
    return {"work": (old, work)}


def trees_of(work: str) -> tuple[bytes, bytes]:
    """The roots before and after the move that the value of the key ``work`` tells of."""
    before, after = work.split(":")[:2]
    return parse_id(before), parse_id(after)


def clear(repo: Repository) -> None:
    """The move has come to its end."""
    with storage_errors("clear the intent"):
        os.unlink(repo.intent)


def interrupted(repo: Repository) -> bool:
    """Whether a move of the work tree was broken off and waits to be put back.

    One that another process is just doing is none.
    """
    if not os.path.exists(repo.intent):
        return False
    try:
        with repo.lock("status", wait=0.0):
            return os.path.exists(repo.intent) and not _happened(repo, _read(repo))
    except BusyError:
        return False


def recover(repo: Repository) -> int | None:
    """Put back what an interrupted move left half done; how many files, None if there was none.

    Call it with the lock held, before the work tree is looked at.
    """
    if not os.path.exists(repo.intent):
        return None
    return roll_back(repo)


def roll_back(repo: Repository) -> int:
    """Give each file that holds what the move wrote the content it had before.

    What someone changed since, or put in the way, stays as it is.
    """
    from oxcore.verbs.moving.putback import put_back  # seldom needed

    plan = _read(repo)
    count = 0 if _happened(repo, plan) else put_back(repo, plan.before, plan.after)
    clear(repo)
    return count


def _happened(repo: Repository, plan: _Intent) -> bool:
    for operation in repo.state.operations():
        if operation.number <= plan.number:
            return False
        if operation.changes.get("work", (None, None))[1] == plan.work:
            return True
    return False


def _read(repo: Repository) -> _Intent:
    with storage_errors("read the intent"), open(repo.intent, "rb") as file:
        note = canonical.loads(file.read(), "the file 'intent'")
    if not isinstance(note, dict) or not isinstance(note.get("number"), int):
        raise CorruptError("the file 'intent' breaks the format", hint="remove it")
    before, after = (parse_id(str(note.get(key))) for key in ("before", "after"))
    return _Intent(before, after, int(str(note["number"])), str(note.get("work")))
