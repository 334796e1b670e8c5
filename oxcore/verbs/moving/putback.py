"""What a move of the work tree left half done, put back as it was."""

from __future__ import annotations

import os
from collections.abc import Iterable

from oxcore import tree
from oxcore.errors import UnsavedError
from oxcore.model.entries import Change
from oxcore.repo import Repository
from oxcore.repo.survey import Found, differs
from oxcore.store import content
from oxcore.verbs.moving.room import Room
from oxcore.worktree import Writer, clean_leftovers, is_temporary, peek


def put_back(repo: Repository, before: bytes, after: bytes) -> int:
    """Give each file that holds what the move from ``before`` to ``after`` wrote the content that
    it had; how many.

    What someone changed since, or put in the way, stays as it is.
    """
    changes = list(tree.diff(repo.store, before, after))
    _sweep(repo, (change.path for change in changes))
    moved = [change for change in changes if _was_moved(repo, change)]
    made = [change for change in moved if change.old is None]
    lost = [change for change in moved if change.old is not None]
    room = Room(repo.tree_root(), {change.path for change in made})
    room.look(change.path for change in lost if change.new is None)
    with Writer(repo.tree_root()) as writer:
        count = sum(_put_one_back(repo, writer, change) for change in made)
        room.clear()
        return count + sum(_put_one_back(repo, writer, change) for change in lost)


def _was_moved(repo: Repository, change: Change) -> bool:
    now = peek(repo.tree_root(), change.path)
    if change.new is None or now is None:
        return change.new is None and now is None
    return differs(repo, Found(change.path, now.mode, now.stat, change.new)) is None


def _put_one_back(repo: Repository, writer: Writer, change: Change) -> bool:
    now = peek(repo.tree_root(), change.path)
    expect = None if now is None else now.stat
    try:
        if change.old is None:
            return writer.remove(change.path, expect=expect)
        pieces = content.read(repo.store, change.old.id)
        writer.write(change.path, change.old, pieces, expect=expect)
    except UnsavedError:
        return False
    return True


def _sweep(repo: Repository, paths: Iterable[bytes]) -> None:
    """Remove what a writer that died left beside its place: we hold the lock, it is alone."""
    root = repo.tree_root()
    for folder in sorted(_folders_above(paths)):
        try:
            names = os.listdir(os.path.join(os.fsencode(root), folder))
        except OSError:
            continue  # it was not made, or is no folder any more
        base = folder + b"/" if folder else b""
        clean_leftovers(root, [base + name for name in names if is_temporary(name)], older_than=0)


def _folders_above(paths: Iterable[bytes]) -> set[bytes]:
    """Every folder on the way to these files: a new one is filled in the first that was there."""
    found = {b""}
    for path in paths:
        folder = path.rpartition(b"/")[0]
        while folder not in found:
            found.add(folder)
            folder = folder.rpartition(b"/")[0]
    return found
