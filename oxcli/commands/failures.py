"""``ox failures``."""

from __future__ import annotations

from typing import TypedDict, Unpack

from oxcli.context import Session
from oxcli.params import REVISION, Choice, Number, argument, json_option, option, verb
from oxcli.reading import as_of_option, prediction_option, reading, trust_option
from oxcli.render import frame, report
from oxcli.render.text import plural

_ORDERS = ("worst", "uncertainty", "newest", "oldest", "slowest")


class Options(TypedDict):
    """The options of ``ox failures``."""

    slice_name: str
    where: str
    sort: str
    head: int
    as_of: str | None
    prediction: str
    trust: str
    as_json: bool


@verb(
    "ox failures deployed wild",
    "ox failures deployed wild --slice night --sort uncertainty",
    "ox failures deployed wild --where \"model = 'resnet@3f2c' and latency_ms > 500\" -n 50",
    "ox failures deployed wild --json",
)
@argument("branch", kind=REVISION, required=True)
@argument("folder", metavar="DIR", required=True)
@option("--slice", "slice_name", default="", metavar="NAME", help="The records of a slice.")
@option("--where", default="", metavar="SQL", help="The records for which this is true.")
@option("--sort", kind=Choice(*_ORDERS), default="worst", help="The order; worst first.")
@option("-n", "--head", "head", kind=Number(0), default=20, help="So many; 20.")
@as_of_option
@prediction_option
@trust_option
@json_option
def command(session: Session, branch: str, folder: str, **options: Unpack[Options]) -> None:
    """List records that failed: calls that raised, wrong answers, answers that were voted down.

    With --slice or --where other records are chosen. The columns are those of ox report --by.
    """
    with session.open() as repo:
        version, how = reading(
            repo, branch, options["as_of"], options["prediction"], options["trust"]
        )
        found = repo.failures(
            version,
            folder,
            slice_name=options["slice_name"],
            where=options["where"],
            sort=options["sort"],
            limit=options["head"],
            **how,
        )
        if options["as_json"]:
            session.emit_list(one._asdict() for one in found)
        elif found:
            session.lines(report.examples(found, session.paint, frame.width()))
        else:
            session.say("no record fits")
    if not options["as_json"] and len(found) == options["head"]:
        session.say(f"the first {plural(len(found), 'record')}; more: -n")
