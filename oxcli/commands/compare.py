"""``ox compare``."""

from __future__ import annotations

from typing import TypedDict, Unpack

from oxcli.context import Session
from oxcli.params import REVISION, Number, argument, json_option, option, verb
from oxcli.render import proof
from oxcore.errors import InvalidError


class Options(TypedDict):
    """The options of ``ox compare``."""

    alpha: str | None
    max_broken: int | None
    tolerance: str | None
    head: int
    as_json: bool


@verb(
    "ox compare resnet-1 resnet-2",
    "ox compare main:evals/prompt.parquet HEAD:evals/prompt.parquet --max-broken 3",
    "ox compare v1 HEAD --tolerance 0.01 --json",
)
@argument("a", kind=REVISION, required=True)
@argument("b", kind=REVISION, required=True)
@option(
    "--alpha", metavar="P", help="Worse and less likely by chance than P is a regression; 0.05."
)
@option("--max-broken", kind=Number(0), metavar="N", help="More broken than N is one.")
@option("--tolerance", metavar="X", help="Accuracy that falls by more than X is one: 0.01 is 1%.")
@option("-n", "--head", "head", kind=Number(0), default=20, help="Show so many of each kind; 20.")
@json_option
def command(session: Session, a: str, b: str, **options: Unpack[Options]) -> int:
    """What the evaluation B fixes and what it breaks, against A. Exit code 1 on a regression.

    A and B are names of evaluations as they are staged, REV:evals/NAME.parquet, or commits of one.
    A regression is, of the bars that are set, any; if none is, --alpha 0.05: more broke than was
    fixed, and McNemar's exact test says that chance alone does so with less probability.
    """
    with session.open() as repo:
        found = repo.compare_evaluations(
            a,
            b,
            limit=options["head"],
            alpha=_share("--alpha", options["alpha"]),
            max_broken=options["max_broken"],
            tolerance=_share("--tolerance", options["tolerance"]),
        )
    if options["as_json"]:
        session.emit({**found._asdict(), "regression": found.regression})
    else:
        session.lines(proof.comparison(found, session.paint))
    return 1 if found.regression else 0


def _share(name: str, text: str | None) -> float | None:
    try:
        value = None if text is None else float(text)
    except ValueError:
        value = -1.0
    if value is not None and not 0 <= value <= 1:
        raise InvalidError(f"{name} takes a number from 0 to 1, not {text!r}")
    return value
