"""``ox conflicts``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oxcli.context import Session
from oxcli.params import PATH, json_option, option, paths_argument, verb
from oxcli.render import conflicts as render
from oxcli.render.text import plural

if TYPE_CHECKING:
    from oxcore.api import Repo


@verb(
    "ox conflicts",
    "ox conflicts labels.csv --json",
    "ox conflicts labels.csv -o open.csv",
)
@paths_argument()
@option("-o", "--output", kind=PATH, help="Write them as a table; its name says the format.")
@option("-f", "--force", flag=True, help="Replace the file that -o names.")
@json_option
def command(
    session: Session, paths: tuple[str, ...], *, output: str | None, force: bool, as_json: bool
) -> None:
    """Show what a merge, cherry-pick or revert left open, file by file.

    Tables are merged by their rows where they have a key (ox schema set FILE --key COLUMN, else a
    column that tells the rows apart); what both sides changed differently is listed cell by
    cell. In the file ours stands there until ox resolve, or ox add after an edit, settles it.
    """
    with session.open() as repo:
        if output is not None:
            count = repo.write_conflicts(output, session.paths(repo, paths), replace=force)
            session.say(f"wrote {plural(count, 'conflict')} to {output}")
        else:
            _show(session, repo, session.paths(repo, paths), as_json=as_json)


def _show(session: Session, repo: Repo, paths: list[bytes], *, as_json: bool) -> None:
    pending, found = repo.pending(), repo.conflicts(paths)
    if as_json:
        session.emit_list(render.documents(found))
    elif found and pending is not None:
        session.lines(render.view(found, session.show, session.paint))
    elif pending is not None:
        session.say(f"no conflict of the {pending.verb} is open: ox commit ends it")
    else:
        session.say("nothing waits")
