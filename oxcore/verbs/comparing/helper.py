"""A helper process of ``helpers``: answers questions about two files of a repository.

Both ends of the pipes belong to one program; a message is its length (u32) and what pickle makes
of it. The first: the folder of the repository, entry and name of both files. Then questions; an
answer is what was counted and what was found, or nothing where that failed: the parent does it
again, and tells what is wrong.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
from queue import SimpleQueue
from threading import Event, Thread
from typing import TYPE_CHECKING

from oxcore.repo import Repository
from oxcore.verbs.storing.processes import receive, send

if TYPE_CHECKING:
    from oxcore.model.entries import Entry
    from oxcore.tables import Table

    File = tuple[Entry, str]


def main() -> None:
    """Answer questions until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what becomes of Ctrl-C
    sys.modules["numpy"] = None  # type: ignore[assignment]  # Arrow takes half of the time without
    messages, idle = SimpleQueue[bytes | None](), Event()
    Thread(target=_listen, args=(messages, idle), daemon=True).start()
    first = messages.get()
    if first is not None:
        _serve(messages, idle, *pickle.loads(first))  # noqa: S301 -- our parent's


def _listen(messages: SimpleQueue[bytes | None], idle: Event) -> None:
    """Take what is said; once the parent is gone, nobody wants what is being done."""
    while (message := receive(0)) is not None:
        messages.put(message)
    if not idle.is_set():
        os._exit(0)
    messages.put(None)


def _serve(
    messages: SimpleQueue[bytes | None], idle: Event, folder: str, old: File, new: File
) -> None:
    from oxcore.store import KeepingReader
    from oxcore.tables import Table
    from oxcore.verbs.tabular import df

    with Repository(folder) as repo:
        reader = KeepingReader(repo.store)
        one, two = (Table(df.stored(repo, *each, reader)) for each in (old, new))
        idle.set()
        while (question := messages.get()) is not None:
            idle.clear()
            before = repo.counters.as_dict()
            found = _answer(one, two, question)
            counts = {name: n - before[name] for name, n in repo.counters.as_dict().items()}
            send(1, b"" if found is None else pickle.dumps((counts, *found)))
            idle.set()
    os._exit(0)  # to take libraries down takes longer than to end


def _answer(old: Table, new: Table, question: bytes) -> tuple[object] | None:
    from oxcore.tables import rowdiff

    try:
        return (rowdiff.answer(old, new, pickle.loads(question)),)  # noqa: S301 -- our parent's
    except Exception:  # noqa: BLE001 -- whatever it is, the parent meets it as well
        return None
