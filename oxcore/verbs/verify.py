"""``verify``: prove a commit from its id to the last byte."""

from __future__ import annotations

from dataclasses import dataclass

from oxcore.errors import CorruptError, MissingError, OxError
from oxcore.repo import Repository
from oxcore.repo.names import resolve_commit
from oxcore.verbs.upkeep.prove import Problem, Proved, Prover


@dataclass(frozen=True, slots=True)
class Verified:
    """What was proved: the ``commit``, the root of its tree, the ``counts`` of what was read;
    ``complete`` is False where history behind it was left out by a shallow clone."""

    commit: bytes
    tree: bytes
    history: bool
    complete: bool
    counts: Proved


def verify(repo: Repository, revision: str = "HEAD", *, history: bool = False) -> Verified:
    """Prove the commit that ``revision`` names: its bytes, every node of its tree and where the
    nodes are cut, and every file's bytes; with ``history`` all commits behind it too.

    Raises ``CorruptError``, or ``MissingError`` if things are missing and nothing is damaged,
    with an item for each problem.
    """
    oid = resolve_commit(repo, revision)
    prover = Prover(repo, full=True)
    repo.settings.progress.start("verifying", unit="files")
    edge = repo.shallow()
    if history:
        prover.history([oid], edge)
    else:
        prover.commit(oid)
    repo.settings.progress.done()
    if prover.problems:
        raise _error(oid, list(prover.problems.values()))
    complete = not (history and any(prover.met(one) for one in edge))
    return Verified(oid, repo.commit(oid).tree, history, complete, prover.counts)


def _error(oid: bytes, problems: list[Problem]) -> OxError:
    kind = CorruptError if any(one.kind == "corrupt" for one in problems) else MissingError
    return kind(
        f"commit {oid.hex()} is not whole: {len(problems)} problems",
        hint="repair it from a remote that has it: ox fsck --repair",
        items=[one.text() for one in problems],
    )
