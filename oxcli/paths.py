"""From a path as typed to a path inside the dataset.

A path as typed is relative to the current folder or absolute; ``str`` with surrogate escapes, as
Python gives the command line. Inside the dataset it is ``bytes``, relative to the top of the work
tree, ``b""`` for the top itself. Of a bare repository, paths are relative to its top.

Patterns have the wildcards ``*``, ``?`` and ``[...]``; as in git's pathspecs ``*`` crosses '/'.
The folder that the user stands in belongs to no pattern: its wildcard characters are escaped.
"""

from __future__ import annotations

import os

from oxcore.errors import InvalidError

_WILD = frozenset(b"*?[")


def to_dataset(top: str, argument: str, *, bare: bool = False) -> bytes:
    """The dataset path of ``argument``, in the repository whose work tree is ``top``.

    Raises ``InvalidError`` for a path outside of it, or an empty one.
    """
    if not argument or "\0" in argument:
        raise InvalidError(
            "an empty path" if not argument else "a path cannot hold a NUL character"
        )
    if bare:
        return _inside(os.fsencode(os.path.normpath(argument)), argument, top)
    here = os.path.realpath(os.getcwd())
    target = os.path.normpath(os.path.join(here, argument))
    relative = os.path.relpath(target, os.path.realpath(top))
    if _leaves(os.fsencode(relative)) and os.path.isabs(argument):
        folder, name = os.path.split(target)
        relative = os.path.relpath(
            os.path.join(os.path.realpath(folder), name), os.path.realpath(top)
        )
    return _inside(os.fsencode(relative), argument, top)


def to_pattern(top: str, argument: str, *, bare: bool = False) -> bytes:
    """Like ``to_dataset``; if ``argument`` has wildcards, those of the folder are escaped."""
    path = to_dataset(top, argument, bare=bare)
    own = os.fsencode(os.path.normpath(argument))
    if not _WILD.intersection(own) or os.path.isabs(argument) or not path.endswith(own):
        return path
    folder = path[: len(path) - len(own)]
    return escape(folder) + own


def relative(path: bytes, here: bytes) -> bytes:
    """A path of the dataset as seen from the folder ``here`` of it."""
    if not here:
        return path
    folder = path.endswith(b"/")
    found = os.path.relpath(b"/" + path, b"/" + here)
    return found + b"/" if folder else found


def is_pattern(path: bytes) -> bool:
    """Whether ``path`` holds wildcards."""
    return not _WILD.isdisjoint(path)


def escape(path: bytes) -> bytes:
    """The pattern that matches ``path`` itself."""
    return b"".join(b"[%c]" % byte if byte in _WILD else b"%c" % byte for byte in path)


def _inside(relative: bytes, argument: str, top: str) -> bytes:
    if _leaves(relative):
        raise InvalidError(f"{argument} is outside the repository", hint=f"the repository is {top}")
    return b"" if relative == b"." else relative


def _leaves(relative: bytes) -> bool:
    return relative == b".." or relative.startswith((b"../", b"/"))
