"""Modules that load with the first round, and forks: these wait for each other.

A child that is forked while a thread loads a module finds the module's lock held by nobody, and
waits for ever as soon as it asks for that module. So no round loads anything while the process
forks, and no fork happens while the first round loads all that rounds need.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_PATIENCE = 5.0  # seconds that a fork waits: a target may be slow to answer


class Loading:
    """One of a process. ``first`` is round each round until one has sent something."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._done = False
        self._held = False

    @contextmanager
    def first(self) -> Iterator[None]:
        """A round, which may be the first."""
        if self._done:
            yield
            return
        with self._lock:
            yield

    def done(self) -> None:
        """A round has sent something: all is loaded."""
        self._done = True

    def before_fork(self) -> None:
        """Wait until nothing is loaded."""
        self._held = self._lock.acquire(timeout=_PATIENCE)

    def after_in_parent(self) -> None:
        """Go on."""
        if self._held:
            self._held = False
            self._lock.release()

    def after_in_child(self) -> None:
        """Go on, with a lock of our own: who held the other may not be here."""
        self._lock = threading.RLock()
        self._held = False


LOADING = Loading()
