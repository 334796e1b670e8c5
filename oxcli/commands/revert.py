"""``ox revert``."""

from __future__ import annotations

from oxcli.context import Session
from oxcli.params import REVISION, Number, argument, json_option, option, verb
from oxcli.render import replays
from oxcli.render.schema import warnings


@verb(
    "ox revert HEAD",
    "ox revert 3f2a9c81",
    "ox revert -m 1 v1.2",
    "ox revert --abort",
)
@argument("revisions", many=True, kind=REVISION)
@option("-m", "--mainline", kind=Number(), help="The parent that a merge is compared with.")
@option("--abort", flag=True, help="Give up the revert that waits.")
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
    """Undo commits by new ones that take their changes back.

    History stays as it is: what was published can be reverted. A range A..B is taken back
    from its newest commit on.
    """
    replays.check(revisions, abort=abort)
    with session.open() as repo:
        if abort:
            repo.abort("revert")
            session.say("gave up the revert: all is as before it")
            return
        result = repo.revert(revisions, mainline=mainline, allow_leak=allow_leak)
    for line in warnings(result.left, session.show):
        session.warn(line)
    if as_json:
        session.emit(replays.document(result))
    else:
        for line in replays.lines("revert", result):
            session.say(line)
    error = replays.error("revert", result, session.show)
    if error is not None:
        raise error
