"""``ox restore``."""

from __future__ import annotations

from oxcli.context import Session
from oxcli.params import REVISION, option, paths_argument, verb
from oxcli.render.text import plural


@verb(
    "ox restore labels.csv",
    "ox restore --staged photos",
    "ox restore --source HEAD~2 labels.csv",
    "ox restore --source v1 --staged --worktree .",
)
@paths_argument(required=True)
@option(
    "-s",
    "--source",
    kind=REVISION,
    metavar="REV",
    help="Where from: by default the stage, or HEAD with --staged.",
)
@option("-S", "--staged", flag=True, help="Restore the stage: what add did is taken back.")
@option("-W", "--worktree", flag=True, help="Restore the files: so without --staged.")
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
    with session.work() as repo:
        done = repo.restore(
            session.paths(repo, paths),
            source=source,
            staged=staged,
            worktree=worktree or not staged,
        )
    what = "unstaged" if staged and not worktree and source is None else "restored"
    session.say(f"{what} {plural(len(done), 'file')}")
