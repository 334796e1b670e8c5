"""``ox clone``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oxcli.context import Session
from oxcli.params import PATH, Number, argument, json_option, option, verb
from oxcli.render.sharing import fetched_text, received_document
from oxcli.render.text import human_size, plural

if TYPE_CHECKING:
    from oxcore.api import Repo


@verb(
    "ox clone https://hub.example.org/pets/cats",
    "ox clone /srv/datasets/cats mycats",
    "ox clone -b v2 --depth 1 https://hub.example.org/pets/cats",
    "ox clone --bare cats /srv/datasets/cats",
)
@argument("url", kind=PATH)
@argument("folder", required=False, kind=PATH)
@option("-b", "--branch", metavar="NAME", help="Check out this branch or tag, not HEAD's.")
@option("--depth", kind=Number(), metavar="N", help="Only the last N commits, of one branch.")
@option("--bare", flag=True, help="Without a work tree.")
@json_option
def command(
    session: Session,
    url: str,
    folder: str | None,
    *,
    branch: str | None,
    depth: int | None,
    bare: bool,
    as_json: bool,
) -> None:
    """Copy the repository at URL, a path or an address on a hub, into FOLDER.

    FOLDER is the last part of URL if it is left out. A clone that was interrupted goes on where it
    stopped when the same command is called again.
    """
    from oxcore.api import Repo  # loads LMDB and the rest: not for `--help`

    settings = session.settings()
    with Repo.clone(url, folder, branch=branch, depth=depth, bare=bare, settings=settings) as repo:
        session.count(repo)
        if as_json:
            session.emit(_document(repo))
        else:
            _tell(session, repo)


def _document(repo: Repo) -> dict[str, object]:
    done = repo.cloned
    return {
        "path": repo.path,
        "url": done.url,
        "bare": repo.bare,
        "branch": done.branch,
        "commit": done.commit,
        "received": received_document(done.report),
        "shallow": sorted(oid.hex() for oid in done.report.shallow),
        "files": done.moved.written,
        "bytes": done.moved.nbytes,
        "resumed": done.resumed,
    }


def _tell(session: Session, repo: Repo) -> None:
    done = repo.cloned
    again = " (went on with an interrupted clone)" if done.resumed else ""
    session.say(f"cloned {done.url} into {repo.path}{again}")
    if done.commit is None:
        session.warn("the repository is empty")
        return
    received = fetched_text(done.report)
    if received:
        session.say(received)
    if not repo.bare:
        files = f"{plural(done.moved.written, 'file')}, {human_size(done.moved.nbytes)}"
        session.say(f"{files}, on {'branch ' + done.branch if done.branch else 'no branch'}")
