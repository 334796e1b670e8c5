"""``ox eval``."""

from __future__ import annotations

from typing import TypedDict, Unpack

from oxcli.context import Session
from oxcli.params import Number, json_option, option, verb
from oxcli.render import proof
from oxcli.render.text import short_id


class Options(TypedDict):
    """The options of ``ox eval``."""

    pred: str
    on: str
    key: str
    name: str
    truth: str
    prediction: str
    match: str
    by: tuple[str, ...]
    within: float
    no_commit: bool
    as_json: bool


@verb(
    "ox eval --pred predictions.csv --on main:gold.csv --key photo",
    "ox eval --pred deployed:wild --on main:gold.csv --key photo_hash --name resnet-3f2c",
    "ox eval --pred main:out/new.parquet --on v1:gold.csv --by time_of_day --no-commit",
)
@option("--pred", required=True, metavar="FILE|BRANCH[:DIR]", help="What was predicted.")
@option("--on", required=True, metavar="REV:PATH", help="The table that says what is true.")
@option("--key", default="", metavar="COLUMN", help="What tells rows apart, in both tables.")
@option("--name", default="", metavar="NAME", help="Of the evaluation; that of what is measured.")
@option("--truth", default="", metavar="COLUMN", help="The truth, if it is not called so.")
@option("--prediction", default="", metavar="COLUMN", help="The prediction, likewise.")
@option("--match", default="", metavar="COLUMN", help="The column of records that the key is.")
@option(
    "--by", many=True, metavar="COLUMN", help="Figures for each value of a column of the truth."
)
@option(
    "--within",
    kind=Number(0, whole=False),
    default=0.0,
    metavar="X",
    help="A number is right if it is off by no more.",
)
@option("--no-commit", flag=True, help="Leave it staged.")
@json_option
def command(session: Session, **options: Unpack[Options]) -> None:
    """Measure predictions against a truth, and keep the evaluation as a commit.

    Predictions are a table with a key, a prediction and perhaps a confidence: a file, or one of a
    version; or records that ox.save put on a branch, matched by record id or by the hash of their
    input. A key of the truth without a prediction is wrong. The evaluation is evals/NAME.parquet
    and evals/NAME.json; the same inputs give the same bytes. See ox compare for two of them.
    """
    with session.open() as repo:
        done = repo.evaluate(
            options["pred"],
            options["on"],
            key=options["key"],
            name=options["name"],
            commit=not options["no_commit"],
            truth=options["truth"],
            prediction=options["prediction"],
            match=options["match"],
            by=options["by"],
            within=options["within"],
        )
    if options["as_json"]:
        session.emit({**proof.document(done.evaluation), "commit": done.commit})
        return
    session.lines(proof.evaluation(done.evaluation, session.paint))
    stem = f"evals/{done.evaluation.name}.parquet"
    if done.commit is not None:
        session.say(f"{stem} is commit {short_id(done.commit)}")
    else:
        session.say(f"{stem} is staged" if options["no_commit"] else f"{stem} is as it was")
