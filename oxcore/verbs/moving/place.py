"""Putting files in place, in the work tree and the stage, as one operation."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from oxcore import tree
from oxcore.model.entries import Change, Entry, Mode, check_path, show_path
from oxcore.repo import Repository
from oxcore.store import Batch
from oxcore.verbs.moving import intent
from oxcore.verbs.moving.update import carry
from oxcore.verbs.storing.deposit import put_bytes

Files = Mapping[bytes, bytes | Entry | None]
"""What each path is to hold: these bytes, a file that is stored already, or nothing."""


def place(repo: Repository, files: Mapping[bytes, bytes | None], *, verb: str, note: str) -> None:
    """Make these files hold this (None: be gone), in the work tree and in the stage.

    What lies there is stored first; ``undo`` takes all of it back. Raises ``UsageError`` in a bare
    repository, ``InvalidError`` for a path that cannot be.
    """
    repo.tree_root()
    with repo.lock(verb):
        intent.recover(repo)
        _place(repo, files, verb, note, force=True)


def place_on(
    repo: Repository, make: Callable[[bytes], Files], *, verb: str, note: Callable[[], str]
) -> None:
    """The same of what ``make`` makes of the stage (its root), while no other writes.

    ``UnsavedError`` where something else than what is staged lies in the work tree.
    """
    repo.tree_root()
    with repo.lock(verb):
        intent.recover(repo)
        if files := make(repo.stage()):
            _place(repo, files, verb, note(), force=False)


def _place(repo: Repository, files: Files, verb: str, note: str, *, force: bool) -> None:
    stage, edits = repo.stage(), dict[bytes, Entry | None]()
    with repo.batch() as batch:
        for path, data in files.items():
            check_path(path)
            edits[path] = stored(repo, batch, data) if isinstance(data, bytes) else data
        paths = sorted(edits)
        olds = tree.get_many(repo.store, stage, paths)
        new = tree.edit(repo.store, batch, stage, sorted(edits.items()))
    steps = [Change(path, old, edits[path]) for path, old in zip(paths, olds, strict=True)]
    carry(repo, steps, stage=new, verb=verb, note=note, changes={}, force=force)


def stored(repo: Repository, batch: Batch, data: bytes) -> Entry:
    """The entry of a plain file with these bytes, which the batch stores."""
    return Entry(Mode.FILE, len(data), put_bytes(repo, batch, data))


def names(paths: Mapping[bytes, object]) -> str:
    """The first of the paths, for the log of operations."""
    return ", ".join(show_path(path) for path in sorted(paths)[:3])
