"""``ox sql``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, TypedDict, Unpack

from oxcli.context import Session
from oxcli.params import PATH, Number, argument, json_option, option, verb
from oxcli.render import frame
from oxcli.render.text import plural

if TYPE_CHECKING:
    from oxcore.tables import Picked

_HEAD = 40  # rows that are shown


class Options(TypedDict):
    """The options of ``ox sql``."""

    head: int | None
    output: str | None
    force: bool
    as_json: bool


@verb(
    "ox sql \"select label, count(*) from 'labels.csv' group by label\"",
    "ox sql \"select a.id, b.label, a.label from 'labels.csv'@'main~3' a join 'labels.csv' b"
    ' using (id) where a.label <> b.label"',
    "ox sql \"select file, count(*) from 'parts/*.csv'@'v1' group by file\" --json",
    "ox sql \"from 'boxes.parquet' where score > 0.9\" -o good.parquet",
)
@argument("query", required=True)
@option("-n", "--head", "head", kind=Number(0), help="The first rows, so many; 40 are shown.")
@option("-o", "--output", kind=PATH, help="Write to a file; its name says the format.")
@option("-f", "--force", flag=True, help="Replace the file that -o names.")
@json_option
def command(session: Session, query: str, **options: Unpack[Options]) -> None:
    """Ask several table files, of several versions, with one query.

    'FILE' is that of the work tree, 'FILE'@'REV' that of a version; 'data/*.csv' are all files
    that fit, with a column "file". The query sees these tables and nothing else, and only reads;
    a table without an alias is called "FILE" or "FILE@REV". Its SQL is DuckDB's.
    """
    from oxcore.tables import Part, check_name

    head, output = options["head"], options["output"]
    if output is not None:
        check_name(output)
    if head is None and output is None and not options["as_json"]:
        head = _HEAD
    part = Part("all") if head is None else Part("head", head)
    with session.open() as repo, repo.sql(query, part, here=session.here) as rows:
        if output is not None:
            count = rows.write(output, replace=options["force"])
            session.say(f"wrote {plural(count, 'row')} to {output}")
        elif options["as_json"]:
            session.emit_list(frame.records(rows))
        else:
            session.lines(_view(session, rows))


def _view(session: Session, rows: Picked) -> Iterator[str]:
    cells = frame.cells(rows)
    yield from frame.frame(rows.schema, rows.nulls, cells, session.paint, frame.width())
    yield ""
    yield session.paint(plural(rows.total, "row"), "bold")
    yield from frame.left_out(len(cells[0]) if cells else 0, rows.total, "head", session.paint)
