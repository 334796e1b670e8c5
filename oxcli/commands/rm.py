"""``ox rm``."""

from __future__ import annotations

from oxcli.context import Session
from oxcli.params import option, paths_argument, verb
from oxcli.render.text import plural

_SHOWN = 20  # files that are named; the rest is counted


@verb("ox rm old.csv", "ox rm -r drafts", "ox rm --cached 'logs/*.txt'")
@paths_argument(required=True)
@option("-r", "--recursive", flag=True, help="Folders, with all that is tracked in them.")
@option("--cached", flag=True, help="Stop tracking; the files stay.")
@option("-f", "--force", flag=True, help="Changed files too. ox undo brings them back.")
def command(
    session: Session, paths: tuple[str, ...], *, recursive: bool, cached: bool, force: bool
) -> None:
    """Remove tracked files from the stage and, without --cached, from the folder.

    The schema of a table goes with it.
    """
    with session.work() as repo:
        changes = repo.rm(
            session.paths(repo, paths), recursive=recursive, cached=cached, force=force
        )
    for change in changes[:_SHOWN]:
        session.say(f"rm {session.show(change.path)}")
    if len(changes) > _SHOWN:
        session.say(f"... and {plural(len(changes) - _SHOWN, 'more file')}")
