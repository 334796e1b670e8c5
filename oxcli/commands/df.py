"""``ox df``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, TypedDict, Unpack

from oxcli.context import Session
from oxcli.params import PATH, REVISION, Number, argument, json_option, option, verb
from oxcli.render import frame
from oxcli.render.json import path_fields
from oxcli.render.text import plural
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


@verb(
    "ox df labels.csv",
    "ox df labels.csv@v1.0 --tail 5 --columns photo,label",
    "ox df boxes.parquet --where 'score > 0.9' --sort 'score desc' --head 20",
    "ox df labels.csv@main~3 --stats",
    "ox df labels.csv --sql 'select label, count(*) from t group by label' --json",
    "ox df labels.csv --sample 1000 --seed 7 -o sample.parquet",
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
    to .parquet, .arrow, .feather, .csv, .tsv, .jsonl or .json.
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
