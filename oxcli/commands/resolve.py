"""``ox resolve``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oxcli.context import Session
from oxcli.params import json_option, option, paths_argument, verb
from oxcli.render.branches import conflict_document, conflict_lines
from oxcli.render.text import plural
from oxcore.errors import UsageError

if TYPE_CHECKING:
    from oxcore.api import Repo
    from oxcore.verbs.resolve import Side

_LISTED = 20  # settled files that are named; the rest is counted


@verb(
    "ox resolve --list",
    "ox resolve --ours labels.csv",
    "ox resolve --theirs 'images/*.png'",
    "ox resolve --both data",
)
@paths_argument()
@option("--ours", flag=True, help="Keep what this branch has.")
@option("--theirs", flag=True, help="Take what the other side has.")
@option("--both", flag=True, help="Keep ours, and put theirs beside as NAME.theirs.EXT.")
@option("-l", "--list", "listing", flag=True, help="Show what is open.")
@json_option
def command(
    session: Session,
    paths: tuple[str, ...],
    *,
    ours: bool,
    theirs: bool,
    both: bool,
    listing: bool,
    as_json: bool,
) -> None:
    """Settle conflicts of a merge, a cherry-pick or a revert, file by file.

    To mix both sides by hand, edit the file and add it: ox add PATH.
    """
    sides: dict[Side, bool] = {"ours": ours, "theirs": theirs, "both": both}
    chosen = [side for side, given in sides.items() if given]
    with session.open() as repo:
        if listing or not (chosen or paths):
            if chosen or paths:
                raise UsageError("--list takes nothing else")
            _list(session, repo, as_json=as_json)
            return
        if len(chosen) != 1:
            raise UsageError("say which side: one of --ours, --theirs, --both")
        if not paths:
            raise UsageError("resolve what?", hint=f"ox resolve --{chosen[0]} PATH, '.' for all")
        settled = repo.resolve(session.paths(repo, paths), chosen[0])
        pending = repo.pending()
    left = len(pending.conflicts) if pending else 0
    if as_json:
        session.emit({"settled": [conflict_document(one) for one in settled], "open": left})
        return
    for one in settled[:_LISTED]:
        session.say(f"settled with {chosen[0]}: {session.show(one.path)}")
    if len(settled) > _LISTED:
        session.say(f"... and {len(settled) - _LISTED:,} more")
    session.say(f"{plural(left, 'conflict')} open" if left else "all settled: ox commit ends it")


def _list(session: Session, repo: Repo, *, as_json: bool) -> None:
    pending = repo.pending()
    conflicts = pending.conflicts if pending else ()
    if as_json:
        verb_name = pending.verb if pending else None
        session.emit({"verb": verb_name, "conflicts": [conflict_document(c) for c in conflicts]})
    elif pending is None:
        session.say("nothing waits")
    elif not conflicts:
        session.say(f"no conflict of the {pending.verb} is open: ox commit ends it")
    else:
        session.lines(conflict_lines(conflicts, session.show))
