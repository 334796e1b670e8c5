"""``ox stats``."""

from __future__ import annotations

from oxcli.context import Session
from oxcli.params import REVISION, Number, argument, json_option, option, verb
from oxcli.render import drift, frame, holdings
from oxcli.targets import split
from oxcore.errors import UsageError


@verb(
    "ox stats",
    "ox stats v1.0 photos --depth 2",
    "ox stats v1.0..v2.0",
    "ox stats main~3..main -- labels.csv",
    "ox stats --staged",
    "ox stats v1.0..v2.0 --json",
    parted=True,
)
@argument("arguments", metavar="[REV | A..B] [--] [PATH]...", many=True, kind=REVISION)
@option("--staged", "--cached", flag=True, help="How the stage drifted from REV, or HEAD.")
@option("-d", "--depth", kind=Number(0), default=1, help="Tell of folders so deep; 1.")
@json_option
def command(
    session: Session, arguments: tuple[str, ...], *, staged: bool, depth: int, as_json: bool
) -> None:
    """Show what a version holds, or how far it drifted from another.

    Of one version (HEAD if none is named): folders with kinds of files, sizes and modes of images
    (least, median, greatest), tables with rows and columns. Of A..B: what came and went, and for
    each table that changed how far its columns are from what they were, the farthest first.
    Drift is 0 for the same and 1 for nothing in common: of labels the total variation distance,
    of numbers and times the Kolmogorov-Smirnov statistic, or the change of nulls if that is
    more; psi is the population stability index. Each image and table is looked at once, ever; a
    range reads only what differs.

    For the columns of one table see ox df FILE --stats.
    """
    from oxcore.verbs.statistics.drifted import Drift

    with session.open() as repo:
        revisions, paths = split(session, repo, arguments)
        if len(revisions) + staged > 2:
            raise UsageError("too many revisions", hint="ox stats A..B")
        a, *rest = [*(revisions or ["HEAD"]), *([":"] if staged else [])]
        b = rest[0] if rest else None
        found = repo.stats(a, b, paths=paths, depth=depth)
        name = a if b is None else f"{a}..{'stage' if staged else b}"
        if isinstance(found, Drift):
            if as_json:
                session.emit({"version": name, **drift.document(found)})
            else:
                session.lines(drift.lines(name, found, session.paint, frame.width()))
        elif as_json:
            session.emit({"version": name, **holdings.document(found)})
        else:
            session.lines(holdings.lines(name, found, session.paint))
