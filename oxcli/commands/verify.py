"""``ox verify``."""

from __future__ import annotations

from oxcli.context import Session
from oxcli.params import REVISION, argument, json_option, option, verb
from oxcli.render.text import human_size, plural


@verb("ox verify v1.0", "ox verify HEAD --history", "ox verify main --json")
@argument("revision", default="HEAD", kind=REVISION)
@option("--history", flag=True, help="All commits behind it too.")
@json_option
def command(session: Session, revision: str, *, history: bool, as_json: bool) -> None:
    """Prove the commit that REVISION names from its id to the last byte: the commit itself, every
    node of its tree, and the BLAKE3 of every file."""
    with session.open() as repo:
        done = repo.verify(revision, history=history)
    if as_json:
        session.emit(done)
        return
    counts = done.counts
    session.echo(f"commit {done.commit.hex()} is whole")
    session.say(f"tree   {done.tree.hex()}")
    session.say(
        f"proved {plural(counts.commits, 'commit')}, {plural(counts.nodes, 'tree node')}, "
        f"{plural(counts.files, 'file')}, {human_size(counts.nbytes)}"
    )
    if not done.complete:
        session.say("older commits were left out of this clone: ox fetch --unshallow")
