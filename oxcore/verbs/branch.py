"""``branch``: list, create, rename and delete branches, and what each follows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from oxcore.errors import ExistsError, InvalidError, NotFoundError, UnsavedError, UsageError
from oxcore.history import is_ancestor
from oxcore.model.ids import parse_id
from oxcore.refs import View, branch_ref, short_name
from oxcore.repo import Repository
from oxcore.repo.apart import ahead_behind
from oxcore.repo.names import find_ref, resolve, upstream

Which = Literal["local", "remote", "all"]

HEADS = "refs/heads/"
REMOTES = "refs/remotes/"


@dataclass(frozen=True, slots=True)
class Branch:
    """One branch: short ``name``, full ``ref``, its ``commit`` and that one's ``title``.

    ``current``: HEAD is on it, and ``worktree`` is then the folder where it is checked out.
    ``upstream`` is the full name of what it follows, ``gone`` if that is not here; ``ahead``
    and ``behind`` count commits against it.
    """

    name: str
    ref: str
    commit: bytes
    title: str
    current: bool = False
    worktree: str | None = None
    upstream: str | None = None
    gone: bool = False
    ahead: int = 0
    behind: int = 0

    @property
    def remote(self) -> bool:
        """Whether it is what a remote's branch was when it was last seen."""
        return self.ref.startswith(REMOTES)


@dataclass(frozen=True, slots=True)
class Deleted:
    """Branches that are gone, and the number of the operation that ``undo`` takes back."""

    branches: tuple[Branch, ...]
    operation: int


def branches(repo: Repository, which: Which = "local", *, compare: bool = True) -> list[Branch]:
    """The branches by name, those of remotes last.

    ``compare`` counts the commits ahead of and behind the upstream, which walks history.
    """
    places = {"local": (HEADS,), "remote": (REMOTES,), "all": (HEADS, REMOTES)}[which]
    view = repo.view()
    refs = [ref for place in places for ref in view.refs(place)]
    return [_branch(repo, view, ref, compare=compare) for ref in refs]


def create(repo: Repository, name: str, start: str = "HEAD", *, force: bool = False) -> Branch:
    """Make a branch at the commit that ``start`` names; ``force`` moves one that exists.

    Started from a remote branch, it follows that. Raises ``ExistsError`` if it exists,
    ``UsageError`` for moving the branch that HEAD is on, ``InvalidError`` for a bad name.
    """
    ref = branch_ref(name)
    with repo.lock("branch"):
        found = resolve(repo, start)
        view = repo.view()
        if ref in view and not force:
            raise ExistsError(
                f"there is a branch {name!r} already", hint="--force moves it; -m renames it"
            )
        if ref in view and view.head()[0] == ref:
            raise UsageError(
                f"{name!r} is checked out: it cannot be moved here", hint="use: ox reset"
            )
        note = f"{name} at {found.id.hex()[:12]}"
        repo.operate("branch", note, {ref: (view.get(ref), found.id.hex())})
        if found.ref is not None and found.ref.startswith(REMOTES):
            follow(repo, name, found.ref)
    return _branch(repo, repo.view(), ref)


def rename(
    repo: Repository, new: str, old: str | None = None, *, force: bool = False
) -> tuple[str, str]:
    """Rename a branch, by default the one HEAD is on; HEAD and its settings go along.

    Gives the old and the new name. Raises ``NotFoundError`` for an unknown branch,
    ``ExistsError`` if there is one of the new name, which ``force`` replaces (never the one
    HEAD is on: ``UsageError``).
    """
    target = branch_ref(new)
    with repo.lock("branch -m"):
        view = repo.view()
        source = _current(view) if old is None else branch_ref(old)
        here = view.head()[0] == source
        if source not in view and not here:
            raise _unknown(source)
        if target != source and target in view:
            _check_replaced(view, target, new, force=force)
        changes = {target: (view.get(target), view.get(source)), source: (view.get(source), None)}
        if here:
            changes["HEAD"] = (view["HEAD"], f"ref:{target}")
        names = short_name(source), new
        if target != source:
            repo.operate("branch -m", " -> ".join(names), changes)
            _move_settings(repo, *names)
    return names


def delete(
    repo: Repository, names: Sequence[str], *, force: bool = False, remote: bool = False
) -> Deleted:
    """Delete branches, all of them or none; with ``remote`` what is known of a remote's.

    Raises ``UsageError`` for the branch that HEAD is on, ``UnsavedError`` for one whose
    commits are neither in HEAD nor in its upstream (unless ``force``), ``NotFoundError``.
    """
    with repo.lock("branch -d"):
        view = repo.view()
        refs = [_existing(view, name, remote=remote) for name in names]
        gone = [_branch(repo, view, ref) for ref in dict.fromkeys(refs)]
        for one in gone:
            _check_deleted(repo, one, force=force)
        changes: dict[str, tuple[str | None, str | None]] = {
            one.ref: (one.commit.hex(), None) for one in gone
        }
        note = ", ".join(one.name for one in gone)
        operation = repo.operate("branch -d", note, changes)
        for one in gone:
            _move_settings(repo, one.name, None)
    return Deleted(tuple(gone), 0 if operation is None else operation.number)


def set_upstream(repo: Repository, followed: str | None, name: str | None = None) -> Branch:
    """Let a branch, by default the one HEAD is on, follow ``followed``, or with None nothing.

    ``followed`` names a remote branch (``origin/main``) or a branch of this repository. Raises
    ``NotFoundError`` if it is not here, or if there is nothing to stop following.
    """
    with repo.lock("branch -u"):
        view = repo.view()
        ref = _current(view) if name is None else branch_ref(name)
        if ref not in view:
            raise _unknown(ref)
        if followed is None:
            if upstream(repo, ref) is None:
                raise NotFoundError(f"{short_name(ref)} follows no branch")
            _set(repo, short_name(ref), None, None)
        else:
            follow(repo, short_name(ref), find_ref(repo, followed))
    return _branch(repo, view, ref)


def follow(repo: Repository, name: str, ref: str) -> None:
    """Note in the settings that the branch ``name`` follows ``ref``; ``InvalidError`` for a tag."""
    if ref.startswith(HEADS):
        _set(repo, name, ".", ref.removeprefix(HEADS))
    elif ref.startswith(REMOTES):
        remote, _, branch = ref.removeprefix(REMOTES).partition("/")
        _set(repo, name, remote, branch)
    else:
        raise InvalidError(f"{ref} is no branch: nothing can follow it")


def _branch(repo: Repository, view: View, ref: str, *, compare: bool = False) -> Branch:
    oid = parse_id(view[ref])
    current = view.head()[0] == ref
    followed = upstream(repo, ref) if ref.startswith(HEADS) else None
    tip = view.get(followed) if followed is not None else None
    ahead, behind = ahead_behind(repo, oid, parse_id(tip)) if tip and compare else (0, 0)
    return Branch(
        name=short_name(ref),
        ref=ref,
        commit=oid,
        title=repo.commit(oid).title,
        current=current,
        worktree=repo.worktree if current else None,
        upstream=followed,
        gone=followed is not None and tip is None,
        ahead=ahead,
        behind=behind,
    )


def _current(view: View) -> str:
    ref = view.head()[0]
    if ref is None:
        raise UsageError("HEAD is on no branch", hint="name the branch")
    return ref


def _existing(view: View, name: str, *, remote: bool) -> str:
    ref = f"{REMOTES}{name}" if remote else branch_ref(name)
    if ref not in view:
        raise _unknown(ref)
    return ref


def _unknown(ref: str) -> NotFoundError:
    kind = "remote branch" if ref.startswith(REMOTES) else "branch"
    return NotFoundError(f"there is no {kind} {short_name(ref)!r}", hint="see: ox branch --all")


def _check_replaced(view: View, target: str, new: str, *, force: bool) -> None:
    if not force:
        raise ExistsError(f"there is a branch {new!r} already", hint="--force replaces it")
    if view.head()[0] == target:
        raise UsageError(f"{new!r} is checked out: it cannot be replaced")


def _check_deleted(repo: Repository, one: Branch, *, force: bool) -> None:
    if one.current:
        raise UsageError(
            f"{one.name!r} is checked out: it cannot be deleted", hint="ox switch to another first"
        )
    if force or one.remote or any(_holds(repo, tip, one.commit) for tip in _keepers(repo, one)):
        return
    raise UnsavedError(
        f"{one.name!r} has commits that neither HEAD nor its upstream has",
        hint=f"merge it, or delete it all the same: ox branch -D {one.name}",
    )


def _keepers(repo: Repository, one: Branch) -> Iterator[bytes]:
    """HEAD and the upstream: a branch that is in either loses nothing."""
    head = repo.head()
    if head is not None:
        yield head
    tip = repo.view().get(one.upstream) if one.upstream else None
    if tip is not None:
        yield parse_id(tip)


def _holds(repo: Repository, tip: bytes, oid: bytes) -> bool:
    return is_ancestor(repo.history(), oid, tip)


def _move_settings(repo: Repository, old: str, new: str | None) -> None:
    """The settings ``branch.OLD.*`` become ``branch.NEW.*``, or go."""
    own = repo.own_config()
    moved = {key: own[key] for key in _keys(own, old)}
    changes: dict[str, str | None] = dict.fromkeys(moved)
    if new is not None:
        changes.update(dict.fromkeys(_keys(own, new)))
        changes.update({f"branch.{new}.{key.rpartition('.')[2]}": moved[key] for key in moved})
    if changes:
        repo.set_config(changes)


def _keys(settings: Iterable[str], name: str) -> list[str]:
    prefix = f"branch.{name}."
    return [key for key in settings if key.startswith(prefix) and "." not in key[len(prefix) :]]


def _set(repo: Repository, name: str, remote: str | None, branch: str | None) -> None:
    repo.set_config({f"branch.{name}.remote": remote, f"branch.{name}.merge": branch})
