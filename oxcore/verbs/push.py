"""``push``: what this repository has and a remote lacks; then its refs move there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from oxcore.errors import NotFoundError, RejectedError, UsageError
from oxcore.history import is_ancestor
from oxcore.model.ids import parse_id
from oxcore.model.protocols import RefUpdate
from oxcore.refs import branch_ref, check_ref_name, remote_ref, tag_ref
from oxcore.repo import Repository
from oxcore.transfer import PushReport, Remote, read_refs
from oxcore.transfer import push as transfer
from oxcore.verbs.fetch import RefChange
from oxcore.verbs.names import resolve_commit
from oxcore.verbs.remotes import connect
from oxcore.wire.messages import RefsReply


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a push did: refs moved there, what was sent, and the upstream that was set."""

    remote: str
    url: str
    changes: tuple[RefChange, ...]
    report: PushReport
    upstream: str | None = None


@dataclass(frozen=True, slots=True)
class _Wish:
    """A ref of the remote (full name) and the value it shall have, None: none."""

    ref: str
    new: str | None
    lease: str | None = None  # what the remote must hold for a forced update; "" for nothing
    forced: bool = False


def push(
    repo: Repository,
    name: str | None = None,
    refspecs: Sequence[str] = (),
    *,
    set_upstream: bool = False,
    tags: bool = False,
    all_branches: bool = False,
    force_with_lease: bool = False,
    delete: bool = False,
) -> Pushed:
    """Send branches (``NAME``, ``SOURCE:NAME``; by default the present one) and move them there.

    ``tags`` sends all tags as well, ``all_branches`` all branches; ``delete`` removes the named
    branches or tags there. ``force_with_lease`` allows an update that is no fast-forward if the
    remote still holds what was last seen of it. A branch that follows nothing yet follows what
    it was pushed to. Raises ``RejectedError`` with the way out if the remote has moved on; what
    was sent stays there, and is not sent again.
    """
    known, connection = connect(repo, name)
    with connection as remote:
        refs, made = read_refs(remote, create=not delete)
        wishes = _wishes(repo, refspecs, tags=tags, all_branches=all_branches, delete=delete)
        if force_with_lease:
            wishes = [_leased(repo, known, wish) for wish in wishes]
        updates = [update for wish in wishes if (update := _update(repo, refs, wish, remote))]
        forced = [wish.ref for wish in wishes if wish.forced]
        report = PushReport(created=made)
        if updates:
            report = transfer(repo, remote, updates, force=forced, refs=refs)
            report.created = made
        changes = tuple(_change(repo, update) for update in updates)
        upstream = _remember(repo, known, wishes, refspecs, always=set_upstream)
        return Pushed(known or "", remote.address, changes, report, upstream)


def _wishes(
    repo: Repository, refspecs: Sequence[str], *, tags: bool, all_branches: bool, delete: bool
) -> list[_Wish]:
    view = repo.view()
    if delete:
        if not refspecs:
            raise UsageError("which branch shall go?", hint="ox push REMOTE --delete BRANCH")
        return [_Wish(_full(repo, name), None) for name in refspecs]
    wishes = [_parse(repo, refspec) for refspec in refspecs]
    if all_branches:
        wishes += [_Wish(ref, value) for ref, value in view.refs("refs/heads/").items()]
    if tags:
        wishes += [_Wish(ref, value) for ref, value in view.refs("refs/tags/").items()]
    if wishes or tags or all_branches:
        return list({wish.ref: wish for wish in wishes}.values())
    ref, value = view.head()
    if ref is None:
        raise UsageError("HEAD is on no branch", hint="ox push REMOTE HEAD:BRANCH")
    if value is None:
        raise NotFoundError(f"{_short(ref)} has no commit yet", hint="ox commit first")
    settings = repo.own_config()
    follows = settings.get(f"branch.{_short(ref)}.merge", _short(ref))
    return [_Wish(branch_ref(follows), value)]


def _parse(repo: Repository, refspec: str) -> _Wish:
    source, colon, target = refspec.partition(":")
    if colon and not source:
        return _Wish(_full(repo, target), None)
    view = repo.view()
    for ref in (source, branch_ref(source), tag_ref(source)):
        if ref.startswith("refs/") and ref in view:
            place = _full(repo, target, like=ref) if target else ref
            return _Wish(place, view[ref])
    if not target:
        raise NotFoundError(f"there is no branch or tag {source!r}", hint="see: ox branch")
    return _Wish(_full(repo, target), resolve_commit(repo, source).hex())


def _full(repo: Repository, name: str, like: str = "refs/heads/") -> str:
    """The full name of a ref of the remote; a tag if one of that name is known here."""
    if name.startswith("refs/"):
        check_ref_name(name)
        return name
    is_tag = like.startswith("refs/tags/") or tag_ref(name) in repo.view()
    ref = tag_ref(name) if is_tag and branch_ref(name) not in repo.view() else branch_ref(name)
    check_ref_name(ref)
    return ref


def _leased(repo: Repository, name: str | None, wish: _Wish) -> _Wish:
    seen = None
    if name is not None and wish.ref.startswith("refs/heads/"):
        seen = repo.view().get(remote_ref(name, _short(wish.ref)))
    return _Wish(wish.ref, wish.new, seen or "", forced=True)


def _update(repo: Repository, refs: RefsReply, wish: _Wish, remote: Remote) -> RefUpdate | None:
    """The update to ask for, None if the remote is there already; refuses early what it would."""
    old = refs.refs.get(wish.ref)
    if old == wish.new:
        if wish.new is None:
            raise NotFoundError(f"{remote.address} has no {_short(wish.ref)!r}")
        return None
    if wish.lease is not None and wish.lease != (old or ""):
        raise RejectedError(
            f"{_short(wish.ref)} has moved on {remote.address} since it was last seen",
            hint="ox fetch, look at what is new, then push again",
        )
    if old is not None and wish.new is not None and not wish.forced:
        _check_forward(repo, wish.ref, old, wish.new, remote)
    return RefUpdate(wish.ref, old, wish.new)


def _check_forward(repo: Repository, ref: str, old: str, new: str, remote: Remote) -> None:
    if ref.startswith("refs/tags/"):
        raise RejectedError(
            f"the tag {_short(ref)} is another commit on {remote.address}",
            hint=f"delete it there first: ox push REMOTE --delete {_short(ref)}",
        )
    here = repo.store.has_many([parse_id(old)])[0]
    if not here or not is_ancestor(repo.history(), parse_id(old), parse_id(new)):
        raise RejectedError(
            f"{_short(ref)} on {remote.address} has commits that are not here",
            items=[f"{ref} {old}"],
            hint="ox pull, then push again",
        )


def _change(repo: Repository, update: RefUpdate) -> RefChange:
    if update.old is None:
        kind = "new"
    elif update.new is None:
        kind = "deleted"
    elif not repo.store.has_many([parse_id(update.old)])[0]:
        kind = "forced"
    else:
        ahead = is_ancestor(repo.history(), parse_id(update.old), parse_id(update.new))
        kind = "fast-forward" if ahead else "forced"
    return RefChange(update.name, update.old, update.new, kind)


def _remember(
    repo: Repository,
    name: str | None,
    wishes: Sequence[_Wish],
    refspecs: Sequence[str],
    *,
    always: bool,
) -> str | None:
    """Note where the remote's branches stand now, and what the pushed branch follows."""
    if name is None:
        return None
    with repo.lock("push"):
        view = repo.view()
        changes: dict[str, tuple[str | None, str | None]] = {}
        for wish in wishes:
            if wish.ref.startswith("refs/heads/"):
                place = remote_ref(name, _short(wish.ref))
                changes[place] = (view.get(place), wish.new)
        repo.operate("push", name, changes)
        return _follow(repo, name, wishes, refspecs, always=always)


def _follow(
    repo: Repository,
    name: str,
    wishes: Sequence[_Wish],
    refspecs: Sequence[str],
    *,
    always: bool,
) -> str | None:
    """Let branches follow what they were pushed to; gives the last upstream that was set."""
    settings, done = repo.own_config(), None
    for wish in wishes:
        target = _short(wish.ref)
        source = next((s.partition(":")[0] for s in refspecs if s.endswith(f":{target}")), target)
        branch = _short(repo.view().head()[0] or "") if source == "HEAD" else source
        if wish.new is None or branch_ref(branch) not in repo.view():
            continue
        if wish.ref.startswith("refs/heads/") and (
            always or f"branch.{branch}.remote" not in settings
        ):
            repo.set_config({f"branch.{branch}.remote": name, f"branch.{branch}.merge": target})
            done = f"{name}/{target}"
    return done


def _short(ref: str) -> str:
    return ref.removeprefix("refs/heads/").removeprefix("refs/tags/")
