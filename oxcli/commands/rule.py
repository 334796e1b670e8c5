"""``ox rule``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from oxcli.context import Session
from oxcli.params import REVISION, argument, dry_run_option, json_option, option, verb_group
from oxcli.render.text import plural, table

if TYPE_CHECKING:
    from oxcore.insight.rules import Rule, Tried

_SHOWN = 10  # conflicts
_HEAD = ("rule", "records", "coverage", "agreeing", "conflicts", "gold", "precision")

python_option = option("--allow-python", flag=True, help="Run rules that are code of the dataset.")


@verb_group(
    "ox rule add night-fox --where \"hour(ts) < 6 and prediction = 'fox'\" --label cat",
    "ox rule add dark --python rules/dark.py:dark --label night",
    "ox rule list",
    "ox rule test deployed wild",
    "ox rule apply deployed wild night-fox",
    default=True,
)
def command(session: Session) -> None:
    """Rules that propose labels for captured records: files in rules/, versioned as all others.

    Alone it is ox rule list.
    """
    _list(session, None, as_json=False)


@command.command("add")
@argument("name", required=True, metavar="NAME")
@option("--where", default="", metavar="SQL", help="For the records for which this is true.")
@option("--python", default="", metavar="FILE:FUNCTION", help="As this function of a file says.")
@option("--label", default="", metavar="LABEL", help="What it proposes.")
@option("--about", default="", metavar="TEXT", help="What it is, for people.")
def add(session: Session, name: str, where: str, python: str, label: str, about: str) -> None:
    """Write a rule to rules/NAME.yaml and stage it."""
    with session.open() as repo:
        repo.add_rule(name, label=label, where=where, python=python, about=about)
    session.say(f"rules/{name}.yaml is staged: ox commit keeps it")


@command.command("list")
@option("--rev", kind=REVISION, help="Of this version; of the stage if none is named.")
@json_option
def listing(session: Session, rev: str | None, *, as_json: bool) -> None:
    """The rules of a version."""
    _list(session, rev, as_json=as_json)


@command.command("test")
@argument("branch", kind=REVISION, required=True)
@argument("folder", metavar="DIR", required=True)
@argument("names", many=True, metavar="[NAME]...")
@python_option
@json_option
def test(
    session: Session,
    branch: str,
    folder: str,
    names: tuple[str, ...],
    *,
    allow_python: bool,
    as_json: bool,
) -> None:
    """How many records rules cover, where they conflict, and how often they are right.

    That is counted where a person (source gold, expert or human) said the label; with the interval
    that holds with 95%.
    """
    with session.open() as repo:
        found = repo.test_rules(branch, folder, names, allow_python=allow_python)
    if as_json:
        session.emit_list({**one._asdict(), "precision": one.precision._asdict()} for one in found)
    else:
        session.lines(_tried(found))


@command.command("apply")
@argument("branch", kind=REVISION, required=True)
@argument("folder", metavar="DIR", required=True)
@argument("names", many=True, metavar="[NAME]...")
@python_option
@dry_run_option
@json_option
def apply(
    session: Session,
    branch: str,
    folder: str,
    names: tuple[str, ...],
    *,
    allow_python: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Commit what rules propose onto BRANCH, as labels of the source rule.

    Records that a person labelled are left alone, and those whose rules disagree. ox promote takes
    such labels with --proposed.
    """
    with session.open() as repo:
        made = repo.apply_rules(branch, folder, names, allow_python=allow_python, dry_run=dry_run)
    if as_json:
        session.emit({**made._asdict(), "dry_run": dry_run})
        return
    would = "would propose" if dry_run else "proposed"
    session.echo(f"{would} {plural(len(made.new), 'label')}")
    if made.same:
        session.echo(f"{plural(made.same, 'record')} have it already")
    if made.known:
        session.echo(f"{plural(made.known, 'record')} left alone: a person labelled them")
    if made.conflicts:
        session.echo(f"{plural(len(made.conflicts), 'record')} left alone: the rules disagree")
        session.lines(f"  {one}" for one in made.conflicts[:_SHOWN])


def _list(session: Session, rev: str | None, *, as_json: bool) -> None:
    with session.open() as repo:
        found = repo.rules(rev or ":")
    if as_json:
        session.emit_list(found.values())
    elif not found:
        session.say("no rule is here: ox rule add NAME --where SQL --label LABEL")
    else:
        session.lines(table([(one.name, one.label, _about(one)) for one in found.values()]))


def _about(rule: Rule) -> str:
    return " ".join((rule.about or rule.where or rule.python).split())


def _tried(found: list[Tried]) -> Iterator[str]:
    rows: list[tuple[str, ...]] = [_HEAD]
    for one in found:
        value, low, high = one.precision.value, one.precision.low, one.precision.high
        known = value is not None and low is not None and high is not None
        right = f"{value:.1%} ({low:.1%} to {high:.1%})" if known else "-"
        counts = (f"{n:,}" for n in (one.agreeing, one.conflicts, one.precision.n))
        rows.append((one.name, f"{one.records:,}", f"{one.coverage:.1%}", *counts, right))
    yield from table(rows, "lrrrrrl")
