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

from oxcore.verbs.comparing.sides import FileSide, StoredSide
from oxcore.verbs.storing.processes import helpers_for, processors, python, receive, send

if TYPE_CHECKING:
    from oxcore.tables.rowdiff import Question

LEAST = 32 << 20  # bytes of either file from which on a helper pays
_PATIENCE = 5  # seconds in which one that has nothing to do ends
_CUT = (b".csv", b".tsv", b".parquet", b".pq", b".arrow", b".feather")  # what is cut in parts


class HelperProcess:
    """One process that has two files of a store; close it. ``OSError`` from ``__init__`` if there
    can be none."""

    def __init__(self, old: StoredSide, new: StoredSide) -> None:
        self._counters = old.store.counters
        self._busy = False
        self._process = subprocess.Popen(
            python("oxcore.verbs.comparing.helper"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
        )
        self._questions = cast("IO[bytes]", self._process.stdin).fileno()
        self._answers = cast("IO[bytes]", self._process.stdout).fileno()
        self._send((old.folder, (old.entry, old.name), (new.entry, new.name)))

    def ask(self, question: Question) -> None:
        """Have it begin."""
        self._busy = True
        self._send(question)

    def answer(self) -> object:
        """What it has found; ``Lost`` if it is gone, or what it was to do failed."""
        from oxcore.tables.rowdiff import Lost

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
def helpers(old: FileSide, new: FileSide) -> Iterator[Sequence[HelperProcess]]:
    """Processes that have these files, as long as the block lasts; none where they would not pay.
    They load their libraries while this one does."""
    with ExitStack() as stack:
        found: list[HelperProcess] = []
        if isinstance(old, StoredSide) and isinstance(new, StoredSide) and _pays(old, new):
            with suppress(OSError):  # no more processes: this one does it all
                for _ in range(helpers_for(processors())):
                    found.append(HelperProcess(old, new))
                    stack.callback(found[-1].close)
        yield found


def _pays(old: StoredSide, new: StoredSide) -> bool:
    return old.folder == new.folder and all(
        side.entry.size >= LEAST and side.path.lower().endswith(_CUT) for side in (old, new)
    )
