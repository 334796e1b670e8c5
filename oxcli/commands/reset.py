"""``ox reset``."""

from __future__ import annotations

from oxcli.context import Session
from oxcli.params import argument, option, verb
from oxcli.render.text import plural, short_id
from oxcli.targets import split
from oxcore.errors import UsageError


@verb(
    "ox reset",
    "ox reset photos/a.png",
    "ox reset --soft HEAD~1",
    "ox reset --hard v1",
    parted=True,
)
@argument("arguments", many=True, metavar="[REV] [--] [PATHS]...")
@option("--soft", "how", flag_value="soft", help="Move the branch; stage and files stay.")
@option("--mixed", "how", flag_value="mixed", help="The stage too (the default).")
@option("--hard", "how", flag_value="hard", help="The files too: changes are overwritten.")
def command(session: Session, arguments: tuple[str, ...], how: str | None) -> None:
    """Move the branch to REV (HEAD by default), and with it the stage; or unstage PATHS.

    What --hard overwrites is stored first: ox undo brings it back. Untracked files stay.
    """
    with session.open() as repo:
        revisions, paths = split(session, repo, arguments)
        if len(revisions) > 1:
            raise UsageError(f"one revision at most: {' '.join(revisions)}")
        if paths and how is not None:
            raise UsageError(f"--{how} takes no paths", hint="to bring files back: ox restore")
        if paths:
            source = revisions[0] if revisions else None
            done = repo.restore(paths, source=source, staged=True, worktree=False)
            session.say(f"unstaged {plural(len(done), 'file')}")
            return
        revision = revisions[0] if revisions else "HEAD"
        moved = repo.reset(
            revision, "soft" if how == "soft" else "hard" if how == "hard" else "mixed"
        )
        commit = repo.revision("HEAD").id
    touched = moved.written + moved.removed
    session.say(
        f"HEAD is at {short_id(commit)}" + (f", {plural(touched, 'file')} changed" * bool(touched))
    )
