"""How far two lines of history are apart."""

from __future__ import annotations

from oxcore.history import walk
from oxcore.repo import Repository


def ahead_behind(repo: Repository, ours: bytes, theirs: bytes) -> tuple[int, int]:
    """Commits that only ``ours`` reaches, and commits that only ``theirs`` reaches."""
    if ours == theirs:
        return 0, 0
    read = repo.history()
    return (
        sum(1 for _ in walk(read, [ours], hide=[theirs])),
        sum(1 for _ in walk(read, [theirs], hide=[ours])),
    )
