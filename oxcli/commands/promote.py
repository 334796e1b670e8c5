"""``ox promote``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypedDict, Unpack, cast

from oxcli.context import Session
from oxcli.params import (
    REVISION,
    Choice,
    Number,
    argument,
    dry_run_option,
    json_option,
    option,
    verb,
)
from oxcli.reading import as_of_option, prediction_option, reading, trust_option
from oxcli.render.text import plural, show_path

if TYPE_CHECKING:
    from oxcore.api.training import Target
    from oxcore.insight.promote import Promoted


class Options(TypedDict):
    """The options of ``ox promote``."""

    to: str
    slice_name: str
    where: str
    into: str
    split: float | None
    onto: str
    proposed: bool
    drop_leaks: bool
    as_of: str | None
    prediction: str
    trust: str
    dry_run: bool
    as_json: bool


@verb(
    "ox promote deployed wild --to train --split 0.2",
    "ox promote deployed wild --slice night --to test",
    "ox promote deployed wild --where 'not correct' --to both --into data/digits -n",
    "ox promote deployed wild --to both --onto main",
)
@argument("branch", kind=REVISION, required=True)
@argument("folder", metavar="DIR", required=True)
@option(
    "--to", kind=Choice("train", "test", "both"), required=True, help="The side that is added to."
)
@option("--slice", "slice_name", default="", metavar="NAME", help="The records of a slice.")
@option("--where", default="", metavar="SQL", help="The records for which this is true.")
@option("--into", default="data", metavar="DIR", help="The folder of the dataset; data.")
@option("--split", kind=Number(0, 1, whole=False), help="The test's share, the first time; 0.2.")
@option("--onto", default="", metavar="BRANCH", help="Commit it there, not into this folder.")
@option("--proposed", flag=True, help="Labels too that only a rule or a model gave.")
@option("--drop-leaks", flag=True, help="Leave out what training and test would share.")
@as_of_option
@prediction_option
@trust_option
@dry_run_option
@json_option
def command(session: Session, branch: str, folder: str, **options: Unpack[Options]) -> None:
    """Take labelled records into a dataset to train on and to test with, and stage it.

    A record goes by the hash of its group_key, or else of its input, to the test or to training;
    the share of the test is kept in DIR/split.json, so that none ever moves. --to takes those of
    one side, or of both. The tables are DIR/train.parquet and DIR/test.parquet, inputs lie in
    DIR/media. Refused with the list: what training and test would share of records, bytes, decoded
    pixels, texts or groups.
    """
    with session.open() as repo:
        version, how = reading(
            repo, branch, options["as_of"], options["prediction"], options["trust"]
        )
        place = options["into"]
        into = place.encode() if options["onto"] or repo.bare else session.path(repo, place)
        made = repo.promote(
            version,
            folder,
            to=cast("Target", options["to"]),
            slice_name=options["slice_name"],
            where=options["where"],
            into=into,
            split=options["split"],
            onto=options["onto"],
            proposed=options["proposed"],
            drop_leaks=options["drop_leaks"],
            dry_run=options["dry_run"],
            **how,
        )
    if options["as_json"]:
        session.emit({**_document(made), "into": show_path(into), "dry_run": options["dry_run"]})
        return
    place = f"{session.show(into)}/" if into else ""
    session.lines(_told(made, place, dry_run=options["dry_run"]))
    if made.files and not options["dry_run"]:
        session.say(f"committed on {options['onto']}" if options["onto"] else "staged: ox commit")


def _told(made: Promoted, place: str, *, dry_run: bool) -> Iterator[str]:
    would = "would add" if dry_run else "added"
    for name, total in made.totals.items():
        more = made.relabelled[name]
        labels = f", {plural(more, 'label')} changed" if more else ""
        yield f"{place}{name}: {plural(total, 'row')} ({would} {made.added[name]:,}{labels})"
    if any(path.endswith(b"split.json") for path in made.files):
        yield f"{made.share:.1%} of all groups are for the test, for good"
    if made.same:
        yield f"{plural(made.same, 'record')} there already"
    for why, count in made.left.items():
        if count:
            yield f"{plural(count, 'record')} left aside: {why}"
    for leak in made.leaks:
        yield f"  {leak}"


def _document(made: Promoted) -> dict[str, Any]:
    return {
        "split": made.share,
        "rows": made.totals,
        "added": made.added,
        "relabelled": made.relabelled,
        "same": made.same,
        "left": made.left,
        "leaks": [one._asdict() for one in made.leaks],
        "commit": made.commit,
    }
