"""Other processes that have the same two files, and may do a part of what is done with both."""

from __future__ import annotations

from typing import Protocol


class Lost(Exception):
    """A helper is gone, or could not do it: whoever asked it does it."""


class Helper(Protocol):
    """Another process. It is asked one thing at a time."""

    def ask(self, question: object, /) -> None:
        """Have it begin."""
        ...

    def answer(self) -> object:
        """What it has found; ``Lost``."""
        ...
