"""``ox label``."""

from __future__ import annotations

from typing import TypedDict, Unpack

from oxcli.context import Session
from oxcli.params import PATH, argument, json_option, option, verb_group
from oxcli.render.text import fit, number, plural, short_id

_SHOWN = 10


class Options(TypedDict):
    """The options of ``ox label import``."""

    key: str
    value: str
    source: str
    match: str
    author: str
    as_json: bool


@verb_group(
    "ox label import truth.csv --key record_id deployed wild",
    "ox label import truth.parquet --key photo_hash --value species --source expert deployed wild",
    "ox label import truth.csv --key order --match \"params->>'$.order'\" deployed wild",
)
def command(session: Session) -> None:
    """Say what is true of captured records."""


@command.command("import", "ox label import truth.csv --key record_id --value label deployed wild")
@argument("file", kind=PATH, required=True, metavar="FILE|REV:PATH")
@argument("branch", required=True)
@argument("folder", metavar="DIR", required=True)
@option("--key", default="", metavar="COLUMN", help="The column that says which record is meant.")
@option("--value", default="", metavar="COLUMN", help="The column that is the label.")
@option("--source", default="gold", metavar="NAME", help="Where the labels come from; gold.")
@option("--match", default="", metavar="COLUMN|SQL", help="What of a record the key is.")
@option("--author", default="", metavar="NAME", help="Who says so; you, if nobody is named.")
@json_option
def label_import(
    session: Session, file: str, branch: str, folder: str, **options: Unpack[Options]
) -> None:
    """Take ground truth that arrives as a table as labels of records, in one commit on BRANCH.

    The key is the record id or the hash of the input; a column of records by the same name, as
    group_key; or what --match says. Importing the same table again adds nothing.
    """
    with session.open() as repo:
        done = repo.import_labels(
            file,
            branch,
            folder,
            key=options["key"],
            value=options["value"],
            source=options["source"],
            match=options["match"],
            author=options["author"],
        )
    if options["as_json"]:
        session.emit(done)
        return
    head = f"{plural(done.added, 'label')} added, {number(done.known)} known already"
    session.echo(head if done.commit is None else f"{head}: commit {short_id(done.commit)}")
    if done.empty:
        session.echo(f"{plural(done.empty, 'row')} without key or label")
    if done.unmatched:
        session.echo(f"{plural(done.unmatched, 'key')} of no record:")
        session.lines(f"  {fit(key, 60)}" for key in done.first[:_SHOWN])
        if done.unmatched > _SHOWN:
            session.echo(f"  ... and {done.unmatched - _SHOWN:,} more")
