"""The state of a work tree for people and for programs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from oxcli.render import changes
from oxcli.render.text import Paint, plural, short_id

if TYPE_CHECKING:
    from oxcore.repo.merging import Pending, TableState
    from oxcore.tree import Conflict
    from oxcore.verbs.status import Listing, Status

LISTED = 50  # lines of one section for people
_CODES = {"content": "UU", "added": "AA", "folder": "AU"}
_WHY = {
    "content": "both changed it",
    "added": "both added it",
    "folder": "a file on one side, a folder on the other",
}

Show = Callable[[bytes], str]
"""How a path of the dataset is written."""


def long(found: Status, show: Show, paint: Paint) -> Iterator[str]:
    """The lines of the long form: counts, and at most ``LISTED`` lines of each section."""
    yield _place(found, paint)
    yield from _following(found)
    if found.interrupted:
        yield paint("a change of these files was interrupted half way", "red") + (
            ": the next verb that writes, such as ox add or ox switch, puts them back first"
        )
    yield from _pending(found, show, paint)
    staged, changed = found.staged, found.changed
    yield from _section("staged", staged, show, paint, "green", "ox restore --staged PATH unstages")
    yield from _section("not staged", changed, show, paint, "red", "ox add PATH stages")
    yield from _untracked(found, show, paint)
    yield from _aside(found, show)
    if found.bare:
        yield "a bare repository: it has no folder of files (ox ls shows what it holds)"
    elif found.clean:
        yield "nothing to commit, the folder is as in HEAD" if found.head else "nothing here yet"


def _place(found: Status, paint: Paint) -> str:
    if found.branch is None:
        return f"HEAD detached at {short_id(found.head or b'')}"
    name = paint(found.branch, "bold")
    return f"on branch {name}" + ("" if found.head else ", no commit yet")


def _following(found: Status) -> Iterator[str]:
    if found.upstream is None or found.pending is not None:
        return  # what to pull or push is told when the merge is done
    if not (found.ahead or found.behind):
        yield f"up to date with {found.upstream}"
    elif not found.behind:
        yield f"{plural(found.ahead, 'commit')} ahead of {found.upstream}: ox push"
    elif not found.ahead:
        yield f"{plural(found.behind, 'commit')} behind {found.upstream}: ox pull"
    else:
        commits = plural(found.ahead, "commit")
        yield f"{commits} ahead of {found.upstream}, {found.behind:,} behind: ox pull"


def _pending(found: Status, show: Show, paint: Paint) -> Iterator[str]:
    pending = found.pending
    if pending is None:
        return
    conflicts = pending.conflicts
    if not conflicts:
        yield f"a {pending.verb} is in progress, all conflicts settled: ox commit"
        return
    yield f"a {pending.verb} is in progress: ox {pending.verb} --abort takes it back"
    yield ""
    how = "  (ox resolve --ours|--theirs|--both PATH settles one)"
    if any(one.left for one in pending.tables):
        how = "  (ox conflicts shows what is open, ox resolve settles it)"
    yield paint(f"{plural(len(conflicts), 'conflict')}", "bold") + how
    for conflict in conflicts[:LISTED]:
        why = _WHY.get(conflict.kind) or _deleted(conflict.ours is None)
        why = _table(pending.table(conflict.path)) or why
        yield paint(f"  {show(conflict.path)}  {why}", "red")
    yield from _more(len(conflicts))


def _deleted(here: bool) -> str:
    return "deleted here, changed there" if here else "changed here, deleted there"


def _table(state: TableState | None) -> str:
    if state is None or not state.left:
        return ""
    return f"merged by {', '.join(state.keys)}, {plural(state.left, 'conflict')} open in it"


def _section(
    title: str, listing: Listing, show: Show, paint: Paint, colour: str, hint: str
) -> Iterator[str]:
    if not listing.total:
        return
    yield ""
    yield paint(f"{title}: {changes.counts(listing.counts)}", "bold") + f"  ({hint})"
    for change in listing.changes[:LISTED]:
        yield paint(f"  {change.letter}  {show(change.path)}", colour)
    yield from _more(listing.total)


def _untracked(found: Status, show: Show, paint: Paint) -> Iterator[str]:
    if not found.untracked:
        return
    total = sum(found.untracked.values())
    yield ""
    yield paint(f"new: {plural(total, 'file')}", "bold") + "  (ox add PATH stages)"
    for path, count in list(found.untracked.items())[:LISTED]:
        many = f"  ({plural(count, 'file')})" if path.endswith(b"/") else ""
        yield paint(f"  {show(path)}", "red") + many
    yield from _more(len(found.untracked))


def _more(total: int) -> Iterator[str]:
    if total > LISTED:
        yield f"  ... and {total - LISTED:,} more: ox status --short shows all"


def _aside(found: Status, show: Show) -> Iterator[str]:
    aside = found.aside
    notes = [f"{show(path)} is a {what}: left out" for path, what in aside.specials]
    notes += [f"{show(path)} is a repository of its own: left out" for path in aside.nested]
    notes += [
        f"{' and '.join(map(show, paths))} are one name on some systems"
        for paths in aside.collisions
    ]
    if notes:
        yield ""
        yield from notes[:LISTED]
        yield from _more(len(notes))


def short(found: Status, show: Show, paint: Paint, *, branch: bool) -> Iterator[str]:
    """A line a path, ``XY PATH``; with ``branch`` a line about it before."""
    if branch:
        yield _branch_line(found)
    marks: dict[bytes, list[str]] = {}
    for column, listing in enumerate((found.staged, found.changed)):
        for change in listing.changes:
            marks.setdefault(change.path, [" ", " "])[column] = change.letter
    for conflict in found.pending.conflicts if found.pending else ():
        code = _CODES.get(conflict.kind) or ("DU" if conflict.ours is None else "UD")
        marks[conflict.path] = list(code)
    for path, (x, y) in sorted(marks.items()):
        yield f"{paint(x, 'green')}{paint(y, 'red')} {show(path)}"
    for path in found.untracked:
        yield f"{paint('??', 'red')} {show(path)}"


def _branch_line(found: Status) -> str:
    if found.branch is None:
        return "## HEAD (no branch)"
    line = f"## {found.branch}"
    if found.upstream is not None:
        line += f"...{found.upstream}"
    apart = [("ahead", found.ahead), ("behind", found.behind)]
    counts = ", ".join(f"{word} {count}" for word, count in apart if count)
    return f"{line} [{counts}]" if counts else line


def document(found: Status) -> dict[str, object]:
    """The JSON document."""
    pending = found.pending
    return {
        "branch": found.branch,
        "head": found.head,
        "upstream": found.upstream,
        "ahead": found.ahead,
        "behind": found.behind,
        "interrupted": found.interrupted,
        "clean": found.clean,
        "staged": _listing(found.staged),
        "changed": _listing(found.changed),
        "untracked": [{"path": p, "files": count} for p, count in found.untracked.items()],
        "pending": None
        if pending is None
        else {
            "verb": pending.verb,
            "parents": pending.parents,
            "message": pending.message,
            "conflicts": [_conflict(one, pending) for one in pending.conflicts],
        },
        "specials": [{"path": path, "what": what} for path, what in found.aside.specials],
        "nested": [{"path": path} for path in found.aside.nested],
        "collisions": [[{"path": one} for one in group] for group in found.aside.collisions],
        "unreadable": [{"path": path, "why": why} for path, why in found.aside.unreadable],
    }


def _conflict(one: Conflict, pending: Pending) -> dict[str, object]:
    """``open``: how many cells, rows and columns of a table are; null where it is a whole file."""
    sides = {"base": one.base, "ours": one.ours, "theirs": one.theirs}
    entries = {name: changes.entry(side) for name, side in sides.items()}
    state = pending.cells(one.path)
    return {"path": one.path, "kind": one.kind, **entries, "open": state.left if state else None}


def _listing(listing: Listing) -> dict[str, object]:
    return {
        "counts": dict(listing.counts),
        "changes": [
            {
                "status": change.letter,
                "path": change.path,
                "old": changes.entry(change.old),
                "new": changes.entry(change.new),
            }
            for change in listing.changes
        ],
    }
