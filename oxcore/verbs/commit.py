"""``commit``: the stage becomes a version."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from oxcore import tree
from oxcore.codec.commit import encode_commit
from oxcore.errors import (
    ConflictError,
    InvalidError,
    MissingError,
    NothingToDoError,
    OxError,
    UsageError,
    counted,
)
from oxcore.model.commits import Commit, Json, Person
from oxcore.model.ids import Kind, object_id
from oxcore.repo import Repository
from oxcore.repo.merging import Pending, read_pending
from oxcore.repo.schemafile import FOLDER
from oxcore.repo.survey import sync_stat
from oxcore.verbs.add import Asked, add_locked
from oxcore.verbs.moving import intent

if TYPE_CHECKING:
    from oxcore.model.protocols import Guard
    from oxcore.verbs.tabular.leaving import Left

_TRUTHS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


class Committed(NamedTuple):
    """A new commit: its id, the branch it is on (None if HEAD is detached), what it holds; how
    many files were ``added``, ``modified``, ``removed`` and ``retyped`` (now a link, or no longer
    one) against its first parent, and the ``nbytes`` of those that it has anew; which of its new
    tables ``left`` their schema."""

    id: bytes
    branch: str | None
    commit: Commit
    first: bool
    added: int
    modified: int
    removed: int
    retyped: int
    nbytes: int
    left: tuple[Left, ...] = ()


def commit(
    repo: Repository,
    message: str | None,
    *,
    all_tracked: bool = False,
    amend: bool = False,
    allow_empty: bool = False,
    meta: Mapping[str, Json] | None = None,
    strict: bool | None = None,
    guard: Guard | None = None,
) -> Committed:
    """Record the stage as a commit and move the branch to it.

    ``all_tracked`` stages every change of tracked files first; ``amend`` replaces HEAD's commit:
    its author stays, and its message and ``meta`` where none are given. ``strict`` (None: as
    ``commit.strict`` is set) refuses new tables that leave their schema; ``guard`` may refuse as
    well. Raises ``NothingToDoError`` if nothing is staged, ``ConflictError`` while a merge has open
    conflicts, ``UsageError`` without a message or an author, ``SchemaError`` if it is strict.
    """
    author, strict = repo.author(), _strict(repo) if strict is None else strict
    with repo.lock("commit"):
        pending = _settled(repo)  # before `add`, which would take open conflicts for settled
        before = repo.stage()
        if all_tracked:
            add_locked(repo, Asked(update=True))
        stage = repo.stage()
        draft = _draft(repo, repo.head(), pending, author, amend=amend)
        made = _worded(draft, message, meta)._replace(tree=stage)
        if not (allow_empty or amend or pending):
            _check_new(repo, stage)
        nodes = tree.Nodes(repo.store)
        changed = _changed(repo, made, nodes, guard)
        with _taken_back(repo, before):
            left = _leaving(repo, made, nodes, strict=strict)
            if guard is not None:
                made = guard.check(made, changed.touched, repo.store)
        oid = store_commit(repo, made)
        branch = advance(repo, oid, "commit --amend" if amend else "commit", made.title)
    return Committed(oid, branch, made, not made.parents, *changed.counts, left)


def _settled(repo: Repository) -> Pending | None:
    """The merge that waits, if one does; ``ConflictError`` while it has open conflicts."""
    intent.recover(repo)
    pending = read_pending(repo)
    _check_conflicts(pending)
    return pending


def _leaving(
    repo: Repository, made: Commit, nodes: tree.Nodes, *, strict: bool
) -> tuple[Left, ...]:
    """The new tables that leave their schema, which is refused if it is ``strict``."""
    left = leaving(repo, _parent_tree(repo, made), made.tree, nodes)
    if left and strict:
        _refuse(left)
    return left


def _worded(draft: Commit, message: str | None, meta: Mapping[str, Json] | None) -> Commit:
    """The draft with what is said of it; what is not said stays."""
    kept = draft.meta if meta is None else dict(meta)
    return draft._replace(message=_message(message, draft.message), meta=kept)


def _check_new(repo: Repository, stage: bytes) -> None:
    if stage == repo.head_tree():
        raise NothingToDoError(
            "nothing is staged", hint="stage changes with: ox add; or use --allow-empty"
        )


def leaving(
    repo: Repository, before: bytes, after: bytes, nodes: tree.Nodes | None = None
) -> tuple[Left, ...]:
    """The tables that are new or changed in the tree ``after``, and leave the schema that it has of
    them. Where there is no schema nothing is read, nor any library of tables loaded."""
    if before == after or not tree.exists_folder(nodes or repo.store, after, FOLDER):
        return ()
    from oxcore.verbs.tabular.leaving import check

    return check(repo, before, after)


def guarded(repo: Repository, made: Commit, guard: Guard | None) -> Commit:
    """The commit as ``guard`` lets it be made, whose tree is stored; what it raises."""
    if guard is None:
        return made
    touched = set(_touched(repo, made, made.parents, tree.Nodes(repo.store), guard))
    return guard.check(made, touched, repo.store)


def _touched(
    repo: Repository, made: Commit, parents: Iterable[bytes], nodes: tree.Nodes, guard: Guard
) -> Iterator[bytes]:
    """The files that concern a guard, among those that differ from these parents."""
    concerns = guard.concerns
    for parent in parents:
        before = _tree_of(repo, parent)
        for change in () if before is None else tree.diff(nodes, before, made.tree):
            if concerns(change.path):
                yield change.path


def _refuse(left: tuple[Left, ...]) -> None:
    from oxcore.verbs.tabular.leaving import refusal

    raise refusal(left)


@contextmanager
def _taken_back(repo: Repository, before: bytes) -> Iterator[None]:
    """Where a commit is refused, its stage becomes what it was."""
    try:
        yield
    except OxError:
        if repo.stage() != before:
            changes = {"stage": (repo.stage().hex(), before.hex())}
            repo.operate("commit", "refused: what --all staged is taken back", changes)
            sync_stat(repo)
        raise


def _strict(repo: Repository) -> bool:
    text = repo.config().get("commit.strict", "false").lower()
    if text not in _TRUTHS:
        raise InvalidError(
            f"commit.strict is neither true nor false: {text!r}",
            hint="set it with: ox config commit.strict true",
        )
    return _TRUTHS[text]


def _parent_tree(repo: Repository, made: Commit) -> bytes:
    """The tree that a commit is compared with; the empty one where there is none, or not here."""
    return (_tree_of(repo, made.parents[0]) if made.parents else None) or tree.EMPTY


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


def _draft(
    repo: Repository,
    head: bytes | None,
    pending: Pending | None,
    author: Person,
    *,
    amend: bool,
) -> Commit:
    """The new commit as far as it follows from what is there."""
    now = repo.settings.clock()
    if amend:
        if head is None:
            raise UsageError("there is no commit to amend yet")
        if pending is not None:
            raise ConflictError(f"a {pending.verb} is in progress: it cannot be amended")
        return repo.commit(head)._replace(time=now, signature=None)
    parents = () if head is None else (head,)
    if pending is None:
        return Commit(tree.EMPTY, parents, author, now, "")
    who = pending.author or author
    return Commit(tree.EMPTY, parents + pending.parents, who, now, pending.message)


class _Changed(NamedTuple):
    """Files added, modified, removed and of another type, and the bytes of the new contents; which
    of them concern a guard (None: all are new)."""

    counts: tuple[int, int, int, int, int]
    touched: set[bytes] | None


def _changed(repo: Repository, made: Commit, nodes: tree.Nodes, guard: Guard | None) -> _Changed:
    """What a commit changes, in one pass."""
    if not made.parents:
        files, nbytes = tree.summary(nodes, made.tree)
        return _Changed((files, 0, 0, 0, nbytes), None)
    before = _tree_of(repo, made.parents[0])
    if before is None:
        return _Changed((0, 0, 0, 0, 0), None)
    letters: Counter[str] = Counter()
    nbytes, touched = 0, set[bytes]()
    concerns = None if guard is None else guard.concerns
    for change in tree.diff(nodes, before, made.tree):
        letters[change.letter] += 1
        nbytes += 0 if change.new is None else change.new.size
        if concerns is not None and concerns(change.path):
            touched.add(change.path)
    if guard is not None:
        touched.update(_touched(repo, made, made.parents[1:], nodes, guard))
    return _Changed((letters["A"], letters["M"], letters["D"], letters["T"], nbytes), touched)


def _tree_of(repo: Repository, commit: bytes) -> bytes | None:
    """The tree of a parent; None where a shallow clone has left it out."""
    try:
        return repo.commit(commit).tree
    except MissingError:
        return None


def _message(given: str | None, default: str) -> str:
    text = (given if given is not None else default).strip("\n")
    if not text.strip():
        raise UsageError("a commit needs a message", hint='ox commit -m "what changed"')
    if "\0" in text:
        raise InvalidError("a message cannot hold a NUL character")
    return text


def _check_conflicts(pending: Pending | None) -> None:
    if pending is not None and pending.conflicts:
        raise ConflictError(
            f"the {pending.verb} has {counted(len(pending.conflicts), 'open conflict')}",
            paths=[conflict.path for conflict in pending.conflicts],
            hint="see: ox conflicts; settle each with: ox resolve --ours|--theirs|--both PATH",
        )
