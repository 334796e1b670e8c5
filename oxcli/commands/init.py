"""``ox init``."""

from __future__ import annotations

from oxcli.context import Session
from oxcli.params import PATH, argument, option, verb


@verb("ox init", "ox init pets", "ox init --bare /srv/datasets/pets")
@argument("folder", default=".", kind=PATH)
@option("--bare", flag=True, help="Without a work tree: to push to and clone from.")
@option(
    "-b",
    "--branch",
    metavar="NAME",
    help="The first branch; else the setting init.defaultBranch, else main.",
)
def command(session: Session, folder: str, *, bare: bool, branch: str | None) -> None:
    """Make a repository in FOLDER, the current one if none is named. Its files stay as they are."""
    from oxcore.api import Repo  # loads LMDB and the rest: not for `--help`

    settings = session.settings()
    first = branch or settings.defaults.get("init.defaultBranch", "main")
    with Repo.init(folder, bare=bare, branch=first, settings=settings) as repo:
        session.count(repo)
        session.say(f"made an empty repository in {repo.folder}")
