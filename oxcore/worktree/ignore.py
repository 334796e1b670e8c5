"""What the user does not want to see: ``.oxignore`` files, in git's syntax and precedence."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from oxcore import worktree
from oxcore.fs.atomic import storage_error
from oxcore.model.entries import show_path

if TYPE_CHECKING:
    from oxcore.worktree.patterns import Match, Pattern

FILE_NAME = b".oxignore"


class _Layer:
    """The patterns of one file; ``base`` is its folder with '/' at the end, or b""."""

    def __init__(self, base: bytes, source: str, text: bytes) -> None:
        patterns = worktree.parse_patterns(source, text)
        self.base = base
        self.patterns = tuple(reversed(patterns))
        self.sieve = worktree.Sieve(patterns)

    def decide(self, path: bytes, *, is_folder: bool) -> Pattern | None:
        """The last pattern that names the path, which must lie under ``base``."""
        relative = path[len(self.base) :]
        for pattern in self.patterns:
            if pattern.fits(relative, is_folder=is_folder):
                return pattern
        return None


class Rules:
    """All patterns that hold in one folder, the nearest file first. False if there are none."""

    __slots__ = ("_layers",)

    def __init__(self, layers: tuple[_Layer, ...] = ()) -> None:
        self._layers = layers

    def __bool__(self) -> bool:
        return bool(self._layers)

    def under(self, layer: _Layer) -> Rules:
        """These rules, with a nearer file before them."""
        return Rules((layer, *self._layers)) if layer.patterns else self

    def may_match(self, path: bytes, name: bytes) -> bool:
        """False if no pattern can name the path: the quick answer for nearly every file."""
        return any(layer.sieve.passes(path[len(layer.base) :], name) for layer in self._layers)

    def last_match(self, path: bytes, *, is_folder: bool) -> Pattern | None:
        """The pattern that decides, be it negated or not; None where none names the path."""
        for layer in self._layers:
            found = layer.decide(path, is_folder=is_folder)
            if found is not None:
                return found
        return None

    def decide(self, path: bytes, *, is_folder: bool) -> bool:
        """Whether the path itself is ignored, given that no folder above it is."""
        found = self.last_match(path, is_folder=is_folder)
        return found is not None and not found.negated


class Ignore:
    """The ignore rules of the work tree ``root``.

    ``excludes``: lines of patterns from outside the work tree, the user's own; every
    ``.oxignore`` in the tree is stronger, the deepest strongest. In one file the last pattern
    that matches decides. Nothing under an ignored folder can be brought back by '!'. Names are
    bytes: ``?`` is one byte, as in git.
    """

    def __init__(self, root: str, excludes: Sequence[str] = ()) -> None:
        self._base = os.fsencode(root)
        text = "\n".join(excludes).encode("utf-8", "surrogateescape")
        self._extra = Rules().under(_Layer(b"", "excludes", text)) if text else Rules()

    def enter(self, folder: bytes, rules: Rules, *, has_file: bool) -> Rules:
        """The rules in ``folder``, given those above it; ``has_file``: it has an ``.oxignore``.

        Raises ``StorageError`` if that file cannot be read: to guess would be to add what the
        user has excluded. An ``.oxignore`` that is a link or a folder is none, as in git.
        """
        if not has_file:
            return rules
        path = b"%s/%s" % (folder, FILE_NAME) if folder else FILE_NAME
        text = self._read(path)
        if not text:
            return rules
        base = folder + b"/" if folder else b""
        return rules.under(_Layer(base, show_path(path), text))

    def above(self, folder: bytes) -> Rules:
        """The rules that reach ``folder`` from outside and from the folders above it."""
        rules = self._extra
        for parent in _parents(folder):
            rules = self.enter(parent, rules, has_file=True)
        return rules

    def ignores(self, path: bytes, *, is_folder: bool = False) -> bool:
        """Whether the path, or a folder above it, is ignored."""
        found = self._deciding(path, is_folder=is_folder)
        return found is not None and not found.negated

    def why(self, path: bytes, *, is_folder: bool = False) -> Match | None:
        """The pattern that decides about ``path``, for people who wonder; None if none does.

        A pattern that starts with '!' is one that keeps the path in.
        """
        found = self._deciding(path, is_folder=is_folder)
        return None if found is None else found.told

    def _deciding(self, path: bytes, *, is_folder: bool) -> Pattern | None:
        """From the root down: the first ignored folder settles everything under it."""
        rules, parents = self._extra, _parents(path)
        if not path:
            return None
        for parent, child in zip(parents, [*parents[1:], path], strict=True):
            rules = self.enter(parent, rules, has_file=True)
            last = child == path
            found = rules.last_match(child, is_folder=is_folder or not last)
            if last or (found is not None and not found.negated):
                return found
        return None

    def _read(self, path: bytes) -> bytes:
        place = b"%s/%s" % (self._base, path)
        try:
            handle = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            with open(handle, "rb") as file:
                return file.read()
        except OSError as error:
            if os.path.isfile(place) and not os.path.islink(place):
                raise storage_error(f"read {show_path(path)}", error) from error
            return b""


def _parents(path: bytes) -> list[bytes]:
    """b"" and every folder above ``path``, from the top; none for b""."""
    parts = path.split(b"/")[:-1] if path else []
    return [b""] * bool(path) + [b"/".join(parts[: n + 1]) for n in range(len(parts))]


class IgnoreNothing(Ignore):
    """The rules of who names ignored files on purpose: there are none."""

    def __init__(self, root: str) -> None:
        super().__init__(root)

    def enter(self, folder: bytes, rules: Rules, *, has_file: bool) -> Rules:
        """No ``.oxignore`` is looked at."""
        return rules
