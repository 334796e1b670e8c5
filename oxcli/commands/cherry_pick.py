"""``ox cherry-pick``."""

from __future__ import annotations

from oxcli.context import Session
from oxcli.params import REVISION, Number, argument, json_option, option, verb
from oxcli.render import replays
from oxcli.render.schema import warnings


@verb(
    "ox cherry-pick topic",
    "ox cherry-pick main..topic",
    "ox cherry-pick -m 1 v1.2",
    "ox cherry-pick --abort",
)
@argument("revisions", many=True, kind=REVISION)
@option("-m", "--mainline", kind=Number(), help="The parent that a merge is compared with.")
@option("--abort", flag=True, help="Give up the cherry-pick that waits.")
@option("--allow-leak", flag=True, help="Let test data leak into training, and note it.")
@json_option
def command(
    session: Session,
    revisions: tuple[str, ...],
    *,
    mainline: int | None,
    abort: bool,
    allow_leak: bool,
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
        result = repo.cherry_pick(revisions, mainline=mainline, allow_leak=allow_leak)
    for line in warnings(result.left, session.show):
        session.warn(line)
    if as_json:
        session.emit(replays.document(result))
    else:
        for line in replays.lines("cherry-pick", result):
            session.say(line)
    error = replays.error("cherry-pick", result, session.show)
    if error is not None:
        raise error
