"""One ignore file, compiled: the lines as git reads them (gitignore(5))."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from oxcore.worktree.globs import compile_glob

_GLOB = rb"[*?\[\\]"
_BOM = b"\xef\xbb\xbf"


class Match(NamedTuple):
    """The rule that decided: the file it stands in, its line (from 1), and its text."""

    source: str
    line: int
    pattern: bytes


class Pattern(NamedTuple):
    """One line: ``regex`` for a path relative to the file's folder, and what git's signs say."""

    regex: re.Pattern[bytes]
    negated: bool
    folders_only: bool
    core: bytes  # without '!', without the last '/'
    told: Match

    def fits(self, relative: bytes, *, is_folder: bool) -> bool:
        """Whether the pattern names this very path, not merely a folder above it."""
        if self.folders_only and not is_folder:
            return False
        found = self.regex.match(relative)
        # The one group in pathspec's expressions marks the end of a folder above the path; what
        # is in an ignored folder is settled by the walk, which does not enter it.
        return found is not None and found.lastgroup is None


def parse_patterns(source: str, text: bytes) -> list[Pattern]:
    """The patterns of an ignore file; lines that git takes for nothing are left out."""
    found = (_parse_line(source, n, line) for n, line in _lines(text))
    return [pattern for pattern in found if pattern is not None]


def _lines(text: bytes) -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(text.removeprefix(_BOM).split(b"\n"), 1):
        if line and not line.startswith(b"#"):
            yield number, line.removesuffix(b"\r")


def _parse_line(source: str, number: int, line: bytes) -> Pattern | None:
    text = _trim(line)
    negated = text.startswith(b"!")
    core = text[1:] if negated else text
    folders_only = core.endswith(b"/")
    core = core.removesuffix(b"/")
    regex = compile_glob(core)
    if regex is None:
        return None
    return Pattern(regex, negated, folders_only, core, Match(source, number, text))


def _trim(line: bytes) -> bytes:
    """Without trailing spaces, of which a backslash keeps one (``trim_trailing_spaces`` in git)."""
    bare = line.rstrip(b" ")
    slashes = len(bare) - len(bare.rstrip(b"\\"))
    return bare + b" " if slashes % 2 and len(bare) < len(line) else bare


class Sieve:
    """A quick test that most paths fail: whether any of some patterns might name them."""

    def __init__(self, patterns: Iterable[Pattern]) -> None:
        names: set[bytes] = set()
        tails: set[bytes] = set()
        others: list[re.Pattern[bytes]] = []
        for pattern in patterns:
            core = pattern.core
            if b"/" in core:
                others.append(pattern.regex)
            elif not re.search(_GLOB, core):
                names.add(core)
            elif core[:1] == b"*" and not re.search(_GLOB, core[1:]):
                tails.add(core[1:])
            else:
                others.append(pattern.regex)
        self._names, self._tails, self._others = frozenset(names), tuple(tails), others

    def passes(self, relative: bytes, name: bytes) -> bool:
        """False if no pattern can name the path; ``name`` is its last component."""
        if name in self._names or name.endswith(self._tails):
            return True
        return any(regex.match(relative) for regex in self._others)
