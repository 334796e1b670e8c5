"""``resolve`` and ``--abort``: conflicts are settled one by one, or all is given up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal

from oxcore import tree
from oxcore.errors import NotFoundError, counted
from oxcore.model.entries import Change, Entry, show_path
from oxcore.repo import Repository
from oxcore.repo.merging import Pending, read_pending, without_conflicts
from oxcore.repo.select import Selection
from oxcore.tree import Conflict
from oxcore.verbs.moving import intent
from oxcore.verbs.moving.update import Changes, carry
from oxcore.worktree import exists

if TYPE_CHECKING:
    from oxcore.store import Batch

Side = Literal["ours", "theirs", "both"]


def abort(repo: Repository, verb: str | None = None) -> Pending:
    """Give up what waits: stage and touched files go back to where they were.

    ``verb`` (merge, cherry-pick, revert) is what should wait, None stands for any. Raises
    ``NotFoundError`` if it does not. What is overwritten is stored first.
    """
    with repo.lock("abort"):
        intent.recover(repo)
        pending = _must_wait(repo, verb)
        before = pending.before
        paths = [conflict.path for conflict in pending.conflicts]
        steps = _steps(repo, repo.stage(), before, paths)
        changes: Changes = {"merge": (repo.view()["merge"], None)}
        note = f"--abort {pending.verb}"
        carry(repo, steps, stage=before, verb=pending.verb, note=note, changes=changes, force=True)
    return pending


def resolve(repo: Repository, patterns: Sequence[bytes], side: Side) -> list[Conflict]:
    """Settle the selected conflicts by taking one side, or both.

    ``both`` keeps ours at its path and puts theirs beside it, as ``NAME.theirs.EXT``; where one
    side deleted the file, the other's stays. What lies in the work tree is stored, then
    replaced. Of a table whose rows were merged, ``ours`` and ``theirs`` settle what is open, and
    the rest stays merged. Gives the conflicts that are settled now. Raises ``NotFoundError`` if
    none is open under a pattern, ``UnsavedError`` for such a table that was edited meanwhile.
    """
    with repo.lock("resolve"):
        intent.recover(repo)
        pending = _must_wait(repo, None)
        chosen, rest = _choose(pending, Selection(patterns))
        stage = repo.stage()
        taken = {one.path for one in pending.conflicts}
        whole = chosen if side == "both" else [one for one in chosen if not pending.cells(one.path)]
        with repo.batch() as batch:
            cells = _cells(repo, batch, pending, chosen, side)
            edits = sorted([*_edits(repo, stage, whole, side, taken), *cells])
            new = tree.edit(batch, batch, stage, edits, replace=True)
        steps = _steps(repo, stage, new, [path for path, _ in edits])
        changes = without_conflicts(repo, pending, rest)
        note = f"--{side} {counted(len(chosen), 'file')}"
        carry(repo, steps, stage=new, verb="resolve", note=note, changes=changes, force=True)
    return list(chosen)


def _cells(
    repo: Repository, batch: Batch, pending: Pending, chosen: Sequence[Conflict], side: Side
) -> Iterator[tuple[bytes, Entry | None]]:
    """The tables whose open cells are settled by a side."""
    paths = [] if side == "both" else [one.path for one in chosen if pending.cells(one.path)]
    if not paths:
        return
    from oxcore.tables.rowmerge import Decision
    from oxcore.verbs.tabular.settle import check_unedited, settled

    for path in paths:
        check_unedited(repo, path)
        yield path, settled(repo, batch, pending, path, Decision(side))[0]


def _must_wait(repo: Repository, verb: str | None) -> Pending:
    pending = read_pending(repo)
    if pending is None:
        raise NotFoundError(f"no {verb or 'merge, cherry-pick or revert'} is in progress")
    if verb not in {None, pending.verb}:
        raise NotFoundError(
            f"no {verb} is in progress, but a {pending.verb}",
            hint=f"give that up with: ox {pending.verb} --abort",
        )
    return pending


def _steps(repo: Repository, stage: bytes, target: bytes, paths: Sequence[bytes]) -> list[Change]:
    """From ``stage`` to ``target``; at ``paths`` the work tree may hold anything now."""
    steps = {change.path: change for change in tree.diff(repo.store, stage, target)}
    for path, entry in zip(paths, tree.get_many(repo.store, target, paths), strict=True):
        steps.setdefault(path, Change(path, entry, entry))
    return [steps[path] for path in sorted(steps)]


def _choose(
    pending: Pending, selection: Selection
) -> tuple[tuple[Conflict, ...], tuple[Conflict, ...]]:
    chosen = tuple(one for one in pending.conflicts if one.path in selection)
    rest = tuple(one for one in pending.conflicts if one.path not in selection)
    missing = [show_path(pattern) for pattern in selection.unmatched()]
    if missing or not chosen:
        raise NotFoundError("no conflict is open there", items=missing, hint="see: ox status")
    return chosen, rest


def _edits(
    repo: Repository, stage: bytes, chosen: Sequence[Conflict], side: Side, taken: set[bytes]
) -> list[tuple[bytes, Entry | None]]:
    """What the stage gets, by path."""
    edits: dict[bytes, Entry | None] = {}
    for one in chosen:
        if side == "theirs":
            edits[one.path] = one.theirs
        elif side == "ours" or one.theirs is None:
            edits[one.path] = one.ours
        elif one.ours is None and not _clashes(repo, stage, one.path):
            edits[one.path] = one.theirs
        else:
            if one.ours is not None:
                edits[one.path] = one.ours
            place = _beside(repo, stage, one.path, taken)
            taken.add(place)
            edits[place] = one.theirs
    return sorted(edits.items())


def _beside(repo: Repository, stage: bytes, path: bytes, taken: set[bytes]) -> bytes:
    """``name.theirs.ext``, or with a number where that is taken.

    Below what is a file in ours it is that file's name which gives way.
    """
    head, tail = _blocked(repo, stage, path)
    folder, slash, name = head.rpartition(b"/")
    stem, dot, ending = name.rpartition(b".")
    if not stem:
        stem, dot, ending = name, b"", b""
    number = 1
    while True:
        mark = b".theirs" if number == 1 else b".theirs-%d" % number
        place = folder + slash + stem + mark + dot + ending + tail
        if place not in taken and not _is_taken(repo, stage, place):
            return place
        number += 1


def _blocked(repo: Repository, stage: bytes, path: bytes) -> tuple[bytes, bytes]:
    """``path`` cut behind the first part of it that is a file; whole if there is none."""
    at = path.find(b"/")
    while at >= 0:
        if tree.get(repo.store, stage, path[:at]) is not None:
            return path[:at], path[at:]
        at = path.find(b"/", at + 1)
    return path, b""


def _is_taken(repo: Repository, stage: bytes, place: bytes) -> bool:
    if _clashes(repo, stage, place) or tree.get(repo.store, stage, place) is not None:
        return True
    return repo.worktree is not None and exists(repo.worktree, place)


def _clashes(repo: Repository, stage: bytes, path: bytes) -> bool:
    """Whether the stage has a folder of this name, or a file where its folder would be."""
    return tree.exists_folder(repo.store, stage, path) or bool(_blocked(repo, stage, path)[1])
