"""``push``: what this repository has and a remote lacks; then its refs move there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from oxcore.errors import InvalidError, NotFoundError, RejectedError, UsageError
from oxcore.history import is_ancestor
from oxcore.model.ids import parse_id
from oxcore.model.protocols import RefUpdate
from oxcore.refs import branch_ref, check_ref_name, remote_ref, tag_ref
from oxcore.repo import Repository
from oxcore.repo.names import resolve_commit
from oxcore.transfer import PushReport, Remote, read_refs
from oxcore.transfer import push as transfer
from oxcore.verbs.fetch import RefChange
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
    """A ref of the remote (full name) and the value it shall have, None: none. ``source`` is the
    ref of ours that it comes from, if it comes from one."""

    ref: str
    new: str | None
    source: str | None = None
    lease: str | None = None  # what the remote must hold for a forced update; "" for nothing


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
    remote still holds what was last seen of it. A branch that follows nothing yet follows the
    one of its name that it was pushed to; with ``set_upstream``, whatever it was pushed to. All
    refs move there, or none. Raises ``RejectedError`` with the way out if the remote has moved
    on; what was sent stays there, and is not sent again.
    """
    if delete and (tags or all_branches or set_upstream or not refspecs):
        raise UsageError("which branch shall go?", hint="ox push REMOTE --delete BRANCH")
    known, connection = connect(repo, name)
    wishes = _wishes(repo, known, refspecs, tags=tags, all_branches=all_branches, delete=delete)
    if force_with_lease:
        wishes = [_leased(repo, known, wish) for wish in wishes]
    with connection as remote:
        refs, made = read_refs(remote, create=not delete)
        updates = [update for wish in wishes if (update := _update(repo, refs, wish, remote))]
        report = PushReport(created=made)
        if updates:
            forced = [wish.ref for wish in wishes if wish.lease is not None]
            report = _transfer(repo, remote, updates, forced, refs)
            report.created = made
        sources = {wish.ref: wish.source for wish in wishes}
        changes = tuple(_change(repo, one, sources[one.name]) for one in updates)
        upstream = _remember(repo, known, wishes, always=set_upstream)
        return Pushed(known or "", remote.address, changes, report, upstream)


def _transfer(
    repo: Repository,
    remote: Remote,
    updates: Sequence[RefUpdate],
    forced: Sequence[str],
    refs: RefsReply,
) -> PushReport:
    try:
        return transfer(repo, remote, updates, force=forced, refs=refs)
    except RejectedError as error:
        if not error.items:  # not for what another one pushed
            raise
        raise RejectedError(
            f"{remote.address}: {error.message}",
            items=error.items,
            hint="ox pull, then push again: what was sent is not sent again",
        ) from error


def _wishes(
    repo: Repository,
    known: str | None,
    refspecs: Sequence[str],
    *,
    tags: bool,
    all_branches: bool,
    delete: bool,
) -> list[_Wish]:
    if delete:
        return [_Wish(_full(repo, name), None) for name in refspecs]
    view = repo.view()
    wishes = [_parse(repo, refspec) for refspec in refspecs]
    for wanted, prefix in ((all_branches, "refs/heads/"), (tags, "refs/tags/")):
        if wanted:
            wishes += [_Wish(ref, value, ref) for ref, value in view.refs(prefix).items()]
    if not (refspecs or all_branches or (tags and view.head()[1] is None)):
        wishes.append(_present(repo, known))
    return list({wish.ref: wish for wish in wishes}.values())


def _present(repo: Repository, known: str | None) -> _Wish:
    """The present branch, to what it follows on this remote, else to the one of its name."""
    ref, value = repo.view().head()
    if ref is None:
        raise UsageError("HEAD is on no branch", hint="ox push REMOTE HEAD:BRANCH")
    if value is None:
        raise NotFoundError(f"{_short(ref)} has no commit yet", hint="ox add, ox commit, then push")
    settings, own = repo.own_config(), _short(ref)
    follows = known is not None and settings.get(f"branch.{own}.remote") == known
    target = settings.get(f"branch.{own}.merge", own) if follows else own
    return _Wish(branch_ref(target), value, ref)


def _parse(repo: Repository, refspec: str) -> _Wish:
    source, colon, target = refspec.partition(":")
    if colon and not source:
        return _Wish(_full(repo, target), None)
    view = repo.view()
    if source == "HEAD" and not target and view.head()[0] is not None:
        source = view.head()[0] or ""
    for ref in (source, f"refs/heads/{source}", f"refs/tags/{source}"):
        if ref.startswith(("refs/heads/", "refs/tags/")) and ref in view:
            return _aimed(repo, _full(repo, target, like=ref) if target else ref, view[ref], ref)
    if not target:
        raise NotFoundError(f"there is no branch or tag {source!r}", hint="see: ox branch, ox tag")
    head = view.head()[0] if source == "HEAD" else None
    return _aimed(repo, _full(repo, target), resolve_commit(repo, source).hex(), head)


def _aimed(repo: Repository, ref: str, value: str, source: str | None) -> _Wish:
    """A branch of the remote gets a commit, whatever tag leads to it."""
    if ref.startswith("refs/heads/"):
        value = repo.peel(parse_id(value)).hex()
    return _Wish(ref, value, source)


def _full(repo: Repository, name: str, like: str = "refs/heads/") -> str:
    """The full name of a ref of the remote; a tag if one of that name is known here."""
    if name.startswith("refs/"):
        check_ref_name(name)
        if not name.startswith(("refs/heads/", "refs/tags/")):
            raise InvalidError(f"{name} is neither a branch nor a tag", hint="as in refs/heads/x")
        return name
    is_tag = like.startswith("refs/tags/") or f"refs/tags/{name}" in repo.view()
    return tag_ref(name) if is_tag and branch_ref(name) not in repo.view() else branch_ref(name)


def _leased(repo: Repository, name: str | None, wish: _Wish) -> _Wish:
    seen = None
    if name is not None and wish.ref.startswith("refs/heads/"):
        seen = repo.view().get(remote_ref(name, _short(wish.ref)))
    return replace(wish, lease=seen or "")


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
    if old is not None and wish.new is not None and wish.lease is None:
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


def _change(repo: Repository, update: RefUpdate, source: str | None) -> RefChange:
    if update.old is None:
        kind = "new"
    elif update.new is None:
        kind = "deleted"
    elif not repo.store.has_many([parse_id(update.old)])[0]:
        kind = "forced"
    else:
        ahead = is_ancestor(repo.history(), parse_id(update.old), parse_id(update.new))
        kind = "fast-forward" if ahead else "forced"
    return RefChange(update.name, update.old, update.new, kind, source)


def _remember(
    repo: Repository, name: str | None, wishes: Sequence[_Wish], *, always: bool
) -> str | None:
    """Note where the remote's branches stand now, and what the pushed branches follow."""
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
        return _follow(repo, name, wishes, always=always)


def _follow(repo: Repository, name: str, wishes: Sequence[_Wish], *, always: bool) -> str | None:
    """Let branches follow what they were pushed to; gives the upstream, if it is that of one."""
    settings, followed = repo.own_config(), set[str]()
    changes: dict[str, str | None] = {}
    for wish in wishes:
        source, target = wish.source or "", wish.ref
        if not (source.startswith("refs/heads/") and target.startswith("refs/heads/")):
            continue
        key = f"branch.{_short(source)}"
        if always or (source == target and f"{key}.remote" not in settings):
            changes |= {f"{key}.remote": name, f"{key}.merge": _short(target)}
            followed.add(f"{name}/{_short(target)}")
    changes = {key: new for key, new in changes.items() if settings.get(key) != new}
    if changes:
        repo.set_config(changes)
    return followed.pop() if changes and len(followed) == 1 else None


def _short(ref: str) -> str:
    return ref.removeprefix("refs/heads/").removeprefix("refs/tags/")
