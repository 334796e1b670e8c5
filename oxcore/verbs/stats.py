"""``stats``: what a version holds, and how it drifted from another, at the cost of what is new.

Files are told by name; images and tables are looked at, each content once ever: what is found is
kept by its id (``oxcore.index.facts``). A comparison reads the nodes and the files that differ.
"""

from __future__ import annotations

from collections.abc import Sequence

from oxcore.errors import UsageError
from oxcore.repo import Repository
from oxcore.repo.select import Selection
from oxcore.verbs import diff
from oxcore.verbs.statistics.drifted import Drift, drift
from oxcore.verbs.statistics.holdings import DatasetStats, holdings


def stats(
    repo: Repository, revisions: Sequence[str] = (), *, paths: Sequence[bytes] = (), depth: int = 1
) -> DatasetStats | Drift:
    """What a version holds (``HEAD``), or with ``A..B``, ``A...B`` or two versions how the second
    drifted from the first; ``:`` is the stage.

    Files count for the folder that is at most ``depth`` levels down. Raises ``NotFoundError`` if
    nothing fits ``paths``, ``UsageError`` for a negative depth, ``CorruptError`` for damaged data;
    a table that makes no sense is told of in the result.
    """
    if depth < 0:
        raise UsageError("a depth is not negative")
    chosen, selection = tuple(revisions) or ("HEAD",), Selection(paths)
    staged = chosen[-1] == ":"
    if staged and len(chosen) == 1:
        return holdings(repo, repo.stage(), selection, depth)
    sides = diff.diff(repo, chosen[:-1] if staged else chosen, staged=staged)
    if sides.new is None:
        return holdings(repo, sides.old, selection, depth)
    return drift(repo, sides.old, sides.new, selection, depth)
