"""``ox blame``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, TypedDict, Unpack

from oxcli.context import Session
from oxcli.params import PATH, REVISION, Number, argument, json_option, option, verb
from oxcli.render import frame, history
from oxcli.render.json import path_fields
from oxcli.targets import file_at
from oxcore.errors import UsageError
from oxcore.model.entries import show_path

if TYPE_CHECKING:
    from oxcore.verbs.tabular.blame import Blame
    from oxcore.verbs.tabular.blametable import BlamedTable


class Options(TypedDict):
    """The options of ``ox blame``."""

    rev: str | None
    key: tuple[str, ...]
    where: str
    head: int | None
    stat: bool
    as_json: bool


@verb(
    "ox blame labels.csv --key id=42",
    "ox blame labels.csv --key photo=a.png,label=cat v1.0",
    "ox blame boxes.parquet --where 'score > 0.9' --json",
    "ox blame labels.csv@main~3 --head 20",
    "ox blame labels.csv --stat",
)
@argument("file", kind=PATH, required=True, metavar="FILE[@REV]")
@argument("rev", kind=REVISION, required=False, metavar="[REV]")
@option("--key", many=True, metavar="COLUMN=VALUE", help="The row with this key; or repeated.")
@option("--where", default="", metavar="SQL", help="The rows for which this is true.")
@option("-n", "--head", "head", kind=Number(0), help="The first rows, so many.")
@option("--stat", flag=True, help="How many rows are as which commit left them.")
@json_option
def command(session: Session, file: str, **options: Unpack[Options]) -> None:
    """Show who set the cells of a table: of the rows named, or of each row the last change.

    With --key or --where, which commit set each cell, by whom and when. A cell is followed back as
    long as a parent's row has the same value, through renames of the file and of columns; at a
    merge, to the first side that has it. In a key, --key id:null asks for a null, --key name= for
    an empty text; --where needs a key: that of the schema, or a column whose values all differ.

    Without, the last commit that changed each row. The version is HEAD if none is named.
    """
    with session.open() as repo:
        path, at = file_at(session, repo, file, options["rev"])
        rev = at or "HEAD"
        name = f"{show_path(path)}@{rev}"
        if options["key"] or options["where"]:
            if options["stat"] or options["head"] is not None:
                raise UsageError("--stat and --head go without --key and --where")
            found = repo.blame(path, options["key"], rev, where=options["where"])
            if options["as_json"]:
                session.emit({**path_fields(path), "id": found.id, **_document(found)})
            else:
                session.lines(history.blamed(found, name, session.paint, frame.width()))
            remarks = found.remarks
        else:
            remarks = _table(session, repo.blame_table(path, rev), options)
        for remark in remarks:
            session.warn(f"skipped: {remark}")


def _table(session: Session, found: BlamedTable, options: Options) -> tuple[str, ...]:
    if options["stat"] and options["as_json"]:
        session.emit_list(history.since_document(one) | {"rows": one.rows} for one in found.since)
    elif options["stat"]:
        session.lines(history.since_counts(found, session.paint))
    elif options["as_json"]:
        session.emit_list(_records(found, options["head"]))
    else:
        session.lines(history.since_rows(found, options["head"], session.paint, frame.width()))
    return found.remarks


def _records(found: BlamedTable, head: int | None) -> Iterator[dict[str, object]]:
    number = found.number(0)
    for _, owners in found.rows(head):
        for at, since in enumerate(owners, number):
            yield {"row": at, **history.since_document(since)}
        number += len(owners)


def _document(found: Blame) -> dict[str, object]:
    rows = [
        {
            "key": row.key,
            "row": row.row.number,
            "cells": [
                {
                    "column": cell.column,
                    "value": row.row.value(cell.column),
                    "commit": cell.id,
                    "author": cell.commit.author,
                    "time": cell.commit.time,
                    "title": cell.commit.title,
                    "path": cell.path,
                    "name": cell.name,
                }
                for cell in row.cells
            ],
        }
        for row in found.rows
    ]
    return {"rows": rows, "skipped": list(found.remarks)}
