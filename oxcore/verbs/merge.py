"""``merge``, ``cherry-pick``, ``revert`` and ``resolve``: three trees become one.

All of them are the same act: what changed from a base to theirs is brought into ours, file by
file. Where both sides changed a file, ours stays in the work tree and the conflict waits in
the view until ``resolve``, ``add`` or ``rm`` settles it; ``commit`` then ends it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from oxcore import tree
from oxcore.errors import ConflictError, NotFoundError, RejectedError, UnsavedError, UsageError
from oxcore.history import merge_base
from oxcore.model.commits import Commit, Person
from oxcore.model.entries import Change, Entry, show_path
from oxcore.repo import Repository
from oxcore.tree import Conflict
from oxcore.verbs import intent
from oxcore.verbs.commit import store_commit
from oxcore.verbs.merging import Pending, encode_pending, read_pending, without_conflicts
from oxcore.verbs.select import Selection
from oxcore.verbs.update import Changes, Moved, carry, move

Forward = Literal["auto", "only", "never"]
Side = Literal["ours", "theirs", "both"]


@dataclass(frozen=True, slots=True)
class Merged:
    """How a merge ended: ``kind`` is ``up-to-date``, ``fast-forward``, ``merged`` or
    ``conflicts``; ``commit`` the commit that HEAD is on then; what waits; what was moved."""

    kind: str
    commit: bytes | None
    conflicts: tuple[Conflict, ...] = ()
    moved: Moved | None = None


def merge(
    repo: Repository,
    theirs: bytes,
    label: str,
    *,
    forward: Forward = "auto",
    message: str | None = None,
    allow_unrelated: bool = False,
) -> Merged:
    """Bring the commit ``theirs`` into the present branch; ``label`` names it in the message.

    Raises ``UnsavedError`` for staged or changed files in the way, ``RejectedError`` if
    ``forward`` is "only" and histories have parted, ``UsageError`` for histories without a
    common commit unless ``allow_unrelated``, ``ConflictError`` if another merge waits.
    """
    with repo.lock("merge"):
        _prepare(repo)
        ref, _ = repo.view().head()
        head = repo.head()
        base = None if head is None else merge_base(repo.history(), head, theirs)
        if head is not None and base == theirs:
            return Merged("up-to-date", head)
        if head is None or (base == head and forward != "never"):
            return _fast_forward(repo, theirs, label)
        if forward == "only":
            raise RejectedError(
                f"{label} has parted from this branch: no fast-forward", hint="ox merge, or rebase"
            )
        if base is None and not allow_unrelated:
            raise UsageError(
                f"{label} has no commit in common with this branch",
                hint="if they belong together: --allow-unrelated-histories",
            )
        into = "HEAD" if ref is None else ref.removeprefix("refs/heads/")
        text = message or f"Merge {label} into {into}"
        base_tree = tree.EMPTY if base is None else repo.commit(base).tree
        waiting = Pending("merge", (theirs,), text, repo.head_tree(), ())
        return _combine(repo, base_tree, repo.commit(theirs).tree, waiting)


def cherry_pick(repo: Repository, source: bytes, *, mainline: int | None = None) -> Merged:
    """Make the change of one commit again on the present branch, as its author's.

    ``mainline`` (from 1) says against which parent a merge is taken. Raises as ``merge``.
    """
    with repo.lock("cherry-pick"):
        _prepare(repo)
        picked = repo.commit(source)
        base = _parent_tree(repo, source, picked, mainline)
        waiting = Pending(
            "cherry-pick", (), picked.message, repo.head_tree(), (), author=picked.author
        )
        return _combine(repo, base, picked.tree, waiting)


def revert(repo: Repository, source: bytes, *, mainline: int | None = None) -> Merged:
    """Take the change of one commit back with a new commit. Raises as ``merge``."""
    with repo.lock("revert"):
        _prepare(repo)
        bad = repo.commit(source)
        theirs = _parent_tree(repo, source, bad, mainline)
        text = f'Revert "{bad.title}"\n\nThis reverts commit {source.hex()}.'
        waiting = Pending("revert", (), text, repo.head_tree(), ())
        return _combine(repo, bad.tree, theirs, waiting)


def abort(repo: Repository) -> Pending:
    """Give up what waits: stage and touched files go back to where they were.

    Raises ``NotFoundError`` if nothing waits. What is overwritten is stored first.
    """
    with repo.lock("abort"):
        intent.recover(repo)
        pending = _must_wait(repo)
        steps = {c.path: c for c in tree.diff(repo.store, repo.stage(), pending.before)}
        held = tree.get_many(repo.store, pending.before, [c.path for c in pending.conflicts])
        for conflict, entry in zip(pending.conflicts, held, strict=True):
            steps.setdefault(conflict.path, Change(conflict.path, entry, entry))
        changes: Changes = {"merge": (repo.view()["merge"], None)}
        note = f"--abort {pending.verb}"
        ordered = [steps[path] for path in sorted(steps)]
        before = pending.before
        carry(
            repo, ordered, stage=before, verb=pending.verb, note=note, changes=changes, force=True
        )
    return pending


def resolve(repo: Repository, patterns: Sequence[bytes], side: Side) -> list[Conflict]:
    """Settle the selected conflicts by taking one side, or both.

    ``both`` keeps ours at its path and puts theirs beside it, as ``NAME.theirs.EXT``. Gives the
    conflicts that are settled now. Raises ``NotFoundError`` if none is open there.
    """
    with repo.lock("resolve"):
        intent.recover(repo)
        pending = _must_wait(repo)
        selection = Selection(patterns)
        chosen = [conflict for conflict in pending.conflicts if conflict.path in selection]
        missing = [show_path(pattern) for pattern in selection.unmatched()]
        if missing or not chosen:
            raise NotFoundError("no conflict is open there", items=missing, hint="see: ox status")
        stage = repo.stage()
        wanted = dict(edit for one in chosen for edit in _settled(repo, stage, one, side))
        held = tree.get_many(repo.store, stage, sorted(wanted))
        steps = [
            Change(path, old, wanted[path]) for path, old in zip(sorted(wanted), held, strict=True)
        ]
        with repo.batch() as batch:
            new = tree.edit(batch, batch, stage, sorted(wanted.items()), replace=True)
        rest = tuple(one for one in pending.conflicts if one not in chosen)
        changes = without_conflicts(repo, pending, rest)
        note = f"--{side} {len(chosen)} files"
        carry(repo, steps, stage=new, verb="resolve", note=note, changes=changes, force=True)
    return chosen


def _prepare(repo: Repository) -> None:
    """Raise for what stands in the way of any merge."""
    repo.author()
    intent.recover(repo)
    pending = read_pending(repo)
    if pending is not None:
        raise ConflictError(
            f"a {pending.verb} waits already",
            items=[show_path(conflict.path) for conflict in pending.conflicts],
            hint=f"end it with: ox commit; or give it up with: ox {pending.verb} --abort",
        )
    staged = [c.path for c in tree.diff(repo.store, repo.head_tree(), repo.stage())]
    if staged:
        raise UnsavedError(
            f"{len(staged)} files have staged changes",
            items=[show_path(path) for path in staged],
            hint="commit or stash them first",
        )


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


def _combine(repo: Repository, base: bytes, theirs: bytes, waiting: Pending) -> Merged:
    ours = repo.head_tree()
    merged = tree.merge(repo.store, base, ours, theirs)
    with repo.batch() as batch:
        root = tree.edit(batch, batch, ours, merged.changes, replace=True)
    note = waiting.message.split("\n", 1)[0]
    if merged.conflicts:
        waiting = replace(waiting, conflicts=tuple(merged.conflicts))
        changes: Changes = {"merge": (None, encode_pending(waiting))}
        moved = move(repo, ours, root, verb=waiting.verb, note=note, changes=changes)
        return Merged("conflicts", repo.head(), waiting.conflicts, moved)
    head = repo.head()
    parents = (() if head is None else (head,)) + waiting.parents
    author: Person = waiting.author or repo.author()
    made = Commit(root, parents, author, repo.settings.clock(), waiting.message)
    oid = store_commit(repo, made)
    ref, old = repo.view().head()
    changes = {ref or "HEAD": (old, oid.hex())}
    moved = move(repo, ours, root, verb=waiting.verb, note=note, changes=changes)
    return Merged("merged", oid, moved=moved)


def _parent_tree(repo: Repository, oid: bytes, commit: Commit, mainline: int | None) -> bytes:
    parents = commit.parents
    if len(parents) > 1 and mainline is None:
        raise UsageError(f"{oid.hex()[:12]} is a merge", hint="say which parent counts: -m 1")
    if mainline is not None and not 1 <= mainline <= len(parents):
        raise UsageError(f"{oid.hex()[:12]} has no parent {mainline}")
    if not parents:
        return tree.EMPTY
    return repo.commit(parents[(mainline or 1) - 1]).tree


def _must_wait(repo: Repository) -> Pending:
    pending = read_pending(repo)
    if pending is None:
        raise NotFoundError("no merge, cherry-pick or revert is in progress")
    return pending


def _settled(
    repo: Repository, stage: bytes, conflict: Conflict, side: Side
) -> list[tuple[bytes, Entry | None]]:
    if side == "theirs":
        return [(conflict.path, conflict.theirs)]
    kept: list[tuple[bytes, Entry | None]] = [(conflict.path, conflict.ours)]
    if side == "both" and conflict.theirs is not None:
        if conflict.ours is None:
            return [(conflict.path, conflict.theirs)]
        kept.append((_beside(repo, stage, conflict.path), conflict.theirs))
    return kept


def _beside(repo: Repository, stage: bytes, path: bytes) -> bytes:
    """``name.theirs.ext``, or with a number where that is taken."""
    folder, slash, name = path.rpartition(b"/")
    stem, dot, ending = name.rpartition(b".")
    if not stem:
        stem, dot, ending = name, b"", b""
    number = 1
    while True:
        mark = b".theirs" if number == 1 else b".theirs-%d" % number
        place = folder + slash + stem + mark + dot + ending
        if tree.get(repo.store, stage, place) is None:
            return place
        number += 1
