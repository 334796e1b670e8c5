"""``ox stash``."""

from __future__ import annotations

import re

from oxcli.context import Session
from oxcli.params import argument, json_option, option, paths_argument, verb_group
from oxcli.render.text import plural, relative_date
from oxcore.errors import UsageError
from oxcore.model.settings import local_time

_NAME = re.compile(r"(?:stash@\{)?(\d{1,9})\}?")

_which = argument("name", default="0", metavar="[STASH]")


@verb_group(
    "ox stash",
    'ox stash push -m "half done" -u',
    "ox stash list",
    "ox stash pop",
    "ox stash apply 1",
    default=True,
)
def command(session: Session) -> None:
    """Put unsaved work aside and go back to HEAD; take it back later.

    Alone it is ox stash push. STASH is a number or stash@{N}; 0 is the newest.
    """
    _push(session, (), None, untracked=False)


@command.command("push")
@paths_argument()
@option("-m", "--message", metavar="TEXT", help="What it is, for the list.")
@option("-u", "--include-untracked", "untracked", flag=True, help="Untracked files too.")
def push(session: Session, paths: tuple[str, ...], message: str | None, *, untracked: bool) -> None:
    """Put staged and changed files aside, those under PATHS only if any are given."""
    _push(session, paths, message, untracked=untracked)


@command.command("list")
@json_option
def listing(session: Session, *, as_json: bool) -> None:
    """All stashes, the newest first."""
    with session.work() as repo:
        stashes = repo.stash_list()
    if as_json:
        session.emit(stashes)
        return
    now = local_time()
    for stash in stashes:
        title = stash.message.split("\n", 1)[0]
        session.echo(f"stash@{{{stash.index}}}: {title} ({relative_date(stash.time, now)})")


@command.command("show")
@_which
@json_option
def show(session: Session, name: str, *, as_json: bool) -> None:
    """The files that a stash changes."""
    with session.work() as repo:
        changes = repo.stash_show(_index(name))
    if as_json:
        session.emit(changes)
        return
    session.lines(f"{change.letter}  {session.show(change.path)}" for change in changes)


@command.command("pop")
@_which
def pop(session: Session, name: str) -> None:
    """Take a stash back and forget it."""
    with session.work() as repo:
        moved = repo.stash_pop(_index(name))
    session.say(f"took back {plural(moved.written + moved.removed, 'file')}; the stash is gone")


@command.command("apply")
@_which
def apply(session: Session, name: str) -> None:
    """Take a stash back and keep it."""
    with session.work() as repo:
        moved = repo.stash_apply(_index(name))
    session.say(f"took back {plural(moved.written + moved.removed, 'file')}")


@command.command("drop")
@_which
def drop(session: Session, name: str) -> None:
    """Forget a stash. ox undo brings it back."""
    with session.work() as repo:
        dropped = repo.stash_drop(_index(name))
    title = dropped.message.split("\n", 1)[0]
    session.say(f"dropped stash@{{{dropped.index}}}: {title}")


def _push(
    session: Session, paths: tuple[str, ...], message: str | None, *, untracked: bool
) -> None:
    with session.work() as repo:
        made = repo.stash_push(message, paths=session.paths(repo, paths), untracked=untracked)
    title = made.message.split("\n", 1)[0]
    session.say(f"put aside as stash@{{0}}: {title}")


def _index(name: str) -> int:
    found = _NAME.fullmatch(name)
    if found is None:
        raise UsageError(f"{name!r} is no stash", hint="a number, or stash@{N}; see: ox stash list")
    return int(found[1])
