"""``ox diff``."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, TypedDict, TypeVar, Unpack

from oxcli.context import Session
from oxcli.params import PATH, REVISION, Number, argument, json_option, option, verb
from oxcli.render import changes, patch
from oxcli.render.text import plural, show_path
from oxcli.targets import split, two_files
from oxcore.errors import InvalidError, UsageError

if TYPE_CHECKING:
    from oxcore.api import Repo
    from oxcore.repo.changes import FileChange
    from oxcore.verbs.comparing.details import Detail
    from oxcore.verbs.comparing.pair import Pair
    from oxcore.verbs.comparing.tablediff import TableDiff
    from oxcore.verbs.diff import Difference


Inside = TypeVar("Inside")

_ROWS = 1000  # of a table that are shown
_SCREEN = 40  # on a terminal
_WHOLE = 10  # of a table that one side alone has


class Options(TypedDict):
    """The options of ``ox diff``."""

    staged: bool
    stat: bool
    name_status: bool
    no_renames: bool
    files: bool
    keys: tuple[str, ...]
    ordered: bool
    tolerance: float
    text: bool
    everything: bool
    output: str | None
    force: bool
    exit_code: bool
    as_json: bool


@verb(
    "ox diff",
    "ox diff --staged",
    "ox diff v1.0..v2.0 --stat",
    "ox diff main...topic -- labels.csv",
    "ox diff --name-status HEAD~3 -- 'photos/*.png'",
    "ox diff HEAD~1 --keys photo,frame --tolerance 1e-6 -- boxes.parquet",
    "ox diff labels.csv@v1.0 labels.parquet",
    "ox diff --files old.csv new.csv -o diff.parquet",
    parted=True,
)
@argument("arguments", metavar="[REVISION]... [--] [PATH]...", many=True, kind=REVISION)
@option("--staged", "--cached", flag=True, help="HEAD, or REVISION, with the stage.")
@option("--stat", flag=True, help="A line for each file, with sizes, and rows of tables.")
@option("--name-status", flag=True, help="Letter and path, for scripts.")
@option("--no-renames", flag=True, help="Show a renamed file as removed and added.")
@option("--files", flag=True, help="Compare two files, FILE[@REV] FILE[@REV].")
@option("--keys", many=True, metavar="NAMES", help="Key columns of tables, with commas.")
@option("--ordered", flag=True, help="The order of rows counts.")
@option(
    "--tolerance",
    kind=Number(0, whole=False),
    default=0.0,
    metavar="X",
    help="Numbers in tables that are at most X apart are the same.",
)
@option("--text", flag=True, help="Tables as lines, or chunks.")
@option("--all", "everything", flag=True, help="All rows of a table.")
@option("-o", "--output", kind=PATH, help="Write the rows of one table to a file.")
@option("-f", "--force", flag=True, help="Replace the file that -o names.")
@option("--exit-code", flag=True, help="Exit with 1 if anything differs.")
@json_option
def command(session: Session, arguments: tuple[str, ...], **options: Unpack[Options]) -> int:
    """Show what differs: rows of tables, lines of text, pixels of images, chunks of other files.

    Without REVISION the work tree against the stage; with one, against that version. A..B
    compares two versions, A...B what B changed since it left A. Files that are not tracked are
    no part of it.

    Tables are told by their names: .csv .tsv .jsonl .ndjson .json (of records) .parquet .pq
    .arrow .feather .arrows, text also with .gz or .zst; with --keys, or a schema, any file. Rows
    belong together that have the same key: of --keys, else of the table's schema, else one that
    is found; without any, whole rows are compared. The first 1,000 rows that differ are shown, 40
    on a terminal, and 10 of a table that is new or gone; --all shows all, -o writes all. A file
    that is no readable table is compared as text or by chunks, and it is said why.

    Two files are compared, whatever their names and formats, where one of two arguments is FILE@REV
    or REV:FILE, or with --files.
    """
    with session.open() as repo:
        found = _Counted(_compared(session, repo, arguments, options))
        if options["output"] is not None:
            _write(session, found, options["output"], force=options["force"])
        elif options["as_json"]:
            session.emit_list(_records(found, options))
        else:
            session.lines(_lines(session, found, options))
        return 1 if options["exit_code"] and found.count else 0


class _Counted:
    """Changes, counted while they go by; two files whose rows are the same do not differ."""

    def __init__(self, found: Difference | Pair) -> None:
        self._found = found
        self.count = 0

    def __iter__(self) -> Iterator[FileChange]:
        for change in self._found:
            self.count += 1
            yield change

    def detail(self, change: FileChange) -> Detail | None:
        """What differs inside."""
        return self._weighed(self._found.detail(change))

    def table(self, change: FileChange) -> TableDiff | None:
        """The rows that differ."""
        return self._weighed(self._found.table(change))

    def _weighed(self, found: Inside) -> Inside:
        from oxcore.verbs.comparing.pair import Pair
        from oxcore.verbs.comparing.tablediff import TableDiff

        if isinstance(self._found, Pair) and isinstance(found, TableDiff) and not found:
            self.count = 0
        return found


def _compared(
    session: Session, repo: Repo, arguments: tuple[str, ...], options: Options
) -> Difference | Pair:
    how = {"ordered": options["ordered"], "text": options["text"]}
    keys = [name for text in options["keys"] for name in text.split(",")]
    files = two_files(session, repo, arguments, asked=options["files"])
    if files is not None:
        if options["staged"]:
            raise UsageError("--staged compares versions, not two files", hint="FILE@: is staged")
        (old, old_rev), (new, new_rev) = files
        revs = (old_rev, new_rev)
        return repo.compare(old, new, revs, keys=keys, tolerance=options["tolerance"], **how)
    revisions, paths = split(session, repo, arguments)
    return repo.diff(
        *revisions,
        staged=options["staged"],
        paths=paths,
        renames=not options["no_renames"],
        keys=keys,
        tolerance=options["tolerance"],
        **how,
    )


def _records(found: _Counted, options: Options) -> Iterator[dict[str, object]]:
    if options["stat"] and not options["name_status"]:
        return (patch.counted(found, one) for one in found)
    limits, inside = _limits(options, terminal=False), not options["name_status"]
    return (record for one in found for record in patch.document(found, one, limits, inside=inside))


def _lines(session: Session, found: _Counted, options: Options) -> Iterator[str]:
    if options["name_status"]:
        return _name_status(found)
    if options["stat"]:
        return changes.listed(found, session.paint, more=lambda one: _rows(found, one))
    limits = _limits(options, terminal=sys.stdout.isatty())
    return (line for one in found for line in patch.lines(found, one, session.paint, limits))


def _limits(options: Options, *, terminal: bool) -> patch.Limits:
    if options["everything"]:
        return patch.Limits()
    return patch.Limits(_SCREEN if terminal else _ROWS, _WHOLE)


def _rows(found: _Counted, change: FileChange) -> str:
    """What ``--stat`` says of a table; nothing of other files."""
    try:
        table = found.table(change)
    except InvalidError as error:
        from oxcli.render.text import clean

        return f"  (not compared by rows: {clean(error.message)})"
    if table is None:
        return ""
    from oxcli.render import rows  # only for tables: Arrow comes with them

    with table:
        return f"  ({rows.counts(table)})"


def _write(session: Session, found: _Counted, output: str, *, force: bool) -> None:
    from oxcore.tables import check_name

    check_name(output)
    tables = (table for one in found if (table := found.table(one)) is not None)
    first = next(tables, None)
    if first is None:
        raise UsageError("no table differs, so that there are no rows to write", hint="ox diff")
    with first:
        if _another(tables):
            hint = "name it: ox diff -o FILE -- TABLE"
            raise UsageError("rows of one table are written, and more of them differ", hint=hint)
        count = first.rows.write(output, replace=force)
        session.say(f"wrote {plural(count, 'row')} to {output}")


def _another(tables: Iterator[TableDiff]) -> bool:
    for table in tables:
        table.close()
        return True
    return False


def _name_status(found: Iterable[FileChange]) -> Iterator[str]:
    for one in found:
        paths = [one.path] if one.old_path is None else [one.old_path, one.path]
        yield "\t".join((one.letter, *map(show_path, paths)))
