"""Helper processes do a part of a comparison of two large tables of one store.

To compare rows is a few calls of Arrow for each thousand of them, and Python between: threads wait
for Python's lock, so that one process uses one and a half processors. A helper opens the same two
files and does the part that it is asked for; one that dies, or cannot do it, costs its share.
"""

from __future__ import annotations

import pickle
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import IO, TYPE_CHECKING, cast

from oxcore.tables.helping import Lost
from oxcore.verbs.storing.processes import python, receive, send

if TYPE_CHECKING:
    from oxcore.model.counters import Counters

    Told = tuple[object, ...]

_PATIENCE = 5  # seconds in which one that has nothing to do ends


class HelperProcess:
    """One process that has two files (as their origins tell it) of the repository in ``folder``;
    close it. ``OSError`` from ``__init__`` if there can be none."""

    def __init__(self, folder: str, files: Sequence[Told], counters: Counters) -> None:
        self._counters = counters
        self._busy = False
        self._process = subprocess.Popen(
            python("oxcore.verbs.tabular.helper"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
        )
        self._questions = cast("IO[bytes]", self._process.stdin).fileno()
        self._answers = cast("IO[bytes]", self._process.stdout).fileno()
        self._send((folder, *files))

    def ask(self, question: object) -> None:
        """Have it begin."""
        self._busy = True
        self._send(question)

    def answer(self) -> object:
        """What it has found; ``Lost`` if it is gone, or what it was to do failed."""
        message = receive(self._answers)
        if not message:
            raise Lost
        self._busy = False
        counts, found = pickle.loads(message)  # noqa: S301 -- of a process that we started
        self._counters.add(counts)
        return found

    def _send(self, message: object) -> None:
        with suppress(OSError):  # it died: ``answer`` tells
            send(self._questions, pickle.dumps(message))

    def close(self) -> None:
        """End the process, whatever it does."""
        if self._busy:
            self._process.kill()
        with self._process as process:
            cast("IO[bytes]", process.stdin).close()
            with suppress(subprocess.TimeoutExpired):
                process.wait(_PATIENCE)
                return
            process.kill()


@contextmanager
def helping(
    count: int, folder: str, files: Sequence[Told], counters: Counters
) -> Iterator[Sequence[HelperProcess]]:
    """So many processes that have these files, or fewer, as long as the block lasts. They load
    their libraries at once."""
    with ExitStack() as stack:
        found: list[HelperProcess] = []
        with suppress(OSError):  # no more processes: this one does it all
            for _ in range(count):
                found.append(HelperProcess(folder, files, counters))
                stack.callback(found[-1].close)
        yield found
