"""``ox blame``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oxcli.context import Session
from oxcli.params import PATH, REVISION, argument, json_option, option, verb
from oxcli.render import frame, history
from oxcli.render.json import path_fields
from oxcli.targets import file_at
from oxcore.model.entries import show_path

if TYPE_CHECKING:
    from oxcore.verbs.blame import Blame


@verb(
    "ox blame labels.csv --key id=42",
    "ox blame labels.csv --key photo=a.png,label=cat v1.0",
    "ox blame boxes.parquet --key id=7 --key id=8 --json",
)
@argument("file", kind=PATH, required=True, metavar="FILE[@REV]")
@argument("rev", kind=REVISION, required=False, metavar="[REV]")
@option("--key", many=True, metavar="COLUMN=VALUE", help="The row with this key; or repeated.")
@json_option
def command(
    session: Session, file: str, *, rev: str | None, key: tuple[str, ...], as_json: bool
) -> None:
    """Show which commit set each cell of a row of a table, by whom and when.

    A cell is followed back as long as a parent's row has the same value, through renames of the
    file and of columns; at a merge, to the first side that has it. The version is HEAD if none is
    named. In a key, --key id:null asks for a null, --key name= for an empty text.
    """
    with session.open() as repo:
        path, at = file_at(session, repo, file, rev)
        found = repo.blame(path, key, at or "HEAD")
        if as_json:
            session.emit({**path_fields(path), "id": found.id, **_document(found)})
        else:
            name = f"{show_path(path)}@{at or 'HEAD'}"
            session.lines(history.blamed(found, name, session.paint, frame.width()))
        for remark in found.remarks:
            session.warn(f"skipped: {remark}")


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
