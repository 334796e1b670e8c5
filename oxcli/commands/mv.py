"""``ox mv``."""

from __future__ import annotations

from oxcli.context import Session
from oxcli.params import PATH, argument, option, verb
from oxcli.render.text import plural

_SHOWN = 20  # files that are named; the rest is counted


@verb("ox mv draft.csv labels.csv", "ox mv a.png b.png photos/", "ox mv raw data/raw")
@argument("sources", many=True, kind=PATH, required=True)
@argument("target", kind=PATH)
@option("-f", "--force", flag=True, help="Overwrite a file. ox undo brings it back.")
def command(session: Session, sources: tuple[str, ...], target: str, *, force: bool) -> None:
    """Move or rename tracked files and folders; into TARGET if that is a folder.

    The schema of a table goes with it.
    """
    with session.work() as repo:
        moves = repo.mv(
            [session.path(repo, source) for source in sources],
            session.path(repo, target),
            force=force,
        )
    for old, new in moves[:_SHOWN]:
        session.say(f"{session.show(old)} -> {session.show(new)}")
    if len(moves) > _SHOWN:
        session.say(f"... and {plural(len(moves) - _SHOWN, 'more file')}")
