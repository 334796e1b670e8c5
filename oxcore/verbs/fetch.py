"""``fetch``: what a remote has and this repository lacks; and where its branches stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from oxcore.codec import canonical
from oxcore.errors import NotFoundError
from oxcore.history import is_ancestor
from oxcore.model.commits import Json
from oxcore.model.ids import parse_id
from oxcore.refs import branch_ref, remote_ref
from oxcore.repo import Repository
from oxcore.transfer import FetchReport, Remote
from oxcore.transfer import fetch as transfer
from oxcore.verbs.remotes import connect
from oxcore.wire.messages import RefsReply

FULL_DEPTH = 2**31 - 1

Change = tuple[str | None, str | None]


@dataclass(frozen=True, slots=True)
class RefChange:
    """A ref that a transfer moved: ``kind`` is new, fast-forward, forced, deleted or refused."""

    ref: str
    old: str | None
    new: str | None
    kind: str


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a fetch did: refs moved here, and what was received. ``remote`` is its name or, for an
    address without one, empty; ``heads`` are its branches, name -> commit in hex."""

    remote: str
    url: str
    changes: tuple[RefChange, ...]
    heads: dict[str, str]
    report: FetchReport


def fetch(
    repo: Repository,
    name: str | None = None,
    branches: Sequence[str] = (),
    *,
    tags: bool = True,
    prune: bool = False,
    depth: int | None = None,
    unshallow: bool = False,
) -> Fetched:
    """Get the branches of a remote (all, or those named) and its tags.

    ``prune`` forgets branches that are gone there; ``depth`` leaves out older commits,
    ``unshallow`` gets those that were left out. Tags that differ here stay as they are. Raises
    ``NotFoundError`` for an unknown remote or branch, ``UnreachableError``, ``DeniedError``;
    what has arrived stays, and is not asked for again.
    """
    known, connection = connect(repo, name)
    with connection as remote, repo.lock("fetch"):
        refs = remote.refs()
        wanted = _wanted(refs, branches, tags=tags)
        deep = FULL_DEPTH if unshallow and repo.shallow() else depth
        ids = [parse_id(value) for value in wanted.values()]
        report = transfer(repo, remote, ids, refs=refs, depth=deep)
        moves = _moves(repo, known, wanted)
        if prune and known is not None and not branches:
            moves += _gone(repo, known, wanted)
        changes: dict[str, Change] = {
            one.ref: (one.old, one.new) for one in moves if one.kind != "refused"
        }
        changes.update(shallow_change(repo, report.shallow))
        repo.operate("fetch", remote.address, changes)
        heads = _branches(refs)
        return Fetched(known or "", remote.address, tuple(moves), heads, report)


def shallow_change(repo: Repository, shallow: frozenset[bytes]) -> dict[str, Change]:
    """The change of the view that tells which commits lack their parents."""
    ids: list[Json] = [oid.hex() for oid in sorted(shallow)]
    listed = canonical.dumps(ids).decode() if ids else None
    return {"shallow": (repo.view().get("shallow"), listed)}


def check_branch(refs: RefsReply, branch: str, remote: Remote) -> str:
    """The commit that a branch or tag of the remote is on; ``NotFoundError`` if it has none."""
    for ref in (branch_ref(branch), f"refs/tags/{branch}"):
        if ref in refs.refs:
            return ref
    names = sorted(_branches(refs))
    raise NotFoundError(
        f"{remote.address} has no branch {branch!r}",
        items=names,
        hint="it has these" if names else "it is empty",
    )


def _branches(refs: RefsReply) -> dict[str, str]:
    prefix = "refs/heads/"
    return {ref[len(prefix) :]: value for ref, value in refs.refs.items() if ref.startswith(prefix)}


def _wanted(refs: RefsReply, branches: Sequence[str], *, tags: bool) -> dict[str, str]:
    missing = [branch for branch in branches if branch_ref(branch) not in refs.refs]
    if missing:
        raise NotFoundError(
            f"the remote has no branch {missing[0]!r}", items=sorted(_branches(refs))
        )
    chosen = {branch_ref(branch) for branch in branches}
    return {
        ref: value
        for ref, value in sorted(refs.refs.items())
        if (ref in chosen if branches else ref.startswith("refs/heads/"))
        or (tags and ref.startswith("refs/tags/"))
    }


def _moves(repo: Repository, name: str | None, wanted: dict[str, str]) -> list[RefChange]:
    view, moves = repo.view(), []
    for ref, new in wanted.items():
        if ref.startswith("refs/tags/"):
            place = ref
        elif name is not None:
            place = remote_ref(name, ref.removeprefix("refs/heads/"))
        else:
            continue
        old = view.get(place)
        if old != new:
            moves.append(RefChange(place, old, new, _kind(repo, place, old, new)))
    return moves


def _kind(repo: Repository, place: str, old: str | None, new: str) -> str:
    if old is None:
        return "new"
    if place.startswith("refs/tags/"):
        return "refused"
    ahead = is_ancestor(repo.history(), parse_id(old), parse_id(new))
    return "fast-forward" if ahead else "forced"


def _gone(repo: Repository, name: str, wanted: dict[str, str]) -> list[RefChange]:
    prefix = f"refs/remotes/{name}/"
    return [
        RefChange(ref, old, None, "deleted")
        for ref, old in repo.view().refs(prefix).items()
        if branch_ref(ref[len(prefix) :]) not in wanted
    ]
