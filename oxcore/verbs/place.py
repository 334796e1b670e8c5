"""Putting a few small files in place, in the work tree and the stage, as one operation."""

from __future__ import annotations

from collections.abc import Mapping

from oxcore import tree
from oxcore.model.entries import Change, Entry, Mode, check_path, show_path
from oxcore.repo import Repository
from oxcore.store import Batch
from oxcore.verbs import intent
from oxcore.verbs.deposit import put_bytes
from oxcore.verbs.update import carry


def place(repo: Repository, files: Mapping[bytes, bytes | None], *, verb: str, note: str) -> None:
    """Make these files hold this (None: be gone), in the work tree and in the stage.

    What lies there is stored first; ``undo`` takes all of it back. Raises ``UsageError`` in a bare
    repository, ``InvalidError`` for a path that cannot be.
    """
    repo.tree_root()
    with repo.lock(verb):
        intent.recover(repo)
        stage, edits = repo.stage(), dict[bytes, Entry | None]()
        with repo.batch() as batch:
            for path, data in files.items():
                check_path(path)
                edits[path] = None if data is None else stored(repo, batch, data)
            paths = sorted(edits)
            olds = tree.get_many(repo.store, stage, paths)
            new = tree.edit(repo.store, batch, stage, sorted(edits.items()))
        steps = [Change(path, old, edits[path]) for path, old in zip(paths, olds, strict=True)]
        carry(repo, steps, stage=new, verb=verb, note=note, changes={}, force=True)


def stored(repo: Repository, batch: Batch, data: bytes) -> Entry:
    """The entry of a plain file with these bytes, which the batch stores."""
    return Entry(Mode.FILE, len(data), put_bytes(repo, batch, data))


def names(paths: Mapping[bytes, object]) -> str:
    """The first of the paths, for the log of operations."""
    return ", ".join(show_path(path) for path in sorted(paths)[:3])
