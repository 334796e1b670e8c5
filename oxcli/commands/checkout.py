"""``ox checkout``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from oxcli.context import Session
from oxcli.params import REVISION, argument, json_option, option, verb
from oxcli.paths import is_pattern
from oxcli.render.branches import switched_document, switched_lines
from oxcli.render.text import plural
from oxcore.errors import AmbiguousError, UsageError

if TYPE_CHECKING:
    from oxcore.api import Repo


@verb(
    "ox checkout topic",
    "ox checkout -b topic v1.2",
    "ox checkout v1.0",
    "ox checkout -- labels.csv",
    "ox checkout HEAD~2 -- 'images/*.png'",
    parted=True,
)
@argument("names", many=True, kind=REVISION, metavar="[REVISION] [-- PATHS...]")
@option("-b", "create", metavar="NAME", help="Make a branch (at REVISION) and go to it.")
@option(
    "-f",
    "--force",
    flag=True,
    help="Give up changes that are in the way; ox undo brings them back.",
)
@json_option
def command(
    session: Session,
    names: tuple[str, ...],
    *,
    create: str | None,
    force: bool,
    as_json: bool,
) -> None:
    """Go to a branch or a commit, or bring files back.

    With paths: files become as in REVISION, in the folder and in the stage; without REVISION
    as in the stage. What they held before comes back with: ox undo.
    """
    with session.open() as repo:
        revision, paths = _parse(repo, names, session.after, plain=create is None)
        if paths:
            if create is not None or force:
                raise UsageError("-b and --force do not go with paths")
            _restore(session, repo, revision, paths, as_json=as_json)
        else:
            _go(session, repo, revision, create, force=force, as_json=as_json)


def _parse(
    repo: Repo, names: tuple[str, ...], files: tuple[str, ...] | None, *, plain: bool
) -> tuple[str | None, tuple[str, ...]]:
    """The revision and the paths, told apart as git does."""
    if files is not None:
        if len(names) > 1 or not files:
            raise UsageError("before '--' stands one revision, behind it at least one path")
        return (names[0] if names else None), files
    if not names:
        if plain:
            raise UsageError("check out what?", hint="ox checkout BRANCH, or: -- PATH")
        return None, ()
    if not repo.can_checkout(names[0]):
        there = len(names) > 1 or os.path.lexists(names[0]) or is_pattern(os.fsencode(names[0]))
        return (None, names) if there else (names[0], ())
    if len(names) == 1 and plain and os.path.lexists(names[0]):
        raise AmbiguousError(
            f"{names[0]!r} is a revision and a file",
            items=[f"ox checkout ./{names[0]}", f"ox switch {names[0]}"],
            hint="say which: ox checkout -- PATH, or ox switch BRANCH",
        )
    return names[0], names[1:]


def _restore(
    session: Session, repo: Repo, revision: str | None, paths: tuple[str, ...], *, as_json: bool
) -> None:
    changes = repo.checkout_files(session.paths(repo, paths), revision)
    if as_json:
        session.emit([{"path": change.path, "letter": change.letter} for change in changes])
    else:
        session.say(f"{plural(len(changes), 'file')} restored from {revision or 'the stage'}")


def _go(
    session: Session,
    repo: Repo,
    target: str | None,
    create: str | None,
    *,
    force: bool,
    as_json: bool,
) -> None:
    done = repo.checkout(target, create=create, force=force)
    if as_json:
        session.emit(switched_document(done))
        return
    for line in switched_lines(done):
        session.say(line)
