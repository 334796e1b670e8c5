"""``ox slice``."""

from __future__ import annotations

from typing import TypedDict, Unpack

from oxcli.context import Session
from oxcli.params import REVISION, argument, json_option, option, verb_group
from oxcli.render.text import plural, table
from oxcore.errors import UsageError


class Conditions(TypedDict):
    """What may be said of a slice."""

    about: str
    where: str
    tag: tuple[str, ...]
    records: tuple[str, ...]
    model: tuple[str, ...]
    all_of: tuple[str, ...]
    any_of: tuple[str, ...]
    not_of: tuple[str, ...]


@verb_group(
    "ox slice add night --where 'hour(ts) < 6' --about 'pictures taken at night'",
    "ox slice add unsure --tag blurred --not night",
    "ox slice list",
    "ox slice show night",
    "ox slice test night deployed wild",
    default=True,
)
def command(session: Session) -> None:
    """Name sets of captured records: files in slices/, versioned as all others.

    Alone it is ox slice list.
    """
    _list(session, None, as_json=False)


@command.command("add")
@argument("name", required=True, metavar="NAME")
@option("--about", default="", metavar="TEXT", help="What it is, for people.")
@option("--where", default="", metavar="SQL", help="Records for which this is true.")
@option("--tag", many=True, metavar="TAG", help="Records with this tag; any of several.")
@option("--record", "records", many=True, metavar="ID", help="These records.")
@option("--model", many=True, metavar="MODEL", help="Records of this model; any of several.")
@option("--all", "all_of", many=True, metavar="NAME", help="Records of all these slices.")
@option("--any", "any_of", many=True, metavar="NAME", help="Records of any of these slices.")
@option("--not", "not_of", many=True, metavar="NAME", help="Records of none of these slices.")
def add(session: Session, name: str, **options: Unpack[Conditions]) -> None:
    """Write a slice to slices/NAME.yaml and stage it. What is said must all hold."""
    given = {
        "where": options["where"],
        "tag": list(options["tag"]),
        "records": list(options["records"]),
        "model": list(options["model"]),
        "all": list(options["all_of"]),
        "any": list(options["any_of"]),
        "not": list(options["not_of"]),
    }
    conditions = {key: value for key, value in given.items() if value}
    if not conditions:
        raise UsageError("a slice of what?", hint="--where, --tag, --record, --model, --all ...")
    with session.open() as repo:
        repo.add_slice(name, about=options["about"], **conditions)
    session.say(f"slices/{name}.yaml is staged: ox commit keeps it")


@command.command("list")
@option("--rev", kind=REVISION, help="Of this version; HEAD if none is named.")
@json_option
def listing(session: Session, rev: str | None, *, as_json: bool) -> None:
    """The slices of a version."""
    _list(session, rev, as_json=as_json)


@command.command("show")
@argument("name", required=True, metavar="NAME")
@option("--rev", kind=REVISION, help="Of this version; of the stage if none is named.")
def show(session: Session, name: str, rev: str | None) -> None:
    """The file of a slice."""
    from oxcore.insight.slices import dump, missing

    with session.open() as repo:
        known = repo.slices(rev or ":")
    if name not in known:
        raise missing(name, sorted(known))
    session.echo(dump(known[name]).decode().rstrip("\n"))


@command.command("test")
@argument("name", required=True, metavar="NAME")
@argument("branch", kind=REVISION, required=True)
@argument("folder", metavar="DIR", required=True)
@json_option
def test(session: Session, name: str, branch: str, folder: str, *, as_json: bool) -> None:
    """How many records of BRANCH a slice has, by the slice as it is staged."""
    with session.open() as repo:
        n, total, ids = repo.test_slice(name, branch, folder)
    if as_json:
        session.emit({"name": name, "records": n, "of": total, "first": ids})
        return
    session.echo(f"{name}: {n:,} of {plural(total, 'record')}")
    session.lines(ids)


def _list(session: Session, rev: str | None, *, as_json: bool) -> None:
    with session.open() as repo:
        found = repo.slices(rev or ":")
    if as_json:
        session.emit_list(
            {"name": one.name, "about": one.about, **one.conditions} for one in found.values()
        )
    elif not found:
        session.say("no slice is here: ox slice add NAME --where SQL")
    else:
        session.lines(table([(one.name, one.about) for one in found.values()]))
