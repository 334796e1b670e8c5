"""Which paths a verb is about: files, folders and patterns, as a pathspec of git."""

from __future__ import annotations

import re
from collections.abc import Sequence

_MAGIC = rb"[*?\[]"


class Selection:
    """Paths, folders and globs; a path belongs to it if one of them is it, holds it or fits it.

    ``*`` crosses '/', as in a pathspec of git. An empty selection holds everything.
    """

    def __init__(self, patterns: Sequence[bytes] = ()) -> None:
        self.patterns = tuple(_plain(pattern) for pattern in patterns)
        self._literal = frozenset(self.patterns)
        self._all = not self.patterns or b"" in self._literal
        self._prefixes = tuple(pattern + b"/" for pattern in self.patterns if pattern)
        globs = [p for p in self.patterns if re.search(_MAGIC, p)]
        self._globs = [(pattern, _compiled(pattern)) for pattern in globs]
        self.hit: set[bytes] = set()

    def __contains__(self, path: bytes) -> bool:
        if self._all:
            return True
        if path in self._literal or path.startswith(self._prefixes):
            self._note(path)
            return True
        return self._fits(path)

    @property
    def everything(self) -> bool:
        """Whether every path belongs to it."""
        return self._all

    def roots(self) -> list[bytes]:
        """The folders or files that a walk must start from, none inside another."""
        if self._all:
            return [b""]
        starts = sorted({fixed_part(pattern) for pattern in self.patterns})
        kept: list[bytes] = []
        for start in starts:
            if not any(one in (b"", start) or start.startswith(one + b"/") for one in kept):
                kept.append(start)
        return kept

    def unmatched(self) -> list[bytes]:
        """The patterns that no path was found for so far."""
        return [p for p in self.patterns if p and p not in self.hit]

    def _note(self, path: bytes) -> None:
        if len(self.hit) < len(self.patterns):
            self.hit.update(p for p in self.patterns if p == path or path.startswith(p + b"/"))

    def _fits(self, path: bytes) -> bool:
        text = _text(path)
        for pattern, regex in self._globs:
            if regex.match(text):
                self.hit.add(pattern)
                return True
        return False


def _plain(pattern: bytes) -> bytes:
    """Without a slash at the end, and without the ``.`` that stands for the top."""
    while pattern.startswith(b"./"):
        pattern = pattern[2:]
    return b"" if pattern == b"." else pattern.rstrip(b"/")


def _compiled(glob: bytes) -> re.Pattern[str]:
    from fnmatch import translate  # seldom needed

    return re.compile(translate(_text(glob)), re.DOTALL)


def _text(path: bytes) -> str:
    return path.decode("latin-1")  # every byte one character: '?' means one byte


def is_glob(pattern: bytes) -> bool:
    """Whether the pattern may stand for other paths than itself and what is below it."""
    return re.search(_MAGIC, pattern) is not None


def fixed_part(pattern: bytes) -> bytes:
    """The folder or file that everything fitting ``pattern`` lies under."""
    found = re.search(_MAGIC, pattern)
    if found is None:
        return pattern
    return pattern[: found.start()].rpartition(b"/")[0]
