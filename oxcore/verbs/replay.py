"""Several commits made again (``cherry-pick``) or taken back (``revert``), one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from oxcore.errors import NothingToDoError, UsageError
from oxcore.history import walk
from oxcore.repo import Repository
from oxcore.repo.names import resolve, resolve_commit, resolve_range
from oxcore.tree import Conflict
from oxcore.verbs.merge import Merged, cherry_pick, revert

if TYPE_CHECKING:
    from oxcore.model.protocols import Guard
    from oxcore.repo.merging import TableState
    from oxcore.verbs.tabular.leaving import Left

Verb = Literal["cherry-pick", "revert"]


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of each commit: ``made`` pairs a source with its new commit (None: all of it
    was here already); ``stopped`` is the one whose ``conflicts`` wait, ``remaining`` those that
    were not begun; which tables ``left`` their schema; how ``tables`` of the stopped one were
    merged by their rows."""

    made: tuple[tuple[bytes, bytes | None], ...]
    stopped: bytes | None = None
    conflicts: tuple[Conflict, ...] = ()
    remaining: tuple[bytes, ...] = ()
    left: tuple[Left, ...] = ()
    tables: tuple[TableState, ...] = ()


def replay(
    repo: Repository,
    verb: Verb,
    revisions: Sequence[str],
    *,
    mainline: int | None = None,
    guard: Guard | None = None,
) -> Replayed:
    """Pick or revert commits and ranges (``A..B``) in turn, until one has conflicts.

    A range is picked from its oldest commit on, and reverted from its newest. Raises
    ``NothingToDoError`` if no commit came of it, and else as ``merge.cherry_pick``.
    """
    act = cherry_pick if verb == "cherry-pick" else revert
    with repo.lock(verb):
        sources = [oid for text in revisions for oid in _sources(repo, verb, text)]
        if not sources:
            raise UsageError(f"{verb} needs a commit")
        made: list[tuple[bytes, bytes | None]] = []
        left: list[Left] = []
        for place, source in enumerate(sources):
            done = act(repo, source, mainline=mainline, guard=guard)
            if done.kind == "conflicts":
                rest = tuple(sources[place + 1 :])
                told = (tuple(left), done.tables)
                return Replayed(tuple(made), source, done.conflicts, rest, *told)
            left += done.left
            made.append((source, _new(done)))
    if all(new is None for _, new in made):
        what = "is here already" if verb == "cherry-pick" else "is not here any more"
        raise NothingToDoError(f"nothing to {verb}: what {revisions[0]} changed {what}")
    return Replayed(tuple(made), left=tuple(left))


def _new(done: Merged) -> bytes | None:
    return done.commit if done.kind == "merged" else None


def _sources(repo: Repository, verb: Verb, text: str) -> Iterator[bytes]:
    if ".." not in text:
        yield resolve_commit(repo, text)
        return
    chosen = resolve_range(repo, text)
    found = list(walk(repo.history(), chosen.tips, chosen.hide))
    for oid, _ in reversed(found) if verb == "cherry-pick" else found:
        yield oid


def label_of(repo: Repository, text: str) -> tuple[bytes, str]:
    """The commit that ``text`` names, and how the message of a merge calls it."""
    found = resolve(repo, text)
    for prefix, kind in (
        ("refs/heads/", "branch"),
        ("refs/remotes/", "remote branch"),
        ("refs/tags/", "tag"),
    ):
        if found.ref is not None and found.ref.startswith(prefix):
            return found.id, f"{kind} '{found.ref.removeprefix(prefix)}'"
    return found.id, f"commit '{text}'"
