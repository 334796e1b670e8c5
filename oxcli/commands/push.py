"""``ox push``."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict, Unpack

import click

from oxcli.context import Session, pass_session
from oxcli.params import json_option, verb
from oxcli.render.sharing import change_document, change_lines, sent_text

if TYPE_CHECKING:
    from oxcore.verbs.push import Pushed


class Options(TypedDict):
    """What is passed on to ``Repo.push``."""

    set_upstream: bool
    tags: bool
    all_branches: bool
    force_with_lease: bool
    delete: bool


@verb(
    "ox push",
    "ox push -u origin main",
    "ox push origin topic:review --tags",
    "ox push --force-with-lease",
    "ox push origin --delete topic",
)
@click.argument("remote", required=False)
@click.argument("refspecs", nargs=-1, metavar="[NAME|SOURCE:NAME]...")
@click.option("-u", "--set-upstream", is_flag=True, help="Follow what it is pushed to.")
@click.option("--tags", is_flag=True, help="All tags too.")
@click.option("--all", "all_branches", is_flag=True, help="All branches.")
@click.option(
    "--force-with-lease",
    is_flag=True,
    help="Drop commits there, if they are those that were last seen.",
)
@click.option("-d", "--delete", is_flag=True, help="Delete these branches or tags there.")
@json_option
@pass_session
def command(
    session: Session,
    remote: str | None,
    refspecs: tuple[str, ...],
    *,
    as_json: bool,
    **options: Unpack[Options],
) -> None:
    """Send commits and data to REMOTE, and move its branches: all that are named, or none.

    Without names: the present branch, to what it follows, else to the branch of its name, which
    it then follows. A repository that is not on the hub is made. What an interrupted push has sent
    is not sent again.
    """
    with session.open() as repo:
        result = repo.push(remote, refspecs, **options)
    if as_json:
        session.emit(_document(result))
    else:
        _tell(session, result)


def _document(result: Pushed) -> dict[str, object]:
    report = result.report
    return {
        "remote": result.remote or None,
        "url": result.url,
        "created": report.created,
        "refs": [change_document(one) for one in result.changes],
        "sent": {"commits": report.commits, "objects": report.objects, "bytes": report.nbytes},
        "not_sent_again": {"objects": report.spared, "bytes": report.spared_bytes},
        "upstream": result.upstream,
    }


def _tell(session: Session, result: Pushed) -> None:
    if result.report.created:
        session.say(f"made the repository {result.url}")
    if result.changes:
        session.say(f"to {result.url}")
        for line in change_lines(result.changes):
            session.say(line)
        if any(one.new is not None for one in result.changes):
            session.say(sent_text(result.report))
    else:
        session.say(f"{result.url} is up to date")
    if result.upstream is not None:
        session.say(f"the branch follows {result.upstream}")
