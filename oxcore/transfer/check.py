"""The check before a ref moves: every object of the new history is there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from oxcore.errors import MissingError, counted
from oxcore.model.ids import Kind
from oxcore.repo import Repository
from oxcore.store import bases, content
from oxcore.transfer.commits import Link, new_commits
from oxcore.transfer.levels import batched, new_nodes, read_from
from oxcore.wire.ids import MAX_IDS

_FILE = int(Kind.FILE)
_MAX_NAMED = 1000


def check_history(repo: Repository, tips: Iterable[bytes], known: Iterable[bytes]) -> None:
    """Raise ``MissingError`` naming up to 1000 ids unless all that the commits ``tips`` reach is
    here. What the commits ``known`` reach is taken to be.

    Costs what is new: commits since ``known``, their nodes that no parent's tree has, a look-up for
    each file of these, and one for each chunk of their large files.
    """
    commits = dict(new_commits(repo, tips, known, frozenset()))
    roots, bases = roots_and_bases(repo, commits)
    gaps: list[bytes] = []
    read = read_from(repo.store)
    for run in new_nodes(roots, bases, read, read):
        gaps += missing_files(repo, run.files())
        if len(gaps) > _MAX_NAMED:
            break
    if gaps:
        raise MissingError(
            f"the new history lacks {counted(len(gaps), 'object')} here",
            hint="push again: what is missing is sent then",
            items=[oid.hex() for oid in gaps[:_MAX_NAMED]],
        )


def roots_and_bases(repo: Repository, commits: dict[bytes, Link]) -> tuple[set[bytes], set[bytes]]:
    """The trees of ``commits``, and those of their parents that are outside of them and here."""
    outer = {parent for commit in commits.values() for parent in commit.parents} - commits.keys()
    there = sorted(outer)
    present = repo.store.has_many(there)
    bases = {repo.commit(oid).tree for oid, here in zip(there, present, strict=True) if here}
    return {commit.tree for commit in commits.values()}, bases


def missing_files(repo: Repository, files: Mapping[bytes, int]) -> list[bytes]:
    """Of these files (id -> size), the ids that are not here, and those of parts, and of bases
    of deltas, that are not here: garbage collection may have taken a base between the moments
    when the delta was proved and when its pack was sealed."""
    gaps: list[bytes] = []
    large: list[bytes] = []
    ids = sorted(files)
    for oid, kind in zip(ids, repo.store.kinds(ids), strict=True):
        if not kind:
            gaps.append(oid)
        elif kind == _FILE:
            large.append(oid)
    cut = [oid for oid, size in files.items() if size > repo.params.minimum]  # may be deltas
    for batch in batched(chain(_parts(repo, large), cut), MAX_IDS):
        wanted = [*batch, *bases(repo.store, batch).values()]
        found = repo.store.has_many(wanted)
        gaps += [oid for oid, there in zip(wanted, found, strict=True) if not there]
    return sorted(set(gaps))


def _parts(repo: Repository, files: list[bytes]) -> Iterator[bytes]:
    for oid in files:
        for part in content.parts(repo.store, oid):
            yield part.oid
