"""``ox status``."""

from __future__ import annotations

from oxcli.context import Session
from oxcli.params import Choice, json_option, option, paths_argument, verb
from oxcli.render import status as render


@verb("ox status", "ox status --short", "ox status -u all photos", "ox status --json")
@paths_argument()
@option("-s", "--short", flag=True, help="A line a path: XY PATH, as git has it.")
@option("-b", "--branch", flag=True, help="With --short, the branch as well.")
@option(
    "-u",
    "--untracked",
    kind=Choice("folders", "all", "no"),
    default="folders",
    help="New files: by folder, each one, or not at all.",
)
@json_option
def command(
    session: Session,
    paths: tuple[str, ...],
    *,
    short: bool,
    branch: bool,
    untracked: str,
    as_json: bool,
) -> None:
    """Show what is staged, changed, new and in conflict.

    X is the stage against HEAD, Y the folder against the stage: A added, D deleted, M modified,
    T of another type, ?? new, UU and the like a conflict. With many files the counts come first and
    each list is cut; --short and --json show all.
    """
    with session.work() as repo:
        limit = None if short or as_json else render.LISTED
        patterns = session.paths(repo, paths)
        found = repo.status(patterns, limit=limit, each_untracked=untracked == "all")
        if untracked == "no":
            found.untracked = {}
    for path, why in found.aside.unreadable:
        session.warn(f"{session.show(path)} cannot be read: {why}")
    if as_json:
        session.emit(render.document(found))
    elif short:
        session.lines(render.short(found, session.show, session.paint, branch=branch))
    else:
        session.lines(render.long(found, session.show, session.paint))
