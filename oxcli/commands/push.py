"""``ox push``."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict, Unpack

from oxcli.context import Session
from oxcli.params import argument, json_option, option, verb
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
@argument("remote", required=False)
@argument("refspecs", many=True, metavar="[NAME|SOURCE:NAME]...")
@option("-u", "--set-upstream", flag=True, help="Follow what it is pushed to.")
@option("--tags", flag=True, help="All tags too.")
@option("--all", "all_branches", flag=True, help="All branches.")
@option(
    "--force-with-lease",
    flag=True,
    help="Drop commits there, if they are those that were last seen.",
)
@option("-d", "--delete", flag=True, help="Delete these branches or tags there.")
@json_option
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
