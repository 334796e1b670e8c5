"""``ox diff``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, TypedDict, Unpack

from oxcli.context import Session
from oxcli.params import REVISION, argument, json_option, option, verb
from oxcli.render import changes, patch
from oxcli.render.text import show_path
from oxcli.targets import split

if TYPE_CHECKING:
    from oxcore.verbs.changes import FileChange


class Options(TypedDict):
    """The options of ``ox diff``."""

    staged: bool
    stat: bool
    name_status: bool
    no_renames: bool
    exit_code: bool
    as_json: bool


@verb(
    "ox diff",
    "ox diff --staged",
    "ox diff v1.0..v2.0 --stat",
    "ox diff main...topic -- labels.csv",
    "ox diff --name-status HEAD~3 -- 'photos/*.png'",
    parted=True,
)
@argument("arguments", metavar="[REVISION]... [--] [PATH]...", many=True, kind=REVISION)
@option("--staged", "--cached", flag=True, help="HEAD, or REVISION, with the stage.")
@option("--stat", flag=True, help="A line for each file, with sizes.")
@option("--name-status", flag=True, help="Letter and path, for scripts.")
@option("--no-renames", flag=True, help="Show a renamed file as removed and added.")
@option("--exit-code", flag=True, help="Exit with 1 if anything differs.")
@json_option
def command(session: Session, arguments: tuple[str, ...], **options: Unpack[Options]) -> int:
    """Show what differs: lines of text, pixels of images, chunks of other files.

    Without REVISION the work tree against the stage; with one, against that version. A..B
    compares two versions, A...B what B changed since it left A. Files that are not tracked are
    no part of it.
    """
    with session.open() as repo:
        revisions, paths = split(session, repo, arguments)
        found = repo.diff(
            *revisions, staged=options["staged"], paths=paths, renames=not options["no_renames"]
        )
        seen = _Counted(found)
        brief = options["stat"] or options["name_status"]
        if options["as_json"]:
            session.emit_list(patch.document(found, one, inside=not brief) for one in seen)
        elif options["name_status"]:
            session.lines(_name_status(seen))
        elif options["stat"]:
            session.lines(changes.listed(seen, session.paint))
        else:
            session.lines(line for one in seen for line in patch.lines(found, one, session.paint))
        return 1 if options["exit_code"] and seen.count else 0


class _Counted:
    """Changes, counted while they go by."""

    def __init__(self, changes: Iterable[FileChange]) -> None:
        self._changes = changes
        self.count = 0

    def __iter__(self) -> Iterator[FileChange]:
        for change in self._changes:
            self.count += 1
            yield change


def _name_status(found: Iterable[FileChange]) -> Iterator[str]:
    for one in found:
        paths = [one.path] if one.old_path is None else [one.old_path, one.path]
        yield "\t".join((one.letter, *map(show_path, paths)))
