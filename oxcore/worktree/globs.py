"""Git's globs as regular expressions: by pathspec where that is safe, else by a bounded reading.

pathspec reads the plain globs, which are nearly all. It takes brackets and backslashes otherwise
than git does in places, and its expressions backtrack. An ignore file comes with a dataset, so it
is somebody else's input: forty asterisks in a line must not keep a scan busy for ever.

The bounded reading: between two asterisks every byte of a glob stands for one byte of the name,
so the leftmost place where such a piece fits is as good as any other, and never has to be given
back; the same holds for the folders between two ``**``. Atomic groups say so. A match then costs
at most the length of the path times that of the glob, and no more steps.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import cast

from oxcore.worktree.brackets import byte_at, parse_set

_SLASH, _STAR, _ONE = b"/", b"*", b"[^/]"
_NONE = b"(?!)"
_SIGNS = {0x2F: _SLASH, 0x2A: _STAR, 0x3F: _ONE}
_FOLDERS = b"(?:[^/]+/)*"

# What pathspec reads as git does: no bracket, no backslash, no sign in front that it would take
# for its own, no white space at the end that it would trim, nor what is such in Latin 1 alone ...
_PLAIN = rb"(?![#!])[^\\\[]*[^\\\[\s\x1c-\x1f\x85\xa0]"
_STARS = rb"\*+"
_MOST_STARS = 3  # ... and so few wild cards that backtracking cannot cost more than a moment


def compile_glob(glob: bytes) -> re.Pattern[bytes] | None:
    """The expression that matches a path as git would; None for a glob that can match nothing.

    ``glob`` is a pattern of gitignore(5) without '!' and without a '/' at its end. One without any
    '/' is compared with the last component alone.
    """
    if not glob or glob.startswith(b"\\/"):  # a guarded '/' in front is part of the name
        return None
    if is_tame(glob):
        return _by_pathspec(glob)
    return bounded(glob)


def is_tame(glob: bytes) -> bool:
    """Whether pathspec reads the glob as git does, at a cost that needs no bound."""
    stars = re.findall(_STARS, glob)
    doubled = sum(len(run) > 1 for run in stars)
    return bool(re.fullmatch(_PLAIN, glob)) and len(stars) <= _MOST_STARS and doubled <= 1


def _by_pathspec(glob: bytes) -> re.Pattern[bytes] | None:
    from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern  # slow to load

    regex, _ = GitIgnoreSpecPattern.pattern_to_regex(glob)
    if regex is None:
        return None
    # A name may hold a newline, which '.' and '$' would take for the end of the line.
    text = cast("bytes", regex)
    whole = text.removesuffix(b"|$)") + rb"|\Z)" if text.endswith(b"|$)") else text
    return re.compile(whole, re.DOTALL)


def bounded(glob: bytes) -> re.Pattern[bytes] | None:
    """The expression that never gives back what it has matched; None as for ``compile_glob``."""
    try:
        atoms = _atoms(glob)
    except ValueError:
        return None
    parts = _split(atoms[1:] if atoms[0] == _SLASH else atoms, _SLASH)
    # A '/' in a set matches nothing, but it ties the glob to its folder like any other.
    if b"/" not in glob:
        return re.compile(rb"\A(?>" + _FOLDERS + b")" + _component(parts[0]) + rb"\Z")
    return re.compile(_path(_runs(parts)))


def _atoms(glob: bytes) -> list[bytes]:
    """'/', '*', and for everything else an expression for one byte of a name."""
    atoms = []
    i = 0
    while i < len(glob):
        if glob[i] == 0x5C:  # a backslash and what it guards; '/' separates even then
            byte = byte_at(glob, i + 1)
            atoms.append(_SLASH if byte == 0x2F else re.escape(bytes((byte,))))
            i += 2
        elif glob[i] == 0x5B:
            accepted, i = parse_set(glob, i + 1)
            atoms.append(_set(accepted))
        else:
            atoms.append(_SIGNS.get(glob[i]) or re.escape(glob[i : i + 1]))
            i += 1
    return atoms


def _set(accepted: frozenset[int]) -> bytes:
    if not accepted:
        return _NONE
    return b"[" + b"".join(b"\\x%02x" % byte for byte in sorted(accepted)) + b"]"


def _split(atoms: Sequence[bytes], at: bytes) -> list[list[bytes]]:
    parts: list[list[bytes]] = [[]]
    for atom in atoms:
        if atom == at:
            parts.append([])
        else:
            parts[-1].append(atom)
    return parts


def _runs(parts: Sequence[Sequence[bytes]]) -> list[list[bytes]]:
    """Expressions of components, cut where a ``**`` stands for any number of folders."""
    runs: list[list[bytes]] = [[]]
    for part in parts:
        if len(part) > 1 and set(part) == {_STAR}:
            runs.append([])
        else:
            runs[-1].append(_component(part))
    return [runs[0], *(run for run in runs[1:-1] if run), *runs[1:][-1:]]


def _path(runs: Sequence[Sequence[bytes]]) -> bytes:
    first, *middle = runs
    if not middle:
        return rb"\A" + b"/".join(first) + rb"\Z"
    last = middle.pop()
    out = [rb"\A", *(one + b"/" for one in first)]
    out += [b"(?>" + _FOLDERS + b"?" + b"/".join(run) + b"/)" for run in middle]
    # '**' at the end is everything in the folder, but not the folder itself.
    out += [_FOLDERS, b"/".join(last), rb"\Z"] if last else [_ONE]
    return b"".join(out)


def _component(atoms: Sequence[bytes]) -> bytes:
    """The expression for one component of a path, as a whole."""
    pieces = [b"".join(piece) for piece in _split(atoms, _STAR)]
    if len(pieces) == 1:
        return pieces[0]
    middle = [b"(?>[^/]*?" + piece + b")" for piece in pieces[1:-1] if piece]
    return pieces[0] + b"".join(middle) + b"(?>[^/]*" + pieces[-1] + rb"(?=/|\Z))"
