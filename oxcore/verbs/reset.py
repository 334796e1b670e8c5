"""``restore`` and ``reset``: files, stage and branch back to what a revision holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from oxcore import tree
from oxcore.errors import ConflictError, NotFoundError, counted
from oxcore.model.entries import Change, Entry, show_path
from oxcore.repo import Repository
from oxcore.repo.merging import read_pending
from oxcore.repo.select import Selection, fixed_part
from oxcore.repo.survey import Aside, survey, sync_stat
from oxcore.verbs.moving import intent
from oxcore.verbs.moving.update import Moved, carry, move

How = Literal["soft", "mixed", "hard"]


def restore(
    repo: Repository,
    patterns: Sequence[bytes],
    *,
    source: bytes | None = None,
    staged: bool = False,
    worktree: bool = True,
) -> list[Change]:
    """Give the selected files the content that a tree holds.

    ``source`` is the root of a tree; by default the stage for files of the work tree, HEAD for
    the stage. ``staged`` restores the stage, ``worktree`` the files. What is overwritten is
    stored first, so that ``undo`` brings it back. Untracked files are left alone. Raises
    ``NotFoundError`` for a pattern that neither the source nor the tracked files know.
    """
    with repo.lock("restore"):
        intent.recover(repo)
        sync_stat(repo)
        selection = Selection(patterns)
        stage = repo.stage()
        root = source or (repo.head_tree() if staged else stage)
        edits = _differences(repo, selection, stage, root)
        steps = _steps(repo, selection, root, stage) if worktree and repo.worktree else []
        _check(repo, selection, root)
        new = stage
        if staged:
            with repo.batch() as batch:
                changed = [(change.path, change.new) for change in edits]
                new = tree.edit(batch, batch, stage, changed, replace=True)
        done = steps if worktree else edits
        note = counted(len(done), "file")
        carry(repo, steps, stage=new, verb="restore", note=note, changes={}, force=True)
    return done


def reset(repo: Repository, target: bytes, how: How = "mixed") -> Moved:
    """Move the branch to the commit ``target``; with it the stage (mixed), and the files (hard).

    ``soft`` moves the branch alone. ``hard`` stores what it overwrites first, so that ``undo``
    brings it back; untracked files stay. A merge in progress is given up, except by ``soft``,
    which raises ``ConflictError`` then.
    """
    with repo.lock("reset"):
        intent.recover(repo)
        pending = read_pending(repo)
        if pending is not None and how == "soft":
            raise ConflictError(
                f"a {pending.verb} is in progress",
                hint=f"give it up with: ox {pending.verb} --abort",
            )
        view = repo.view()
        ref, old = view.head()
        changes = {ref or "HEAD": (old, target.hex()), "merge": (view.get("merge"), None)}
        root, note = repo.commit(target).tree, f"{how} {target.hex()[:12]}"
        if how == "hard":
            return move(
                repo, repo.head_tree(), root, verb="reset", note=note, changes=changes, force=True
            )
        stage = root if how == "mixed" else repo.stage()
        return carry(repo, [], stage=stage, verb="reset", note=note, changes=changes)


def _differences(repo: Repository, selection: Selection, old: bytes, new: bytes) -> list[Change]:
    return [change for change in tree.diff(repo.store, old, new) if change.path in selection]


def _steps(repo: Repository, selection: Selection, root: bytes, stage: bytes) -> list[Change]:
    """What it takes to make the selected tracked files as in ``root``."""
    steps = {change.path: change for change in _differences(repo, selection, stage, root)}
    changed: list[tuple[bytes, Entry]] = [
        (item.path, item.entry)
        for item in survey(repo, selection, Aside(), untracked=False)
        if item.entry is not None and item.path not in steps
    ]
    for path, entry in changed:
        steps[path] = Change(path, entry, entry)
    return [steps[path] for path in sorted(steps)]


def _check(repo: Repository, selection: Selection, root: bytes) -> None:
    """Raise ``NotFoundError`` for a pattern that fits nothing, changed or not."""
    for pattern in selection.unmatched():
        for path, _ in tree.walk(repo.store, root, prefix=fixed_part(pattern)):
            if path in selection and pattern not in selection.unmatched():
                break
    missing = [show_path(pattern) for pattern in selection.unmatched()]
    if missing:
        raise NotFoundError(f"nothing known under {missing[0]!r}", items=missing[1:])
