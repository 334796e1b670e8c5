"""``df edit``: a table file of the work tree, changed in its own format."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from typing import BinaryIO, cast

from oxcore.errors import ExistsError, UnstableError, UsageError
from oxcore.model.entries import show_path
from oxcore.repo import Repository
from oxcore.tables import Edits, Table
from oxcore.tables.formatnames import named_format
from oxcore.tables.rewrite import rewrite
from oxcore.tables.rewrite.wishes import Plan, Wish, plan
from oxcore.tables.writing import beside
from oxcore.verbs.tabular.df import open_table


@dataclass(frozen=True, slots=True)
class Edited:
    """What became of a table: ``rows`` afterwards, those that were ``set``, ``added``, ``deleted``;
    columns by name; ``written``: the file that has it now, None where nothing was written."""

    path: bytes
    format: str
    rows: int
    set: int
    added: int
    deleted: int
    columns_added: tuple[str, ...]
    columns_renamed: dict[str, str]
    columns_dropped: tuple[str, ...]
    written: str | None


def edit(
    repo: Repository,
    path: bytes,
    wish: Wish | Edits,
    *,
    output: str | None = None,
    replace: bool = False,
    dry_run: bool = False,
) -> Edited:
    """Change a table file of the work tree, or with ``output`` write its edits to another file.

    The file is replaced as a whole at the end, or not at all. ``dry_run``: everything but that.
    """
    if output is None and repo.worktree is None:
        raise UsageError("a bare repository has no files to edit", hint="write to a file: -o")
    table = open_table(repo, path)
    place = os.path.join(os.fsencode(repo.worktree or "."), path)
    before = _moment(place) if output is None else None
    if output is not None:
        _check_output(table, output, replace=replace)
    made = plan(table, wish) if isinstance(wish, Wish) else _as_plan(wish)
    target = os.path.realpath(os.fsdecode(place)) if output is None else output
    written: str | None = None
    if dry_run or (not made.edits and output is None):
        rows = rewrite(table, made.edits, cast("BinaryIO", _Nowhere()))
    else:
        rows = _write(table, made.edits, target, before)
        written = output if output is not None else show_path(path)
    return _told(path, table, made, rows, written)


def _told(path: bytes, table: Table, made: Plan, rows: int, written: str | None) -> Edited:
    edits = made.edits
    return Edited(
        path,
        table.format,
        rows,
        made.changed,
        made.added,
        made.deleted,
        tuple(name for name, _, _ in edits.added),
        dict(edits.renamed),
        tuple(edits.dropped),
        written,
    )


def _write(table: Table, edits: Edits, target: str, before: tuple[int, ...] | None) -> int:
    """Write beside the target, and put it in its place, unless that changed meanwhile."""
    with beside(target) as temporary:
        with open(temporary, "xb") as file:
            rows = rewrite(table, edits, file)
            file.flush()
            os.fsync(file.fileno())
            if before is not None:
                os.fchmod(file.fileno(), os.stat(target).st_mode & 0o7777)
        if before is not None and _moment(target) != before:
            hint = "run it again: nothing was written"
            raise UnstableError(f"{table.name} changed while it was edited", hint=hint)
    return rows


def _check_output(table: Table, output: str, *, replace: bool) -> None:
    """Raise for a file that is there, and for a name of another format."""
    told, own = named_format(output), (table.format, table.compression)
    if told[0] and told != own:
        shown = [" in ".join(filter(None, one)) for one in (told, own)]
        hint = "ox df FILE -o writes other formats"
        raise UsageError(f"{output} is named as {shown[0]}, and it stays {shown[1]}", hint=hint)
    if os.path.lexists(output) and not replace:
        raise ExistsError(f"{output} is there already", hint="another name, or --force")


def _as_plan(edits: Edits) -> Plan:
    return Plan(edits, len(edits.cells), len(edits.inserted), len(edits.deleted))


def _moment(place: bytes | str) -> tuple[int, ...]:
    found = os.stat(place)
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


class _Nowhere(io.RawIOBase):
    """Takes everything, and keeps nothing."""

    def writable(self) -> bool:
        """True."""
        return True

    def write(self, data: bytes, /) -> int:  # type: ignore[override]  # as it is called here
        """Take all of it."""
        return len(data)
