"""``merge``, ``cherry-pick`` and ``revert``: three trees become one.

All of them are the same act: what changed from a base to theirs is brought into ours, file by
file. Where both sides changed a file, ours stays in the work tree and the conflict waits in
the view until ``resolve``, ``add`` or ``rm`` settles it; ``commit`` then ends it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from oxcore import tree
from oxcore.errors import RejectedError, UnsavedError, UsageError, counted
from oxcore.history import merge_bases
from oxcore.model.commits import Commit
from oxcore.repo import Repository
from oxcore.repo.merging import Pending, TableState, check_none_waits, encode_pending
from oxcore.repo.schemafile import FOLDER
from oxcore.repo.survey import Found, differs, sync_stat
from oxcore.tree import Conflict
from oxcore.verbs.commit import guarded, leaving, store_commit
from oxcore.verbs.moving import intent
from oxcore.verbs.moving.update import Changes, Moved, move
from oxcore.worktree import peek

if TYPE_CHECKING:
    from oxcore.model.protocols import Guard
    from oxcore.store import Batch
    from oxcore.verbs.tabular.leaving import Left

Forward = Literal["auto", "only", "never"]


@dataclass(frozen=True, slots=True)
class Merged:
    """How a merge ended: ``kind`` is ``up-to-date``, ``fast-forward``, ``merged`` or
    ``conflicts``; ``commit`` the commit that HEAD is on then; what waits; what was moved; which
    tables of a new commit ``left`` their schema; how ``tables`` that both sides changed were merged
    by their rows, or why not."""

    kind: str
    commit: bytes | None
    conflicts: tuple[Conflict, ...] = ()
    moved: Moved | None = None
    left: tuple[Left, ...] = ()
    tables: tuple[TableState, ...] = ()


def merge(
    repo: Repository,
    theirs: bytes,
    label: str,
    *,
    forward: Forward = "auto",
    message: str | None = None,
    allow_unrelated: bool = False,
    guard: Guard | None = None,
) -> Merged:
    """Bring the commit ``theirs`` into the present branch; ``label`` names it in the message.

    ``guard`` looks at a commit that comes of it, and may refuse it: then nothing is changed.
    Raises ``UnsavedError`` for staged or changed files in the way, ``RejectedError`` if
    ``forward`` is "only" and histories have parted, ``UsageError`` for histories without a
    common commit unless ``allow_unrelated``, ``ConflictError`` if another merge waits.
    """
    with repo.lock("merge"):
        _prepare(repo)
        head = repo.head()
        bases = [] if head is None else merge_bases(repo.history(), head, theirs)
        if head is not None and bases == [theirs]:
            return Merged("up-to-date", head)
        if head is None or (bases == [head] and forward != "never"):
            return _fast_forward(repo, theirs, label)
        if forward == "only":
            raise RejectedError(
                f"{label} has parted from this branch: no fast-forward",
                hint="join the two with: ox merge, without --ff-only",
            )
        if not bases and not allow_unrelated:
            raise UsageError(
                f"{label} has no commit in common with this branch",
                hint="if they belong together: --allow-unrelated-histories",
            )
        ref, _ = repo.view().head()
        into = "HEAD" if ref is None else ref.removeprefix("refs/heads/")
        text = message or f"Merge {label} into {into}"
        waiting = Pending("merge", (theirs,), text, repo.head_tree(), ())
        return _combine(repo, _base_tree(repo, bases), repo.commit(theirs).tree, waiting, guard)


def cherry_pick(
    repo: Repository, source: bytes, *, mainline: int | None = None, guard: Guard | None = None
) -> Merged:
    """Make the change of one commit again on the present branch, as its author's.

    ``mainline`` (from 1) says against which parent a merge is taken. ``up-to-date``: all of it
    is here already, and there is no new commit. Raises as ``merge``.
    """
    with repo.lock("cherry-pick"):
        _prepare(repo)
        picked = repo.commit(source)
        base = _parent_tree(repo, source, picked, mainline)
        waiting = Pending(
            "cherry-pick", (), picked.message, repo.head_tree(), (), author=picked.author
        )
        return _combine(repo, base, picked.tree, waiting, guard)


def revert(
    repo: Repository, source: bytes, *, mainline: int | None = None, guard: Guard | None = None
) -> Merged:
    """Take the change of one commit back with a new commit; else as ``cherry_pick``."""
    with repo.lock("revert"):
        _prepare(repo)
        bad = repo.commit(source)
        theirs = _parent_tree(repo, source, bad, mainline)
        text = f'Revert "{bad.title}"\n\nThis reverts commit {source.hex()}.'
        waiting = Pending("revert", (), text, repo.head_tree(), ())
        return _combine(repo, bad.tree, theirs, waiting, guard)


def _prepare(repo: Repository) -> None:
    """Raise if another merge waits."""
    intent.recover(repo)
    sync_stat(repo)
    check_none_waits(repo)


def _fast_forward(repo: Repository, theirs: bytes, label: str) -> Merged:
    ref, old = repo.view().head()
    moved = move(
        repo,
        repo.head_tree(),
        repo.commit(theirs).tree,
        verb="merge",
        note=f"fast-forward to {label}",
        changes={ref or "HEAD": (old, theirs.hex())},
    )
    return Merged("fast-forward", theirs, moved=moved)


def _combine(
    repo: Repository, base: bytes, theirs: bytes, waiting: Pending, guard: Guard | None
) -> Merged:
    author = waiting.author or repo.author()
    _check_staged(repo)
    ours, head = repo.head_tree(), repo.head()
    merged = tree.merge(repo.store, base, ours, theirs)
    if merged == ([], []) and waiting.verb != "merge":
        return Merged("up-to-date", head)
    with repo.batch() as batch:
        merged = _with_schemas(repo, batch, merged)
        root = tree.edit(batch, batch, ours, merged.changes, replace=True)
    tables: tuple[TableState, ...] = ()
    if merged.conflicts:
        _check_changed(repo, merged.conflicts)
        root, merged, tables = _by_rows(repo, root, merged)
        if root == ours and not merged.conflicts and waiting.verb != "merge":
            return Merged("up-to-date", head, tables=tables)
    note = waiting.message.split("\n", 1)[0]
    if merged.conflicts:
        asked = {one.path for one in merged.conflicts}
        states = tuple(one for one in tables if one.path in asked)
        waiting = waiting._replace(conflicts=tuple(merged.conflicts), tables=states)
        changes: Changes = {"merge": (None, encode_pending(waiting))}
        moved = move(repo, ours, root, verb=waiting.verb, note=note, changes=changes)
        return Merged("conflicts", head, waiting.conflicts, moved, tables=tables)
    parents = (() if head is None else (head,)) + waiting.parents
    made = Commit(root, parents, author, repo.settings.clock(), waiting.message)
    oid = store_commit(repo, guarded(repo, made, guard))
    ref, old = repo.view().head()
    changes = {ref or "HEAD": (old, oid.hex())}
    moved = move(repo, ours, root, verb=waiting.verb, note=note, changes=changes)
    left = leaving(repo, ours, root)
    return Merged("merged", oid, moved=moved, left=left, tables=tables)


def _by_rows(
    repo: Repository, root: bytes, merged: tree.Merge
) -> tuple[bytes, tree.Merge, tuple[TableState, ...]]:
    """Tables merge by their rows (``tabular.rowmerging``). ``root``: what is merged so far."""
    from oxcore.verbs.tabular.tablenames import may_merge

    chosen = [one for one in merged.conflicts if may_merge(repo, root, one)]
    if not chosen:
        return root, merged, ()
    from oxcore.verbs.tabular.rowmerging import by_rows

    root, states = by_rows(repo, root, chosen)
    done = {one.path for one in states if not (one.left or one.why)}
    rest = [one for one in merged.conflicts if one.path not in done]
    return root, merged._replace(conflicts=rest), states


def _with_schemas(repo: Repository, batch: Batch, merged: tree.Merge) -> tree.Merge:
    """Schemas of tables merge by what they say: see ``tabular.schema``."""
    if not any(one.path.startswith(FOLDER + b"/") for one in merged.conflicts):
        return merged
    from oxcore.verbs.tabular.schema import joined

    return joined(repo, batch, merged)


def _base_tree(repo: Repository, bases: list[bytes]) -> bytes:
    """The tree to compare both sides with: of several bases (after a criss-cross) their merge.

    A file on which the bases disagree counts as in their own base, as git does with binary
    files: whoever differs from that has changed it. See git's merge-ort, "virtual ancestor".
    """
    if not bases:
        return tree.EMPTY
    first, root = bases[-1], repo.commit(bases[-1]).tree
    for other in reversed(bases[:-1]):
        below = _base_tree(repo, merge_bases(repo.history(), first, other))
        merged = tree.merge(repo.store, below, root, repo.commit(other).tree)
        disputed = [(one.path, one.base) for one in merged.conflicts]
        with repo.batch() as batch:
            edits = sorted([*merged.changes, *disputed])
            root = tree.edit(batch, batch, root, edits, replace=True)
    return root


def _parent_tree(repo: Repository, oid: bytes, commit: Commit, mainline: int | None) -> bytes:
    parents = commit.parents
    if len(parents) > 1 and mainline is None:
        raise UsageError(f"{oid.hex()[:12]} is a merge", hint="say which parent counts: -m 1")
    if mainline is not None and not 1 <= mainline <= len(parents):
        raise UsageError(f"{oid.hex()[:12]} has no parent {mainline}")
    if not parents:
        return tree.EMPTY
    return repo.commit(parents[(mainline or 1) - 1]).tree


def _check_staged(repo: Repository) -> None:
    staged = [c.path for c in tree.diff(repo.store, repo.head_tree(), repo.stage())]
    if staged:
        raise UnsavedError(
            f"staged changes in {counted(len(staged), 'file')}",
            paths=list(staged),
            hint="commit or stash them first",
        )


def _check_changed(repo: Repository, conflicts: list[Conflict]) -> None:
    """Raise if a file in conflict holds unsaved work: to settle it would overwrite that."""
    if repo.worktree is None:
        return
    rows = repo.index.stat.get_raw([one.path for one in conflicts])
    changed = []
    for one, row in zip(conflicts, rows, strict=True):
        now = peek(repo.worktree, one.path)
        if now is None or (row is not None and row.startswith(now.stat)):
            continue
        found = Found(one.path, now.mode, now.stat, one.ours)
        if one.ours is None or differs(repo, found) is not None:
            changed.append(one.path)
    if changed:
        raise UnsavedError(
            f"unsaved work in {counted(len(changed), 'file')} in conflict",
            paths=changed,
            hint="commit it, stash it (ox stash) or give it up (ox restore)",
        )
