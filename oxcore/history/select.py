"""From the revisions and ranges of a command line to the tips of a walk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from oxcore.history.bases import merge_bases
from oxcore.history.names import Names
from oxcore.history.parse import parse_range
from oxcore.history.resolve import resolve


class Selection(NamedTuple):
    """Ids of commits: ``walk(read, tips, hide)`` gives what was asked for."""

    tips: tuple[bytes, ...]
    hide: tuple[bytes, ...]


def select(
    texts: Sequence[str],
    names: Names,
    *,
    zone: int = 0,
    shallow: frozenset[bytes] = frozenset(),
) -> Selection:
    """Resolve revisions and ranges together, ``HEAD`` if there are none; errors as ``resolve``."""
    tips: list[bytes] = []
    hide: list[bytes] = []
    for text in texts or ("HEAD",):
        found = parse_range(text)
        include = [resolve(name, names, zone=zone).id for name in found.include]
        tips += include
        hide += [resolve(name, names, zone=zone).id for name in found.exclude]
        if found.symmetric:
            hide += merge_bases(names.commit, include[0], include[1], shallow)
    if not tips:
        tips.append(resolve("HEAD", names).id)
    return Selection(tuple(dict.fromkeys(tips)), tuple(dict.fromkeys(hide)))
