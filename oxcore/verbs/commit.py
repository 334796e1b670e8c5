"""``commit``: the stage becomes a version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from oxcore import tree
from oxcore.codec.commit import encode_commit
from oxcore.errors import ConflictError, InvalidError, NothingToDoError, UsageError
from oxcore.model.commits import Commit, Json
from oxcore.model.entries import show_path
from oxcore.model.ids import Kind, object_id
from oxcore.repo import Repository
from oxcore.verbs import intent
from oxcore.verbs.add import add_locked
from oxcore.verbs.merging import Pending, read_pending


@dataclass(frozen=True, slots=True)
class Committed:
    """A new commit: its id, the branch it is on (None if HEAD is detached), and what it holds."""

    id: bytes
    branch: str | None
    commit: Commit
    first: bool


def commit(
    repo: Repository,
    message: str | None,
    *,
    all_tracked: bool = False,
    amend: bool = False,
    allow_empty: bool = False,
    meta: Mapping[str, Json] | None = None,
) -> Committed:
    """Record the stage as a commit and move the branch to it.

    ``all_tracked`` stages every change of tracked files first; ``amend`` replaces HEAD's commit
    (its message stays if ``message`` is None). Raises ``NothingToDoError`` if nothing is
    staged, ``ConflictError`` while a merge has open conflicts, ``UsageError`` without a
    message or an author.
    """
    author = repo.author()
    with repo.lock("commit"):
        intent.recover(repo)
        pending = read_pending(repo)
        _check_conflicts(pending)  # before `add`, which would take open ones for settled
        if all_tracked:
            add_locked(repo, update=True)
        head, stage = repo.head(), repo.stage()
        parents, default = _parents(repo, head, pending, amend=amend)
        text = _message(message, default)
        if not (allow_empty or amend or pending) and stage == repo.head_tree():
            raise NothingToDoError(
                "nothing is staged", hint="stage changes with: ox add; or use --allow-empty"
            )
        if pending is not None and pending.author is not None:
            author = pending.author
        made = Commit(stage, parents, author, repo.settings.clock(), text, dict(meta or {}))
        oid = store_commit(repo, made)
        branch = advance(repo, oid, "commit --amend" if amend else "commit", made.title)
    return Committed(oid, branch, made, not parents)


def store_commit(repo: Repository, made: Commit) -> bytes:
    """Make a commit object durable; gives its id."""
    data = encode_commit(made)
    oid = object_id(Kind.COMMIT, data)
    with repo.batch() as batch:
        batch.put(oid, Kind.COMMIT, data)
        if made.tree == tree.EMPTY:
            tree.build(batch, ())
    return oid


def advance(repo: Repository, oid: bytes, verb: str, note: str) -> str | None:
    """Move the branch that HEAD is on (or HEAD itself) to a commit; gives the branch's name."""
    view = repo.view()
    ref, old = view.head()
    changes = {ref or "HEAD": (old, oid.hex()), "merge": (view.get("merge"), None)}
    repo.operate(verb, note, changes)
    return None if ref is None else ref.removeprefix("refs/heads/")


def _parents(
    repo: Repository, head: bytes | None, pending: Pending | None, *, amend: bool
) -> tuple[tuple[bytes, ...], str | None]:
    """Parents of the new commit, and the message that stands if none is given."""
    if amend:
        if head is None:
            raise UsageError("there is no commit to amend yet")
        if pending is not None:
            raise ConflictError(f"a {pending.verb} is in progress: it cannot be amended")
        old = repo.commit(head)
        return old.parents, old.message
    parents = () if head is None else (head,)
    if pending is None:
        return parents, None
    return parents + pending.parents, pending.message


def _message(given: str | None, default: str | None) -> str:
    text = (given if given is not None else default or "").strip("\n")
    if not text.strip():
        raise UsageError("a commit needs a message", hint='ox commit -m "what changed"')
    if "\0" in text:
        raise InvalidError("a message cannot hold a NUL character")
    return text


def _check_conflicts(pending: Pending | None) -> None:
    if pending is not None and pending.conflicts:
        raise ConflictError(
            f"{len(pending.conflicts)} conflicts of the {pending.verb} are open",
            items=[show_path(conflict.path) for conflict in pending.conflicts],
            hint="settle each with: ox resolve --ours|--theirs|--both PATH",
        )
