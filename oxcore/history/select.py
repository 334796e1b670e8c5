"""From the revisions and ranges of a command line to the tips of a walk; which commits to show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from oxcore.errors import InvalidError
from oxcore.history.bases import merge_bases
from oxcore.history.names import Names
from oxcore.history.parse import parse_range
from oxcore.history.resolve import resolve
from oxcore.model.commits import Commit
from oxcore.model.entries import path_bytes, show_path


class Selection(NamedTuple):
    """Ids of commits: ``walk(read, tips, hide)`` gives what was asked for."""

    tips: tuple[bytes, ...]
    hide: tuple[bytes, ...]


class Filter(NamedTuple):
    """Which commits of a walk to show: those that change ``paths`` (against every parent), whose
    author contains ``author`` (in any case), from ``since`` to ``until`` (microseconds)."""

    paths: tuple[bytes, ...] = ()
    author: str = ""
    since: int | None = None
    until: int | None = None

    def __bool__(self) -> bool:
        return self != Filter()

    def fits(self, commit: Commit) -> bool:
        """Whether author and time of a commit are as asked for."""
        us = commit.time.us
        if self.since is not None and us < self.since:
            return False
        if self.until is not None and us > self.until:
            return False
        return self.author.casefold() in str(commit.author).casefold()


def select(
    texts: Sequence[str],
    names: Names,
    *,
    zone: int = 0,
    shallow: frozenset[bytes] = frozenset(),
) -> Selection:
    """Resolve revisions and ranges together, ``HEAD`` if there are none.

    Raises as ``resolve``, and ``InvalidError`` for a path in a version, ``HEAD:data``.
    """
    tips: list[bytes] = []
    hide: list[bytes] = []
    for text in texts or ("HEAD",):
        found = parse_range(text)
        include = [_commit(name, names, zone) for name in found.include]
        tips += include
        hide += [_commit(name, names, zone) for name in found.exclude]
        if found.symmetric:
            hide += merge_bases(names.commit, include[0], include[1], shallow)
    if not tips:
        tips.append(resolve("HEAD", names).id)
    return Selection(tuple(dict.fromkeys(tips)), tuple(dict.fromkeys(hide)))


def _commit(text: str, names: Names, zone: int) -> bytes:
    found = resolve(text, names, zone=zone)
    if found.path is None:
        return found.id
    raise InvalidError(
        f"{show_path(path_bytes(text))} names a path, and a commit is asked for",
        hint="name them apart: REVISION -- PATH",
    )
