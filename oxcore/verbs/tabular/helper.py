"""A helper process of ``helpers``: answers questions about two files of a repository.

Both ends of the pipes belong to one program; a message is its length (u32) and what pickle makes
of it. The first: the folder of the repository, what both origins tell. Then questions; an
answer is what was counted and what was found, or nothing where that failed: the parent does it
again, and tells what is wrong.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING

from oxcore.repo import Repository
from oxcore.verbs.storing.processes import receive, send

if TYPE_CHECKING:
    from oxcore.model.entries import Entry
    from oxcore.tables import Table
    from oxcore.verbs.tabular.origins import Origin, Seen

    Told = tuple[Entry, str] | tuple[bytes, str, Seen]


def main() -> None:
    """Answer questions until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what becomes of Ctrl-C
    sys.modules["numpy"] = None  # type: ignore[assignment]  # Arrow takes half of the time without
    said = _Said()
    first = said.next()
    if first is not None:
        _serve(said, *pickle.loads(first))  # noqa: S301 -- our parent's


class _Said:
    """What the parent says, heard by a thread: once it is gone, nobody wants what is being done."""

    def __init__(self) -> None:
        self._messages = SimpleQueue[bytes | None]()
        self._heard = self._done = 0
        Thread(target=self._listen, daemon=True).start()

    def next(self) -> bytes | None:
        """The next message; None if there is no more."""
        return self._messages.get()

    def done(self) -> None:
        """One message has been worked on."""
        self._done += 1

    def _listen(self) -> None:
        while (message := receive(0)) is not None:
            self._heard += 1
            self._messages.put(message)
        if self._heard > self._done:
            os._exit(0)
        self._messages.put(None)


def _serve(said: _Said, folder: str, old: Told, new: Told) -> None:
    from oxcore.store import KeepingReader
    from oxcore.tables import Table
    from oxcore.verbs.tabular.origins import InFolder

    with Repository(folder) as repo:
        reader = KeepingReader(repo.store)
        origins = [_origin(repo, *told) for told in (old, new)]
        one, two = (Table(each.source(reader)) for each in origins)
        said.done()
        while (question := said.next()) is not None:
            before = repo.counters.as_dict()
            found = _answer(one, two, question)
            if not all(each.is_same() for each in origins if isinstance(each, InFolder)):
                found = None  # the parent tells that it changed
            counts = {name: n - before[name] for name, n in repo.counters.as_dict().items()}
            said.done()
            send(1, b"" if found is None else pickle.dumps((counts, *found)))
    os._exit(0)  # to take libraries down takes longer than to end


def _origin(repo: Repository, kept: Entry | bytes, name: str, seen: Seen = (0, 0, 0)) -> Origin:
    from oxcore.verbs.tabular.origins import InFolder, Stored

    return InFolder(repo, kept, name, seen) if isinstance(kept, bytes) else Stored(repo, kept, name)


def _answer(old: Table, new: Table, question: bytes) -> tuple[object] | None:
    from oxcore.tables import rowdiff

    try:
        return (rowdiff.answer(old, new, pickle.loads(question)),)  # noqa: S301 -- our parent's
    except Exception:  # noqa: BLE001 -- whatever it is, the parent meets it as well
        return None
