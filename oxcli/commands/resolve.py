"""``ox resolve``."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict, Unpack

from oxcli.context import Session
from oxcli.params import PATH, json_option, option, paths_argument, verb
from oxcli.render.branches import conflict_document, conflict_lines
from oxcli.render.text import plural
from oxcore.errors import UsageError

if TYPE_CHECKING:
    from oxcore.api import Repo
    from oxcore.tables.rowmerge.decisions import Given
    from oxcore.verbs.resolve import Side


class Options(TypedDict):
    """The options of ``ox resolve``."""

    ours: bool
    theirs: bool
    both: bool
    cells: tuple[str, ...]
    table: str | None
    listing: bool
    as_json: bool


_LISTED = 20  # settled files that are named; the rest is counted


@verb(
    "ox resolve --list",
    "ox resolve --ours labels.csv",
    "ox resolve --theirs 'images/*.png'",
    "ox resolve --both data",
    "ox resolve labels.csv --set 42.label=cat --set 43.label=dog",
    "ox resolve boxes.parquet --set 'id=42,frame=3.label=cat'",
    "ox resolve labels.csv --set-from decisions.csv",
)
@paths_argument()
@option("--ours", flag=True, help="Keep what this branch has.")
@option("--theirs", flag=True, help="Take what the other side has.")
@option("--both", flag=True, help="Keep ours, and put theirs beside as NAME.theirs.EXT.")
@option("--set", "cells", many=True, metavar="KEY.COLUMN=VALUE", help="Settle a cell of a table.")
@option("--set-from", "table", kind=PATH, help="Cells in a table: columns key, column, value.")
@option("-l", "--list", "listing", flag=True, help="Show what is open.")
@json_option
def command(session: Session, paths: tuple[str, ...], **options: Unpack[Options]) -> None:
    """Settle conflicts of a merge, a cherry-pick or a revert, file by file or cell by cell.

    To mix both sides by hand, edit the file and add it: ox add PATH.

    Of a table whose rows were merged, --ours and --theirs settle the cells that are open, and the
    rest stays merged; --both takes the files as wholes. --set settles one cell, by its name as ox
    conflicts has it: the value of the key, a dot, the column. Several key columns are
    id=42,frame=3. A part that holds a dot, comma, equal sign or quote may stand in double quotes:
    '"img.1.jpg".label=cat'. The value is all behind the equal sign; nothing is null, "" an
    empty text. Of a whole row or column it is ours or theirs. --set-from takes a table with the
    columns key, column and value; rows without a value decide nothing.
    """
    sides: tuple[Side, ...] = ("ours", "theirs", "both")
    chosen = [side for side in sides if options[side]]
    by_cell = bool(options["cells"]) or options["table"] is not None
    with session.open() as repo:
        if by_cell:
            if chosen or options["listing"]:
                raise UsageError("--set and --set-from go without a side")
            _set(session, repo, paths, options)
        elif options["listing"] or not (chosen or paths):
            if chosen or paths:
                raise UsageError("--list takes nothing else")
            _list(session, repo, as_json=options["as_json"])
        else:
            _by_side(session, repo, paths, chosen, as_json=options["as_json"])


def _by_side(
    session: Session, repo: Repo, paths: tuple[str, ...], chosen: list[Side], *, as_json: bool
) -> None:
    """Settle files by a side."""
    if len(chosen) != 1:
        raise UsageError("say which side: one of --ours, --theirs, --both")
    if not paths:
        raise UsageError("resolve what?", hint=f"ox resolve --{chosen[0]} PATH, '.' for all")
    before = repo.pending()
    settled = repo.resolve(session.paths(repo, paths), chosen[0])
    pending = repo.pending()
    left = len(pending.conflicts) if pending else 0
    if as_json:
        session.emit({"settled": [conflict_document(one) for one in settled], "open": left})
        return
    for one in settled[:_LISTED]:
        rest = before.cells(one.path) if before and chosen[0] != "both" else None
        more = f" in {plural(rest.left, 'place')}, the rest stays merged" if rest else ""
        session.say(f"settled with {chosen[0]}: {session.show(one.path)}{more}")
    if len(settled) > _LISTED:
        session.say(f"... and {len(settled) - _LISTED:,} more")
    session.say(f"{plural(left, 'conflict')} open" if left else "all settled: ox commit ends it")


def _set(session: Session, repo: Repo, paths: tuple[str, ...], options: Options) -> None:
    """Settle cells of one table."""
    if len(paths) != 1:
        raise UsageError("cells of which table?", hint="ox resolve FILE --set KEY.COLUMN=VALUE")
    path = session.path(repo, paths[0])
    cells: list[Given | str] = list(options["cells"])
    if options["table"] is not None:
        cells += repo.given_cells(options["table"], path)
    done = repo.resolve_cells(path, cells)
    pending = repo.pending()
    left = len(pending.conflicts) if pending else 0
    if options["as_json"]:
        session.emit({"path": path, "settled": done.done, "left": done.left, "open": left})
        return
    session.say(f"settled {plural(done.done, 'place')} of {session.show(path)}, {done.left:,} left")
    if not left:
        session.say("all settled: ox commit ends it")


def _list(session: Session, repo: Repo, *, as_json: bool) -> None:
    pending = repo.pending()
    conflicts = pending.conflicts if pending else ()
    if as_json:
        verb_name = pending.verb if pending else None
        found = (
            [conflict_document(one, pending.table(one.path)) for one in conflicts]
            if pending
            else []
        )
        session.emit({"verb": verb_name, "conflicts": found})
    elif pending is None:
        session.say("nothing waits")
    elif not conflicts:
        session.say(f"no conflict of the {pending.verb} is open: ox commit ends it")
    else:
        session.lines(conflict_lines(conflicts, session.show, pending.tables))
