"""``ox cat``."""

from __future__ import annotations

from oxcli.context import Session
from oxcli.params import PATH, REVISION, argument, option, verb
from oxcli.targets import target


@verb("ox cat labels.csv", "ox cat v1.0:photos/1.png > 1.png", "ox cat --rev HEAD~2 labels.csv")
@argument("files", many=True, kind=PATH, required=True, metavar="PATH | REV:PATH ...")
@option("--rev", kind=REVISION, help="The version; HEAD if none is named.")
def command(session: Session, files: tuple[str, ...], *, rev: str | None) -> None:
    """Print files of a version, one after the other.

    Every byte is verified before it is printed. ":PATH" is what is staged.
    """
    with session.open() as repo:
        wanted = [target(session, repo, one, rev) for one in files]
        for one in wanted:
            repo.entry(one.path, one.rev)  # all are there, or nothing is printed
        for one in wanted:
            session.data(repo.cat(one.path, one.rev))
