"""The intent of a move of the work tree: what to put back if it does not come to its end.

The file ``intent`` is there exactly while the work tree is being changed: canonical JSON with
the trees before and after (64 hex digits each), and the number of the last operation when it
began. If a later operation is in the log, the move happened.
"""

from __future__ import annotations

import os

from oxcore import tree
from oxcore.codec import canonical
from oxcore.errors import CorruptError
from oxcore.fs.atomic import storage_errors, write_atomic
from oxcore.model.commits import Json
from oxcore.model.entries import Change
from oxcore.model.ids import parse_id
from oxcore.repo import Repository
from oxcore.store import content
from oxcore.verbs.survey import Found, differs
from oxcore.worktree import Writer, peek


def declare(repo: Repository, before: bytes, after: bytes) -> None:
    """Write down, durably, that the work tree is about to change."""
    note: dict[str, Json] = {
        "before": before.hex(),
        "after": after.hex(),
        "number": _last(repo),
    }
    with storage_errors("write the intent"):
        write_atomic(_place(repo), canonical.dumps(note))


def clear(repo: Repository) -> None:
    """The move has come to its end."""
    with storage_errors("clear the intent"):
        os.unlink(_place(repo))


def recover(repo: Repository) -> int | None:
    """Put back what an interrupted move left half done; how many files, None if there was none.

    Call it with the lock held, before the work tree is looked at.
    """
    if not os.path.exists(_place(repo)):
        return None
    return roll_back(repo)


def roll_back(repo: Repository) -> int:
    """Give each file that holds what the move wrote the content it had before."""
    before, after, number = _read(repo)
    count = 0
    if _last(repo) == number:
        root = repo.tree_root()
        with Writer(root) as writer:
            for change in tree.diff(repo.store, before, after):
                count += _put_back(repo, writer, root, change)
    clear(repo)
    return count


def _put_back(repo: Repository, writer: Writer, root: str, change: Change) -> bool:
    now = peek(root, change.path)
    if change.new is None:
        moved = now is None
    else:
        moved = now is not None and _holds(repo, Found(change.path, now.mode, now.stat, change.new))
    if not moved:
        return False
    expect = None if now is None else now.stat
    if change.old is None:
        writer.remove(change.path, expect=expect)
    else:
        pieces = content.read(repo.store, change.old.id)
        writer.write(change.path, change.old, pieces, expect=expect)
    return True


def _holds(repo: Repository, found: Found) -> bool:
    return differs(repo, found) is None


def _last(repo: Repository) -> int:
    for operation in repo.state.operations():
        return operation.number
    return 0


def _place(repo: Repository) -> str:
    return os.path.join(repo.folder, "intent")


def _read(repo: Repository) -> tuple[bytes, bytes, int]:
    with storage_errors("read the intent"), open(_place(repo), "rb") as file:
        note = canonical.loads(file.read(), "the file 'intent'")
    if not isinstance(note, dict) or not isinstance(note.get("number"), int):
        raise CorruptError("the file 'intent' breaks the format", hint="remove it")
    return parse_id(str(note["before"])), parse_id(str(note["after"])), int(str(note["number"]))
