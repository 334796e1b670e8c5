"""``ox df``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, TypedDict, Unpack

from oxcli.context import Session
from oxcli.params import (
    PATH,
    REVISION,
    Number,
    argument,
    dry_run_option,
    json_option,
    option,
    verb_group,
)
from oxcli.render import frame
from oxcli.render.json import path_fields
from oxcli.render.text import plural
from oxcli.tableedits import EditOptions, told, wish_of
from oxcli.targets import file_at
from oxcore.errors import UsageError

if TYPE_CHECKING:
    from oxcore.tables import Part, Picked, Query, Table

_HEAD = 10  # rows that are shown


class Options(TypedDict):
    """The options of ``ox df``."""

    rev: str | None
    head: int | None
    tail: int | None
    sample: int | None
    seed: int
    columns: tuple[str, ...]
    where: str
    sort: str
    sql: str
    stats: bool
    output: str | None
    force: bool
    as_json: bool


@verb_group(
    "ox df labels.csv",
    "ox df labels.csv@v1.0 --tail 5 --columns photo,label",
    "ox df boxes.parquet --where 'score > 0.9' --sort 'score desc' --head 20",
    "ox df labels.csv@main~3 --stats",
    "ox df labels.csv --sql 'select label, count(*) from t group by label' --json",
    "ox df labels.csv --sample 1000 --seed 7 -o sample.parquet",
    "ox df edit labels.csv --set label=cat --key id=42",
    default=True,
)
@argument("file", kind=PATH, required=True, metavar="FILE[@REV]")
@option("--rev", kind=REVISION, help="The version; the work tree if none is named.")
@option("-n", "--head", "head", kind=Number(0), help="The first rows, so many; 10 if none is said.")
@option("--tail", kind=Number(0), help="The last rows, so many.")
@option("--sample", kind=Number(0), help="So many rows by chance, in their order.")
@option("--seed", kind=Number(0), default=0, help="Another sample for each number; 0.")
@option("--columns", many=True, metavar="NAMES", help="These columns, with commas; or repeated.")
@option("--where", default="", metavar="SQL", help="The rows for which this is true.")
@option("--sort", default="", metavar="SQL", help="In this order, as in 'price desc, id'.")
@option("--sql", default="", metavar="QUERY", help="What a query of the table t gives.")
@option("--stats", flag=True, help="Counts, extremes, quantiles, frequent values, by column.")
@option("-o", "--output", kind=PATH, help="Write to a file; its name says the format.")
@option("-f", "--force", flag=True, help="Replace the file that -o names.")
@json_option
def command(session: Session, file: str, **options: Unpack[Options]) -> None:
    """Show a table file: its shape, columns with types and nulls, and some of its rows.

    Reads CSV, TSV, JSON Lines, JSON arrays, Parquet and Arrow, text also in gzip and zstd,
    whatever the file is called. The work tree's file, unless a version is named: FILE@REV, REV:FILE
    or --rev. With -o all rows are written, unless --head, --tail or --sample says which;
    to .parquet, .arrow, .feather, .csv, .tsv, .jsonl or .json. ox df edit changes a file; one
    that is called edit is ./edit.
    """
    from oxcore.tables import check_name

    part, output = _part(options), options["output"]
    if output is not None:
        check_name(output)
    with session.open() as repo:
        path, rev = file_at(session, repo, file, options["rev"])
        table = repo.table(path, rev)
        head: dict[str, object] = {**path_fields(path), "rev": rev}
        query = _query(options, table)
        if options["stats"]:
            _stats(session, table, query, head, as_json=options["as_json"])
            return
        with table.pick(query, part) as rows:
            if output is not None:
                count = rows.write(output, replace=options["force"])
                session.say(f"wrote {plural(count, 'row')} to {output}")
            elif options["as_json"]:
                session.emit({**head, **_document(table, rows)})
            else:
                session.lines(_view(session, table, rows, part))


def _part(options: Options) -> Part:
    from oxcore.tables import Part

    named = [(kind, options[kind]) for kind in ("head", "tail", "sample")]
    given = [(kind, n) for kind, n in named if n is not None]
    if len(given) > 1:
        raise UsageError("--head, --tail and --sample exclude each other")
    if not given:
        return Part("all") if options["output"] else Part("head", _HEAD)
    return Part(*given[0], options["seed"])


def _query(options: Options, table: Table) -> Query:
    from oxcore.tables import Query

    columns: list[str] = []
    for text in options["columns"]:
        columns += [text] if text in table.schema.names else text.split(",")
    return Query(tuple(columns), options["where"], options["sort"], options["sql"])


def _view(session: Session, table: Table, rows: Picked, part: Part) -> Iterator[str]:
    form = " ".join(filter(None, (table.format, table.compression)))
    size = f"{plural(rows.total, 'row')} x {plural(len(rows.schema), 'column')}"
    yield session.paint(f"{table.name}: {size}", "bold") + f" ({form})"
    cells = frame.cells(rows)
    shown = len(cells[0]) if cells else 0
    yield ""
    yield from frame.frame(rows.schema, rows.nulls, cells, session.paint, frame.width())
    yield from frame.left_out(shown, rows.total, part.kind, session.paint)


def _document(table: Table, rows: Picked) -> dict[str, object]:
    return {
        "format": table.format,
        "compression": table.compression or None,
        "rows": rows.total,
        "columns": [
            {"name": field.name, "type": str(field.type), "nulls": nulls}
            for field, nulls in zip(rows.schema, rows.nulls, strict=True)
        ],
        "data": list(frame.records(rows)),
    }


def _stats(
    session: Session, table: Table, query: Query, head: dict[str, object], *, as_json: bool
) -> None:
    found = table.stats(query)
    if as_json:
        session.emit({**head, "format": table.format, "columns": [asdict(one) for one in found]})
        return
    total = found[0].count + found[0].nulls if found else 0
    size = f"{plural(total, 'row')} x {plural(len(found), 'column')}"
    session.echo(session.paint(f"{table.name}: {size}", "bold"))
    for one in found:
        session.echo()
        session.lines(frame.stats(one, session.paint, frame.width()))


@command.command(
    "edit",
    "ox df edit labels.csv --set label=cat --key id=42",
    "ox df edit boxes.parquet --set-sql 'score=score / 100' --where 'score > 1' -n",
    "ox df edit labels.csv --rename-column lable=label --add-column checked:bool=false",
    "ox df edit labels.csv --from corrections.csv --keys id",
    """ox df edit labels.csv --append '{"id": 43, "label": "dog"}'""",
    "ox df edit labels.csv --delete --where 'label is null'",
)
@argument("file", kind=PATH, required=True)
@option("--add-column", "add", many=True, metavar="NAME[:TYPE][=VALUE]", help="Last; else null.")
@option("--rename-column", "rename", many=True, metavar="OLD=NEW", help="Call it otherwise.")
@option("--drop-column", "drop", many=True, metavar="NAME", help="Leave it out.")
@option("--set", "sets", many=True, metavar="COLUMN=VALUE", help="In all rows, or in those named.")
@option("--set-null", "nulls", many=True, metavar="COLUMN", help="The same, to null.")
@option("--set-sql", "sql", many=True, metavar="COLUMN=EXPR", help="The same, to what SQL gives.")
@option("--delete", flag=True, help="Delete the rows named.")
@option("--where", default="", metavar="SQL", help="The rows for which this is true.")
@option("--row", "rows", kind=Number(1), many=True, help="The row of this number; the first is 1.")
@option("--key", "keys", many=True, metavar="COLUMN=VALUE", help="The row with it: id=42.")
@option("--append", many=True, metavar="JSON", help="New rows: records, @FILE or - (stdin).")
@option("--from", "other", kind=PATH, metavar="FILE[@REV]", help="Rows of another table.")
@option("--keys", "by", default="", metavar="COLUMNS", help="By these it updates, then adds.")
@option("-o", "--output", kind=PATH, help="Write there, in the same format; else in place.")
@option("-f", "--force", flag=True, help="Replace the file that -o names.")
@dry_run_option
@json_option
def edit(session: Session, file: str, **options: Unpack[EditOptions]) -> None:
    """Change a table file: its columns, cells and rows.

    The file of the work tree is written again in its own format. Of text each byte that is not
    edited stays as it is; Parquet and Arrow keep schema, metadata, codecs and row groups. A value
    is read by the type of its column (null and nothing are null where it is not text); CSV takes
    any. --where, --row and --key name rows and columns as they were. All of it happens at once,
    or not at all, and nothing is staged.
    """
    with session.open() as repo:
        path = session.path(repo, file)
        table = repo.table(path)
        other = None
        if options["other"] is not None:
            other = repo.table(*file_at(session, repo, options["other"], None))
        edited = repo.edit_table(
            path,
            wish_of(options, table, other),
            output=options["output"],
            replace=options["force"],
            dry_run=options["dry_run"],
        )
        if options["as_json"]:
            fields = {**asdict(edited), **path_fields(path)}
            session.emit({**fields, "dry_run": options["dry_run"]})
        else:
            session.say(told(session.show(path), edited, dry_run=options["dry_run"]))
