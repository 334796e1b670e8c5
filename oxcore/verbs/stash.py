"""``stash``: put unsaved work aside, and bring it back.

A stash is a commit whose tree is the work tree's tracked content, with two parents: the
commit that HEAD was on, and a commit of the stage. It stands in the view as ``refs/stash/N``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from oxcore import tree
from oxcore.codec.commit import encode_commit
from oxcore.errors import ConflictError, NotFoundError, NothingToDoError, UsageError, counted
from oxcore.index import row_entry
from oxcore.model.commits import Commit, Moment
from oxcore.model.entries import Change, Entry
from oxcore.model.ids import Kind, object_id, parse_id
from oxcore.repo import Repository
from oxcore.repo.merging import check_none_waits
from oxcore.repo.select import Selection
from oxcore.repo.survey import Aside, Found, Gone, survey, sync_stat
from oxcore.store import Batch
from oxcore.verbs.moving import intent
from oxcore.verbs.moving.update import Moved, carry
from oxcore.verbs.storing.ingest import Ingest
from oxcore.worktree import peek

_PREFIX = "refs/stash/"


@dataclass(frozen=True, slots=True)
class Stash:
    """One stash: ``index`` 0 is the newest, ``ref`` its full name, ``id`` its commit."""

    index: int
    ref: str
    id: bytes
    message: str
    time: Moment


def push(
    repo: Repository,
    message: str | None = None,
    *,
    patterns: Sequence[bytes] = (),
    untracked: bool = False,
) -> Stash:
    """Store staged and changed files as a stash and go back to HEAD.

    ``untracked`` takes untracked files along. Raises ``NothingToDoError`` if all is clean,
    ``UsageError`` before the first commit, ``ConflictError`` while a merge waits.
    """
    with repo.lock("stash"):
        intent.recover(repo)
        sync_stat(repo)
        head = _may_stash(repo)
        selection, stage = Selection(patterns), repo.stage()
        root, steps = _snapshot(repo, selection, head, untracked=untracked)
        if not steps and not _staged(repo, selection):
            raise NothingToDoError("there is nothing to stash: all is clean")
        text = message or f"WIP on {_where(repo)}: {repo.commit(head).title}"
        oid = _store(repo, head, stage, root, text)
        ref = f"{_PREFIX}{_next(repo)}"
        wanted = _without(repo, selection, stage)
        changes = {ref: (None, oid.hex())}
        note = text.split("\n", 1)[0]
        carry(repo, steps, stage=wanted, verb="stash", note=note, changes=changes, force=True)
    return Stash(0, ref, oid, text, repo.commit(oid).time)


def entries(repo: Repository) -> list[Stash]:
    """All stashes, newest first."""
    refs = repo.view().refs(_PREFIX)
    ordered = sorted(refs, key=lambda ref: int(ref.removeprefix(_PREFIX)), reverse=True)
    found = [(ref, parse_id(refs[ref])) for ref in ordered]
    return [
        Stash(index, ref, oid, repo.commit(oid).message, repo.commit(oid).time)
        for index, (ref, oid) in enumerate(found)
    ]


def apply(repo: Repository, index: int = 0, *, drop_it: bool = False) -> Moved:
    """Bring what a stash holds into the work tree; with ``drop_it`` the stash goes.

    Files that were new come back staged, others as changes. Raises ``ConflictError`` for files
    that were committed differently since then, ``UnsavedError`` for changed files in the way;
    then nothing changes and the stash stays.
    """
    with repo.lock("stash"):
        intent.recover(repo)
        sync_stat(repo)
        stash = _find(repo, index)
        made, stage = repo.commit(stash.id), repo.stage()
        base = repo.commit(made.parents[0]).tree
        merged = tree.merge(repo.store, base, stage, made.tree)
        if merged.conflicts:
            raise ConflictError(
                f"{counted(len(merged.conflicts), 'file')} of the stash changed since",
                paths=[conflict.path for conflict in merged.conflicts],
                hint="switch to the commit it was made on, or cherry-pick it",
            )
        held = tree.get_many(repo.store, stage, [path for path, _ in merged.changes])
        pairs = list(zip(merged.changes, held, strict=True))
        steps = [Change(path, old, new) for (path, new), old in pairs]
        staged = repo.commit(made.parents[1]).tree
        known = tree.get_many(repo.store, staged, [path for path, _ in merged.changes])
        fresh = [
            edit
            for (edit, old), there in zip(pairs, known, strict=True)
            if old is None and there is not None  # what was untracked comes back untracked
        ]
        with repo.batch() as batch:
            wanted = tree.edit(batch, batch, stage, fresh, replace=True)
        changes = {stash.ref: (stash.id.hex(), None)} if drop_it else {}
        verb = "stash pop" if drop_it else "stash apply"
        note = stash.message.split("\n", 1)[0]
        return carry(repo, steps, stage=wanted, verb=verb, note=note, changes=changes)


def show(repo: Repository, index: int = 0) -> list[Change]:
    """What a stash changes, against the commit that it was made on."""
    made = repo.commit(_find(repo, index).id)
    return list(tree.diff(repo.store, repo.commit(made.parents[0]).tree, made.tree))


def drop(repo: Repository, index: int = 0) -> Stash:
    """Forget a stash; ``undo`` brings it back."""
    with repo.lock("stash"):
        stash = _find(repo, index)
        note = stash.message.split("\n", 1)[0]
        repo.operate("stash drop", note, {stash.ref: (stash.id.hex(), None)})
    return stash


def _may_stash(repo: Repository) -> bytes:
    head = repo.head()
    if head is None:
        raise UsageError("there is no commit yet to go back to", hint="commit first")
    check_none_waits(repo)
    return head


def _snapshot(
    repo: Repository, selection: Selection, head: bytes, *, untracked: bool
) -> tuple[bytes, list[Change]]:
    """The tree of the work tree's content, and the steps back to HEAD."""
    items = list(survey(repo, selection, Aside(), untracked=untracked))
    staged = _staged(repo, selection)
    files = {item.path: item for item in items if isinstance(item, Found)}
    files.update((item.path, item) for item in _unstaged_files(repo, staged))
    with repo.batch() as batch:
        ingest = Ingest(repo, batch, "stash")
        rows = ingest.files(files[path] for path in sorted(files))
        now: dict[bytes, Entry | None] = {path: row_entry(row) for path, row in rows}
        ingest.check()
        now.update({item.path: None for item in items if isinstance(item, Gone)})
        for change in staged:
            now.setdefault(change.path, change.new)
        root = tree.edit(batch, batch, repo.commit(head).tree, sorted(now.items()), replace=True)
    paths = sorted(now)
    held = tree.get_many(repo.store, repo.commit(head).tree, paths)
    steps = [
        Change(path, now[path], entry)
        for path, entry in zip(paths, held, strict=True)
        if now[path] != entry
    ]
    return root, steps


def _unstaged_files(repo: Repository, staged: list[Change]) -> Iterator[Found]:
    """Files that are staged as removed but lie there: they would be overwritten on the way."""
    for change in staged:
        now = peek(repo.tree_root(), change.path) if change.new is None else None
        if now is not None:
            yield Found(change.path, now.mode, now.stat, None)


def _store(repo: Repository, head: bytes, stage: bytes, root: bytes, text: str) -> bytes:
    with repo.batch() as batch:
        staged = _put(repo, batch, stage, (head,), f"stage of: {text}")
        return _put(repo, batch, root, (head, staged), text)


def _put(
    repo: Repository, batch: Batch, root: bytes, parents: tuple[bytes, ...], text: str
) -> bytes:
    made = Commit(root, parents, repo.author(), repo.settings.clock(), text)
    data = encode_commit(made)
    oid = object_id(Kind.COMMIT, data)
    batch.put(oid, Kind.COMMIT, data)
    return oid


def _staged(repo: Repository, selection: Selection) -> list[Change]:
    changes = tree.diff(repo.store, repo.head_tree(), repo.stage())
    return [change for change in changes if change.path in selection]


def _without(repo: Repository, selection: Selection, stage: bytes) -> bytes:
    """The stage with the selected paths as in HEAD."""
    if selection.everything:
        return repo.head_tree()
    back = [(change.path, change.old) for change in _staged(repo, selection)]
    with repo.batch() as batch:
        return tree.edit(batch, batch, stage, back, replace=True)


def _where(repo: Repository) -> str:
    ref, _ = repo.view().head()
    return "HEAD" if ref is None else ref.removeprefix("refs/heads/")


def _next(repo: Repository) -> int:
    refs = repo.view().refs(_PREFIX)
    return 1 + max((int(ref.removeprefix(_PREFIX)) for ref in refs), default=0)


def _find(repo: Repository, index: int) -> Stash:
    listed = entries(repo)
    if not 0 <= index < len(listed):
        raise NotFoundError(f"there is no stash@{{{index}}}", hint="see: ox stash list")
    return listed[index]
