"""``ox add``."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from oxcli.context import Session
from oxcli.params import dry_run_option, json_option, option, paths_argument, verb
from oxcli.render.text import human_size, plural
from oxcore.errors import UsageError

if TYPE_CHECKING:
    from oxcore.repo.survey import Aside
    from oxcore.verbs.add import Added

_SHOWN = 10  # warnings of a kind; the rest is counted
_RATE_FROM = 16 << 20  # bytes from which a rate says something


@verb("ox add .", "ox add 'photos/*.png' labels.csv", "ox add -u", "ox add -A --dry-run -v")
@paths_argument()
@option("-A", "--all", "everything", flag=True, help="Everything in the work tree.")
@option("-u", "--update", flag=True, help="Tracked files only: no new ones.")
@option("-f", "--force", "ignored", flag=True, help="Ignored files as well.")
@option("-v", "--verbose", flag=True, help="Name each file.")
@dry_run_option
@json_option
def command(
    session: Session,
    paths: tuple[str, ...],
    *,
    everything: bool,
    update: bool,
    ignored: bool,
    verbose: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Stage files for the next commit: new, changed and removed ones under PATHS.

    PATHS are files, folders or quoted patterns like '*.png', whose wildcards cross folders.
    """
    if everything and update:
        raise UsageError("-A and -u exclude each other")
    if not (paths or everything or update):
        raise UsageError("nothing was named to add", hint="ox add . adds this folder")
    began = time.monotonic()
    with session.work() as repo:
        result = repo.add(
            session.paths(repo, paths), update=update, ignored=ignored, dry_run=dry_run
        )
    if as_json:
        session.emit(result)
        return
    if verbose or dry_run:
        session.lines(_lines(session, result))
    _warn(session, result.aside)
    session.say(_summary(result, time.monotonic() - began, dry_run=dry_run))


def _lines(session: Session, result: Added) -> list[str]:
    words = {"A": "add", "D": "remove"}
    lines = [
        f"{words.get(change.letter, 'update')} {session.show(change.path)}"
        for change in result.changes
    ]
    left = result.added + result.modified + result.removed - len(lines)
    return lines + ([f"... and {left:,} more"] if left else [])


def _summary(result: Added, seconds: float, *, dry_run: bool) -> str:
    counts = [
        f"{count:,} {word}"
        for count, word in (
            (result.added, "new"),
            (result.modified, "changed"),
            (result.removed, "removed"),
        )
        if count
    ]
    if not counts:
        return "nothing has changed"
    text = f"{'would stage' if dry_run else 'staged'} {', '.join(counts)}"
    if result.nbytes or result.added:
        text += f", {human_size(result.nbytes)}"
    if not dry_run and result.nbytes >= _RATE_FROM:
        text += f" ({human_size(result.nbytes / max(seconds, 0.001))}/s)"
    return text


def _warn(session: Session, aside: Aside) -> None:
    _few(session, [f"skipped {session.show(path)}: a {word}" for path, word in aside.specials])
    _few(session, [f"left out {session.show(path)}: not of this dataset" for path in aside.nested])
    _few(session, [f"cannot look at {session.show(path)}: {why}" for path, why in aside.unreadable])
    _few(
        session,
        [
            f"{' and '.join(map(session.show, group))} are one file on some systems"
            for group in aside.collisions
        ],
    )


def _few(session: Session, lines: list[str]) -> None:
    for line in lines[:_SHOWN]:
        session.warn(line)
    if len(lines) > _SHOWN:
        session.warn(f"... and {plural(len(lines) - _SHOWN, 'more such line')}")
