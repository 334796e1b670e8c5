"""``ox fsck``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oxcli.context import Session
from oxcli.exits import code_of
from oxcli.params import argument, json_option, option, verb
from oxcli.render.text import human_size, plural
from oxcore.errors import UsageError

if TYPE_CHECKING:
    from oxcore.verbs.fsck import Checked

_SHOWN = 50  # problems; --json has all


@verb(
    "ox fsck",
    "ox fsck --quick",
    "ox fsck --repair               # from the configured remotes",
    "ox fsck --repair ../other-clone",
)
@argument("sources", many=True, metavar="[REMOTE|PATH]...")
@option("--quick", flag=True, help="Read no content of files, only structure.")
@option("--full", flag=True, help="Read every byte: what it does by itself.")
@option("--repair", flag=True, help="Mend what is wrong, with data from a remote.")
@json_option
def command(
    session: Session,
    sources: tuple[str, ...],
    *,
    quick: bool,
    full: bool,
    repair: bool,
    as_json: bool,
) -> int:
    """Check all stored data: every pack, the index, the operation log, and that everything that
    branches, tags, stashes and the stage need is there and is what its id says.

    With --repair the index is rebuilt, damaged packs are put aside, and what is missing comes from
    the named remotes or paths, by default from all remotes; it is proved before it is kept. A
    damaged operation log is put aside too: the new one goes on from what is sound in it.
    """
    if quick and full:
        raise UsageError("--quick and --full exclude each other")
    if sources and not repair:
        raise UsageError("a remote is for --repair")
    with session.open() as repo:
        done = repo.fsck(quick=quick, repair=repair, sources=sources)
    if as_json:
        session.emit({"sound": done.sound, **_fields(done)})
    else:
        _tell(session, done)
    return 0 if done.sound else code_of("corrupt")


def _fields(done: Checked) -> dict[str, object]:
    return {name: getattr(done, name) for name in done.__slots__}


def _tell(session: Session, done: Checked) -> None:
    for problem in done.problems[:_SHOWN]:
        session.echo(f"{problem.kind}: {problem.text()}")
    if len(done.problems) > _SHOWN:
        session.echo(f"... and {plural(len(done.problems) - _SHOWN, 'more problem')}")
    for note in (*done.unreachable, *done.unhelpful):
        session.warn(note)
    for problem in done.repaired[:_SHOWN]:
        session.say(f"repaired: {problem.text()}")
    for path in done.aside:
        session.say(f"put aside: {path}")
    for path in done.aside_before:
        session.say(f"put aside before: {path}; ox gc deletes it after its time of grace")
    for name in done.rescued:
        session.say(f"kept a commit that nothing named: see ox log {name}")
    session.say(_counts(done))
    if done.problems:
        hint = "" if done.repaired or done.aside else "; mend it with: ox fsck --repair [REMOTE]"
        session.echo(f"{plural(len(done.problems), 'problem')}{hint}")


def _counts(done: Checked) -> str:
    proved = done.proved
    how = "looked at" if done.quick else "proved"
    return (
        f"{how} {plural(done.packs, 'pack')} ({plural(done.objects, 'object')}, "
        f"{human_size(done.nbytes)}), {plural(done.operations, 'operation')}, "
        f"{plural(proved.commits, 'commit')}, {plural(proved.nodes, 'tree node')}, "
        f"{plural(proved.files, 'file')} ({human_size(proved.nbytes)})"
    )
