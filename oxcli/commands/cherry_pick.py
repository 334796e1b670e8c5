"""``ox cherry-pick``."""

from __future__ import annotations

import click

from oxcli.context import Session, pass_session
from oxcli.params import REVISION, json_option, verb
from oxcli.render import replays


@verb(
    "ox cherry-pick topic",
    "ox cherry-pick main..topic",
    "ox cherry-pick -m 1 v1.2",
    "ox cherry-pick --abort",
)
@click.argument("revisions", nargs=-1, type=REVISION)
@click.option("-m", "--mainline", type=int, help="The parent that a merge is compared with.")
@click.option("--abort", is_flag=True, help="Give up the cherry-pick that waits.")
@json_option
@pass_session
def command(
    session: Session,
    revisions: tuple[str, ...],
    *,
    mainline: int | None,
    abort: bool,
    as_json: bool,
) -> None:
    """Repeat the changes of commits on this branch, in the name of their authors.

    A range A..B is picked from its oldest commit on.
    """
    replays.check(revisions, abort=abort)
    with session.open() as repo:
        if abort:
            repo.abort("cherry-pick")
            session.say("gave up the cherry-pick: all is as before it")
            return
        result = repo.cherry_pick(revisions, mainline=mainline)
    if as_json:
        session.emit(replays.document(result))
    else:
        for line in replays.lines("cherry-pick", result):
            session.say(line)
    error = replays.error("cherry-pick", result, session.show)
    if error is not None:
        raise error
