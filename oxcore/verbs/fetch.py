"""``fetch``: what a remote has and this repository lacks; and where its branches stand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from oxcore.codec import canonical
from oxcore.errors import InvalidError, NotFoundError, UsageError
from oxcore.history import is_ancestor
from oxcore.model.commits import Json
from oxcore.model.ids import parse_id
from oxcore.refs import branch_ref, remote_ref
from oxcore.repo import Repository
from oxcore.transfer import FetchReport, Remote
from oxcore.transfer import fetch as transfer
from oxcore.verbs.remotes import chosen_branches, connect
from oxcore.wire.messages import RefsReply

FULL_DEPTH = 2**31 - 1


@dataclass(frozen=True, slots=True)
class RefChange:
    """A ref that a transfer moved: ``kind`` is new, fast-forward, forced, deleted or refused.

    ``source`` is the full name on the side that it came from; None for a deleted one, and for a
    commit that no ref named.
    """

    ref: str
    old: str | None
    new: str | None
    kind: str
    source: str | None = None


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
    tags: bool | None = None,
    prune: bool = False,
    depth: int | None = None,
    unshallow: bool = False,
) -> Fetched:
    """Get the branches of a remote (all, or those named) and its tags.

    ``tags`` None gets tags where all branches are got, which is so unless some are named, here
    or by the setting ``remote.NAME.branches``. ``prune`` forgets branches that are gone there;
    ``depth`` leaves out older commits, ``unshallow`` gets those that were left out. Tags that
    differ here stay as they are. Raises ``NotFoundError`` for an unknown remote or branch,
    ``UnreachableError``, ``DeniedError``; what has arrived stays, and is not asked for again.
    """
    _check_depth(depth, unshallow=unshallow)
    known, connection = connect(repo, name)
    with connection as remote:
        refs = remote.refs()
        chosen = list(branches) or chosen_branches(repo, known)
        wanted = _wanted(refs, chosen, remote, tags=not chosen if tags is None else tags)
        deep = FULL_DEPTH if unshallow and repo.shallow() else depth
        shallow = repo.view().get("shallow")
        ids = [parse_id(value) for value in wanted.values()]
        packs = dict(repo.index.locations.packs())
        # Long, and objects that no ref leads to hurt nobody: others may write meanwhile.
        report = transfer(repo, remote, ids, refs=refs, depth=deep)
        with repo.lock("fetch"):
            if repo.packs_lost(packs):
                report = transfer(repo, remote, ids, refs=refs, depth=deep)
            moves = _moves(repo, known, wanted)
            if prune and known is not None and not branches:
                moves += _gone(repo, known, refs)
            changes = {one.ref: (one.old, one.new) for one in moves if one.kind != "refused"}
            changes["shallow"] = (shallow, listed_shallow(report.shallow))
            repo.operate("fetch", remote.address, changes)
        return Fetched(known or "", remote.address, tuple(moves), _branches(refs), report)


def listed_shallow(shallow: frozenset[bytes]) -> str | None:
    """The value of the view that tells which commits lack their parents."""
    ids: list[Json] = [oid.hex() for oid in sorted(shallow)]
    return canonical.dumps(ids).decode() if ids else None


def check_branch(refs: RefsReply, branch: str, remote: Remote) -> str:
    """The full name of a branch or tag of the remote; ``NotFoundError`` if it has none."""
    for ref in (branch_ref(branch), f"refs/tags/{branch}"):
        if ref in refs.refs:
            return ref
    raise no_branch(branch, _branches(refs), remote.address)


def no_branch(branch: str, there: Iterable[str], address: str) -> NotFoundError:
    """The error that tells that a remote lacks a branch, and what it has."""
    names = sorted(there)
    return NotFoundError(
        f"{address} has no branch {branch!r}",
        items=names,
        hint="it has these" if names else "it is empty: push to it first",
    )


def _check_depth(depth: int | None, *, unshallow: bool) -> None:
    if depth is not None and unshallow:
        raise UsageError("--depth and --unshallow exclude each other")
    if depth is not None and not 1 <= depth <= FULL_DEPTH:
        raise InvalidError(f"a depth of {depth}: at least 1 commit is needed")


def _branches(refs: RefsReply) -> dict[str, str]:
    prefix = "refs/heads/"
    return {ref[len(prefix) :]: value for ref, value in refs.refs.items() if ref.startswith(prefix)}


def _wanted(
    refs: RefsReply, branches: Sequence[str], remote: Remote, *, tags: bool
) -> dict[str, str]:
    for branch in branches:
        if branch_ref(branch) not in refs.refs:
            raise no_branch(branch, _branches(refs), remote.address)
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
            moves.append(RefChange(place, old, new, _kind(repo, place, old, new), ref))
    return moves


def _kind(repo: Repository, place: str, old: str | None, new: str) -> str:
    if old is None:
        return "new"
    if place.startswith("refs/tags/"):
        return "refused"
    ahead = is_ancestor(repo.history(), parse_id(old), parse_id(new))
    return "fast-forward" if ahead else "forced"


def _gone(repo: Repository, name: str, refs: RefsReply) -> list[RefChange]:
    prefix = f"refs/remotes/{name}/"
    return [
        RefChange(ref, old, None, "deleted")
        for ref, old in repo.view().refs(prefix).items()
        if branch_ref(ref[len(prefix) :]) not in refs.refs
    ]
