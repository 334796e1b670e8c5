"""``ox restore``."""

from __future__ import annotations

import click

from oxcli.context import Session, pass_session
from oxcli.params import REVISION, paths_argument, verb
from oxcli.render.text import plural


@verb(
    "ox restore labels.csv",
    "ox restore --staged photos",
    "ox restore --source HEAD~2 labels.csv",
    "ox restore --source v1 --staged --worktree .",
)
@paths_argument(required=True)
@click.option(
    "-s",
    "--source",
    type=REVISION,
    metavar="REV",
    help="Where from: by default the stage, or HEAD with --staged.",
)
@click.option("-S", "--staged", is_flag=True, help="Restore the stage: what add did is taken back.")
@click.option("-W", "--worktree", is_flag=True, help="Restore the files: so without --staged.")
@pass_session
def command(
    session: Session,
    paths: tuple[str, ...],
    *,
    source: str | None,
    staged: bool,
    worktree: bool,
) -> None:
    """Bring files back as they are in the stage or in a version. Untracked files stay.

    Changes that are overwritten are stored first: ox undo brings them back.
    """
    with session.open() as repo:
        done = repo.restore(
            session.paths(repo, paths),
            source=source,
            staged=staged,
            worktree=worktree or not staged,
        )
    what = "unstaged" if staged and not worktree and source is None else "restored"
    session.say(f"{what} {plural(len(done), 'file')}")
