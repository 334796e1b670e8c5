"""``ox export``."""

from __future__ import annotations

from typing import TypedDict, Unpack

from oxcli.context import Session
from oxcli.params import PATH, REVISION, Choice, Number, argument, json_option, option, verb
from oxcli.reading import as_of_option, prediction_option, reading, trust_option
from oxcli.render.text import human_size, plural

_FORMATS = ("chat", "preference", "parquet", "hf", "imagefolder", "coco")


class Options(TypedDict):
    """The options of ``ox export``."""

    format_name: str
    output: str
    slice_name: str
    where: str
    split: float | None
    proposed: bool
    as_of: str | None
    prediction: str
    trust: str
    as_json: bool


@verb(
    "ox export deployed wild --format chat -o tuning",
    "ox export deployed wild --format preference --where 'down > 0' -o pairs",
    "ox export deployed wild --format imagefolder --split 0.2 -o pictures",
    "ox export main data --format hf -o digits",
)
@argument("branch", kind=REVISION, required=True)
@argument("folder", metavar="DIR", required=True)
@option("--format", "format_name", kind=Choice(*_FORMATS), required=True, help="What is written.")
@option("-o", "--output", kind=PATH, required=True, metavar="DIR", help="The folder to make.")
@option("--slice", "slice_name", default="", metavar="NAME", help="The records of a slice.")
@option("--where", default="", metavar="SQL", help="The records for which this is true.")
@option("--split", kind=Number(0, 1, whole=False), help="This share is for the test, by group.")
@option("--proposed", flag=True, help="Labels too that only a rule or a model gave.")
@as_of_option
@prediction_option
@trust_option
@json_option
def command(session: Session, branch: str, folder: str, **options: Unpack[Options]) -> None:
    """Write labelled records in a format that trainers read.

    Of captured records, or of a dataset that ox promote made. chat: conversations, the label as the
    assistant's turn; preference: pairs, the label against the answer; parquet: a table and
    the inputs; hf: a dataset of Hugging Face, with its card; imagefolder: a folder a class, with
    metadata.jsonl; coco: boxes. What a format cannot hold is told by record and field, and then
    nothing is written. manifest.json names commits, query, counts and hashes; the same
    commits give the same bytes.
    """
    with session.open() as repo:
        version, how = reading(
            repo, branch, options["as_of"], options["prediction"], options["trust"]
        )
        made = repo.export(
            version,
            folder,
            options["output"],
            options["format_name"],
            slice_name=options["slice_name"],
            where=options["where"],
            split=options["split"],
            proposed=options["proposed"],
            **how,
        )
    if options["as_json"]:
        session.emit({**made.manifest, "output": options["output"]})
        return
    told = ", ".join(f"{name} {plural(n, 'record')}" for name, n in made.counts.items())
    size = f"{plural(made.files, 'file')}, {human_size(made.size)}"
    session.echo(f"{made.format} in {options['output']}: {told} ({size})")
    for why, n in made.skipped.items():
        if n:
            session.echo(f"{plural(n, 'record')} left out: {why}")
