"""An iterator that a thread runs ahead of whoever takes its items."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import suppress
from queue import Empty, Queue
from threading import Event, Thread
from typing import Generic, Self, TypeVar

T = TypeVar("T")


class Ahead(Iterator[T], Generic[T]):
    """The items of an iterable, of which a thread makes ``room`` before they are asked for.

    The thread starts at once. What making an item raises is raised where the item would have come.
    Close it (it is a context manager) if it is not used to its end; after either the thread has
    ended, and a generator that it ran is closed.
    """

    def __init__(self, items: Iterable[T], room: int) -> None:
        self._queue: Queue[tuple[T] | BaseException | None] = Queue(room)
        self._stopped = Event()
        self._thread = Thread(target=self._make, args=(items,), name="ox-ahead", daemon=True)
        self._thread.start()

    def __next__(self) -> T:
        """The item that comes next."""
        found = None if self._stopped.is_set() else self._queue.get()
        if isinstance(found, tuple):
            return found[0]
        self.close()
        if found is None:
            raise StopIteration
        raise found

    def close(self) -> None:
        """End the thread; there are no more items."""
        self._stopped.set()
        while self._thread.is_alive():
            with suppress(Empty):  # the thread may wait for room
                while True:
                    self._queue.get_nowait()
            self._thread.join(0.01)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _make(self, items: Iterable[T]) -> None:
        try:
            for item in items:
                self._queue.put((item,))
                if self._stopped.is_set():
                    break
            if isinstance(items, Generator):
                items.close()
        except BaseException as error:  # noqa: BLE001 -- raised again by whoever takes the items
            self._queue.put(error)
        else:
            self._queue.put(None)
