"""``ox switch``."""

from __future__ import annotations

from oxcli.context import Session
from oxcli.params import REVISION, argument, json_option, option, verb
from oxcli.render.branches import switched_document, switched_lines
from oxcore.errors import UsageError


@verb(
    "ox switch topic",
    "ox switch -",
    "ox switch -c topic",
    "ox switch -c fix v1.2",
    "ox switch --detach HEAD~2",
)
@argument("target", required=False, kind=REVISION)
@option("-c", "--create", metavar="NAME", help="Make a branch (at TARGET) and go to it.")
@option("-d", "--detach", flag=True, help="Go to any revision, on no branch.")
@option(
    "-f",
    "--force",
    "--discard-changes",
    flag=True,
    help="Give up changes that are in the way; ox undo brings them back.",
)
@json_option
def command(
    session: Session,
    target: str | None,
    *,
    create: str | None,
    detach: bool,
    force: bool,
    as_json: bool,
) -> None:
    """Go to another branch; '-' is the one before.

    Changed files come along; if they are in the way, nothing happens and they are listed. The
    name of a branch that only a remote has makes one here that follows it.
    """
    if target is None and create is None and not detach:
        raise UsageError("switch where?", hint="ox branch lists the branches")
    if create is not None and detach:
        raise UsageError("--create and --detach exclude each other")
    with session.open() as repo:
        done = repo.switch(target, create=create, detach=detach, force=force)
    if as_json:
        session.emit(switched_document(done))
    else:
        for line in switched_lines(done):
            session.say(line)
