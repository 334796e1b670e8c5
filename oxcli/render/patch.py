"""The inside of changed files: rows of tables, unified diffs, facts of images, chunks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple, Protocol

from oxcli.render import changes
from oxcli.render.text import Paint, human_size, number, plural, show_path
from oxcore.errors import InvalidError
from oxcore.model.entries import Mode

if TYPE_CHECKING:
    from oxcore.media import ImageFacts, PixelDiff
    from oxcore.repo.changes import FileChange
    from oxcore.verbs.comparing.details import ChunkDiff, Detail, ImageDiff
    from oxcore.verbs.comparing.lines import TextDiff
    from oxcore.verbs.comparing.tablediff import TableDiff

_COLOURS = {"+": "green", "-": "red"}


class Limits(NamedTuple):
    """How many rows of a table are shown (None: all): of those that ``differ``, and of a table
    that is there on one side only."""

    differ: int | None = None
    whole: int | None = None

    def of(self, found: TableDiff) -> int | None:
        """The limit that fits."""
        return self.whole if found.old is None or found.new is None else self.differ


class Compared(Protocol):
    """Two versions, or two files, that tell what is inside of a change."""

    def detail(self, change: FileChange) -> Detail | None:
        """What differs inside."""
        ...

    def table(self, change: FileChange) -> TableDiff | None:
        """The rows that differ, of a table."""
        ...


def lines(compared: Compared, change: FileChange, paint: Paint, limits: Limits) -> Iterator[str]:
    """The head of a change, as git writes it, and what differs inside."""
    names = f"a/{show_path(change.old_path or change.path)} b/{show_path(change.path)}"
    for one in (f"diff --ox {names}", *_modes(change), *_moved(change)):
        yield paint(one, "bold")
    inside = compared.detail(change)
    if inside is not None:
        yield from _inside(inside, change, paint, limits)


def document(
    compared: Compared, change: FileChange, limits: Limits, *, inside: bool
) -> Iterator[dict[str, object]]:
    """A change as a JSON object, which is to be used before the next is asked for.

    ``inside`` adds ``table``, ``text``, ``image`` or ``chunks``, and ``no_table`` that says why
    a table was compared as text or by chunks.
    """
    from oxcore.verbs.comparing.details import NoTable  # loads the library: not for `--help`
    from oxcore.verbs.comparing.tablediff import TableDiff

    record = changes.document(change)
    found = compared.detail(change) if inside else None
    if isinstance(found, NoTable):
        record["no_table"], found = found.why, found.instead
    if isinstance(found, TableDiff):
        from oxcli.render import rows  # only for tables: Arrow comes with them

        with found:
            yield {**record, "table": rows.document(found, limits.of(found))}
        return
    if found is not None:
        record[_kind(found)] = found
    yield record


def counted(compared: Compared, change: FileChange) -> dict[str, object]:
    """A change as a JSON object, with counts of the rows of a table: ``table``, or ``no_table``
    that says why there are none."""
    record = changes.document(change)
    try:
        found = compared.table(change)
    except InvalidError as error:
        return {**record, "no_table": error.message}
    if found is None:
        return record
    from oxcli.render import rows  # as above

    with found:
        return {**record, "table": rows.summary(found)}


def image(facts: ImageFacts) -> str:
    """``PNG 64x64 RGBA``, and frames and orientation where they are not 1."""
    text = f"{facts.format} {facts.width}x{facts.height} {facts.mode}"
    if facts.frames != 1:
        text += f", {plural(facts.frames, 'frame')}"
    return text if facts.orientation == 1 else f"{text}, orientation {facts.orientation}"


def _kind(found: TextDiff | ImageDiff | ChunkDiff) -> str:
    from oxcore.verbs.comparing.details import ImageDiff  # loads the library: not for `--help`
    from oxcore.verbs.comparing.lines import TextDiff

    if isinstance(found, TextDiff):
        return "text"
    return "image" if isinstance(found, ImageDiff) else "chunks"


def _inside(found: Detail, change: FileChange, paint: Paint, limits: Limits) -> Iterator[str]:
    from oxcore.verbs.comparing.details import ImageDiff, NoTable  # as above
    from oxcore.verbs.comparing.lines import TextDiff
    from oxcore.verbs.comparing.tablediff import TableDiff

    if isinstance(found, NoTable):
        from oxcli.render.text import clean

        yield paint(f"not compared by rows: {clean(found.why)}", "yellow")
        found = found.instead
    if isinstance(found, TableDiff):
        from oxcli.render import rows  # only for tables: Arrow comes with them

        with found:
            yield from rows.lines(found, show_path(change.path), paint, limits.of(found))
    elif isinstance(found, TextDiff):
        yield from _text(found, change, paint)
    elif isinstance(found, ImageDiff):
        yield from _image(found, change)
    else:
        yield from _chunks(found, change)


def _modes(change: FileChange) -> Iterator[str]:
    old, new = change.old, change.new
    if old is None and new is not None:
        yield f"new file mode {Mode(new.mode).octal}"
    elif new is None and old is not None:
        yield f"deleted file mode {Mode(old.mode).octal}"
    elif old is not None and new is not None and old.mode != new.mode:
        yield f"old mode {Mode(old.mode).octal}"
        yield f"new mode {Mode(new.mode).octal}"


def _moved(change: FileChange) -> Iterator[str]:
    if change.letter == "R" and change.old_path is not None:
        yield f"rename from {show_path(change.old_path)}"
        yield f"rename to {show_path(change.path)}"


def _text(found: TextDiff, change: FileChange, paint: Paint) -> Iterator[str]:
    if not found.hunks:
        return
    before = f"a/{show_path(change.old_path or change.path)}" if change.old else "/dev/null"
    after = f"b/{show_path(change.path)}" if change.new else "/dev/null"
    yield paint(f"--- {before}", "bold")
    yield paint(f"+++ {after}", "bold")
    for hunk in found.hunks:
        yield paint(hunk.head, "cyan")
        for line in hunk.lines:
            yield paint(line, _COLOURS[line[0]]) if line[0] in _COLOURS else line


def _image(found: ImageDiff, change: FileChange) -> Iterator[str]:
    before = "" if found.old is None else image(found.old)
    after = "" if found.new is None else image(found.new)
    sides = [one for one in (before, after) if one]
    shown = sides[0] if len(set(sides)) == 1 else " -> ".join(sides)
    yield f"image {shown}, {changes.sizes(change)}"
    if found.pixels is not None:
        yield _pixels(found.pixels)


def _pixels(found: PixelDiff) -> str:
    if not found.same_size:
        return "pixels not compared: of another size"
    if not found.changed:
        return f"pixels all {number(found.total)} the same"
    box = "" if found.box is None else " within ({}, {}) to ({}, {})".format(*found.box)
    part = f"{found.share:.1%}" if found.share >= 0.001 else "under 0.1%"
    share = f"{number(found.changed)} of {number(found.total)} changed ({part})"
    return (
        f"pixels {share}{box}, by up to {found.max_delta} of 255, {found.mean_delta:.2f} on average"
    )


def _chunks(found: ChunkDiff, change: FileChange) -> Iterator[str]:
    what = "text, too large for a line diff," if found.text else "binary"
    yield f"{what} {changes.sizes(change)}"
    if change.old is None or change.new is None:
        yield f"chunks {number(found.old_chunks or found.new_chunks)}"
        return
    added = found.new_chunks - found.shared_chunks
    removed = found.old_chunks - found.shared_chunks
    yield (
        f"chunks {number(found.shared_chunks)} shared ({human_size(found.shared)}), "
        f"{number(added)} added ({human_size(found.added)}), "
        f"{number(removed)} removed ({human_size(found.removed)})"
    )
