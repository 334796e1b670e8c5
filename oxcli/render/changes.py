"""Changes of files for people and for programs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from oxcli.render.json import path_fields
from oxcli.render.text import Paint, human_size, plural, show_path
from oxcore.model.entries import Entry, Mode

if TYPE_CHECKING:
    from oxcore.repo.changes import FileChange, Sums

COLOURS = {"A": "green", "D": "red", "M": "yellow", "T": "magenta", "R": "cyan"}
WORDS = {"A": "added", "D": "deleted", "M": "modified", "T": "of another type", "R": "renamed"}


def counts(letters: Mapping[str, int]) -> str:
    """``1,200 added, 3 modified``."""
    return ", ".join(f"{letters[one]:,} {WORDS[one]}" for one in WORDS if letters.get(one))


def summary(sums: Sums) -> str:
    """``3 files: 1 added, 2 modified; +1.2 KiB, -300 B``."""
    if not sums.total:
        return "nothing differs"
    line = f"{plural(sums.total, 'file')}: {counts(sums.counts)}"
    moved = [
        f"{sign}{human_size(size)}"
        for sign, size in (("+", sums.added), ("-", sums.removed))
        if size
    ]
    return f"{line}; {', '.join(moved)}" if moved else line


def line(change: FileChange, paint: Paint) -> str:
    """``M  data/x.csv  1.2 KiB -> 1.4 KiB``."""
    name = show_path(change.path)
    if change.old_path is not None:
        name = f"{show_path(change.old_path)} -> {name}"
    return f"{paint(change.letter, COLOURS[change.letter])}  {name}  {sizes(change)}"


def sizes(change: FileChange) -> str:
    """The size before and after, and the mode where it differs."""
    old, new = change.old, change.new
    if old is None or new is None:
        one = old or new
        return "" if one is None else human_size(one.size)
    text = human_size(new.size)
    if old.size != new.size:
        text = f"{human_size(old.size)} -> {text}"
    elif old.id != new.id:
        text += ", other content"
    return text if old.mode == new.mode else f"{text}, {_word(old)} -> {_word(new)}"


def listed(
    changes: Iterable[FileChange],
    paint: Paint,
    limit: int | None = None,
    more: Callable[[FileChange], str] = lambda _: "",
) -> Iterator[str]:
    """A line for each of the first ``limit`` changes, with what ``more`` knows of it, how many more
    changes there are, and the sums."""
    from oxcore.repo.changes import Sums  # loads the library: not for `--help`

    sums = Sums()
    for change in changes:
        sums.note(change)
        if limit is None or sums.total <= limit:
            yield line(change, paint) + more(change)
    if limit is not None and sums.total > limit:
        yield f"... and {sums.total - limit:,} more"
    yield summary(sums)


def document(change: FileChange) -> dict[str, object]:
    """A change as a JSON object."""
    found: dict[str, object] = {"status": change.letter, **path_fields(change.path)}
    if change.old_path is not None:
        found.update(path_fields(change.old_path, "old_path"))
    return {**found, "old": entry(change.old), "new": entry(change.new)}


def entry(one: Entry | None) -> dict[str, object] | None:
    """An entry as a JSON object: id (null where it was not asked for), size, mode, kind."""
    if one is None:
        return None
    mode = Mode(one.mode)
    return {"id": one.id or None, "size": one.size, "mode": mode.octal, "kind": mode.word}


def _word(one: Entry) -> str:
    return Mode(one.mode).word
