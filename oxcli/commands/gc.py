"""``ox gc``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oxcli.context import Session
from oxcli.params import Number, dry_run_option, json_option, option, verb
from oxcli.render.text import human_size, plural, short_id
from oxcore.model.retention import DAY

if TYPE_CHECKING:
    from oxcore.verbs.gc import Collected


@verb("ox gc", "ox gc --dry-run", "ox gc --grace 0 --keep-ops")
@option(
    "--grace",
    metavar="DAYS",
    kind=Number(0, whole=False),
    default=14.0,
    show_default=True,
    help="Leave data alone that was written in the last so many days.",
)
@option(
    "--keep-days",
    metavar="DAYS",
    kind=Number(0, whole=False),
    default=90.0,
    show_default=True,
    help="Forget operations older than so many days: they cannot be undone then.",
)
@option("--keep-ops", flag=True, help="Forget no operation.")
@dry_run_option
@json_option
def command(
    session: Session,
    grace: float,
    keep_days: float,
    *,
    keep_ops: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Delete data that no branch, tag, stash, staged change or recent operation refers to.

    Small packs are gathered into large ones. It is safe at any time, beside other processes too.
    """
    keep = None if keep_ops else keep_days * DAY
    with session.open() as repo:
        done = repo.gc(grace=grace * DAY, keep_operations=keep, dry_run=dry_run)
    if as_json:
        session.emit(done)
    else:
        _tell(session, done)


def _tell(session: Session, done: Collected) -> None:
    would = "would delete" if done.dry_run else "deleted"
    session.echo(f"{would} {plural(done.objects, 'object')}, {human_size(done.nbytes)}")
    session.say(
        f"left: {plural(done.kept_objects, 'object')}, {human_size(done.kept_bytes)} in "
        f"{plural(done.packs_after, 'pack')}; {done.young:,} too young to touch"
    )
    if done.operations:
        session.say(f"{would} {plural(done.operations, 'old operation')} from the log")
    if done.leftovers:
        session.say(f"{would} {plural(done.leftovers, 'leftover')} of crashes")
    if done.aside_gone:
        session.say(f"{would} {human_size(done.aside_gone)} of damaged packs that fsck put aside")
    if done.aside_left:
        size = human_size(done.aside_left)
        session.say(f"left: {size} of damaged packs put aside (too young, or data is missing)")
    if done.damaged:
        ids = ", ".join(short_id(oid) for oid in done.damaged[:5])
        session.warn(f"{plural(len(done.damaged), 'object')} is damaged: {ids}; see ox fsck")
