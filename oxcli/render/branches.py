"""Text that several verbs of branching share: conflicts, moves of the folder, ways back."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from oxcli.render.text import plural, short_id
from oxcore.errors import ConflictError
from oxcore.tree import Conflict
from oxcore.verbs.switch import Switched
from oxcore.verbs.update import Moved

Show = Callable[[bytes], str]
"""How a path of the dataset is written."""

SETTLE = "settle each with: ox resolve --ours|--theirs|--both PATH, then: ox commit"


def conflict_words(conflict: Conflict) -> str:
    """What happened to the file on both sides: ``both changed it``."""
    if conflict.kind == "folder":
        return "a file on one side, a folder on the other"
    if conflict.kind == "added":
        return "both added it"
    if conflict.ours is None:
        return "deleted here, changed there"
    if conflict.theirs is None:
        return "changed here, deleted there"
    return "both changed it"


def conflict_lines(conflicts: Iterable[Conflict], show: Show) -> list[str]:
    """One line a conflict: the path, and what happened."""
    return [f"{show(one.path)}  ({conflict_words(one)})" for one in conflicts]


def stopped(
    verb: str, conflicts: tuple[Conflict, ...], show: Show, note: str = ""
) -> ConflictError:
    """The error that a command ends with when a person has to decide."""
    return ConflictError(
        f"{plural(len(conflicts), 'conflict')}: the {verb} waits for you{note}",
        items=conflict_lines(conflicts, show),
        hint=f"{SETTLE}; or give up with: ox {verb} --abort",
    )


def conflict_document(conflict: Conflict) -> dict[str, object]:
    """The object for programs."""
    return {**conflict._asdict(), "words": conflict_words(conflict)}


def moved_text(moved: Moved | None) -> str:
    """``3 files written, 1 removed``; empty if no file changed."""
    if moved is None or not (moved.written or moved.removed):
        return ""
    return f"{plural(moved.written, 'file')} written, {moved.removed:,} removed"


def moved_document(moved: Moved | None) -> dict[str, int]:
    """The counts for programs."""
    moved = moved or Moved()
    return {"written": moved.written, "removed": moved.removed, "bytes": moved.nbytes}


def switched_lines(done: Switched) -> list[str]:
    """What to say after HEAD went somewhere."""
    lines = [_went(done)]
    if done.upstream is not None:
        lines.append(f"it follows {done.upstream.split('/', 2)[2]}")
    if done.branch is None and done.before is not None:
        lines.append("commits made here are on no branch: ox switch -c NAME keeps them")
    files = moved_text(done.moved)
    return [*lines, files] if files else lines


def switched_document(done: Switched) -> dict[str, object]:
    """The object for programs."""
    upstream = None if done.upstream is None else done.upstream.split("/", 2)[2]
    return {
        "branch": done.branch,
        "commit": done.commit,
        "created": done.created,
        "upstream": upstream,
        "before": {"branch": done.before, "commit": done.left},
        "moved": moved_document(done.moved),
    }


def _went(done: Switched) -> str:
    if done.branch is None:
        return f"HEAD is at {short_id(done.commit or b'')} {done.title}".rstrip()
    if done.created:
        return f"on the new branch {done.branch}"
    return f"{'already ' if done.branch == done.before else ''}on {done.branch}"
