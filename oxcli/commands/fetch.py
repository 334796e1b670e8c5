"""``ox fetch``."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict, Unpack

from oxcli.context import Session
from oxcli.params import Number, argument, json_option, option, verb
from oxcli.render.sharing import change_lines, fetched_document, fetched_text
from oxcore.errors import UsageError

if TYPE_CHECKING:
    from oxcore.verbs.fetch import Fetched


class Options(TypedDict):
    """What is passed on to ``Repo.fetch``."""

    tags: bool | None
    prune: bool
    depth: int | None
    unshallow: bool


@verb(
    "ox fetch",
    "ox fetch origin main",
    "ox fetch --all --prune",
    "ox fetch --unshallow",
)
@argument("remote", required=False)
@argument("branches", many=True)
@option("--all", "everywhere", flag=True, help="From every remote.")
@option("-p", "--prune", flag=True, help="Forget branches that are gone there.")
@option("--tags/--no-tags", default=None, help="Get tags; by default with all branches.")
@option("--depth", kind=Number(), metavar="N", help="Only the last N commits of each branch.")
@option("--unshallow", flag=True, help="Get the history that --depth left out.")
@json_option
def command(
    session: Session,
    remote: str | None,
    branches: tuple[str, ...],
    *,
    everywhere: bool,
    as_json: bool,
    **options: Unpack[Options],
) -> None:
    """Get branches, tags and data of REMOTE; your branches and files stay as they are.

    REMOTE is a name, a path or a URL; if left out, the one that this branch follows, else origin.
    """
    if everywhere and remote is not None:
        raise UsageError("--all takes no remote")
    with session.open() as repo:
        names = [one.name for one in repo.remotes()] if everywhere else [remote]
        results = [repo.fetch(name, branches, **options) for name in names]
    if as_json:
        documents = [fetched_document(one) for one in results]
        session.emit(documents if everywhere else documents[0])
        return
    for one in results:
        _tell(session, one)


def _tell(session: Session, result: Fetched) -> None:
    received = fetched_text(result.report)
    if not result.changes and not received:
        session.say(f"nothing new on {result.remote or result.url}")
        return
    session.say(f"from {result.url}")
    for line in [*change_lines(result.changes), *([received] if received else [])]:
        session.say(line)
