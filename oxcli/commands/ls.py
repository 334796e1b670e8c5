"""``ox ls``."""

from __future__ import annotations

from oxcli.context import Session
from oxcli.params import PATH, REVISION, argument, json_option, option, verb
from oxcli.paths import relative
from oxcli.render import listing
from oxcli.targets import target


@verb(
    "ox ls", "ox ls photos", "ox ls -r --json", "ox ls -l v1.0:photos", "ox ls --rev HEAD~2 photos"
)
@argument("place", default=".", kind=PATH, metavar="[REV | PATH | REV:PATH]")
@option("-r", "--recursive", flag=True, help="All files below, not folders.")
@option("-l", "--long", "long", flag=True, help="Mode, id and size in bytes as well.")
@option("--rev", kind=REVISION, help="The version; HEAD if none is named.")
@json_option
def command(
    session: Session, place: str, *, recursive: bool, long: bool, rev: str | None, as_json: bool
) -> None:
    """List files of a version: what is right below a folder, with counts and sizes.

    The present folder of HEAD if nothing is named. ":" is the stage: ox ls :photos
    """
    with session.open() as repo:
        wanted = target(session, repo, place, rev)
        found = repo.ls(wanted.path, wanted.rev, recursive=recursive)
        if as_json:
            session.emit_list(listing.document(item) for item in found)
            return
        here, paint = session.path(repo, "."), session.paint
        show = listing.long_line if long else listing.line
        session.lines(show(item, relative(item.path, here), paint) for item in found)
