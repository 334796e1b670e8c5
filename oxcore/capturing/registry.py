"""The recorders of this process: found again by what they were asked for, told of forks and of
the end."""

from __future__ import annotations

import atexit
import concurrent.futures.thread  # noqa: F401 -- it cannot be loaded at the end, and pandas wants it
import os
import threading
from collections.abc import Callable, Hashable, Iterator

from oxcore.capturing.ids import is_id, tag_in
from oxcore.capturing.loading import LOADING
from oxcore.capturing.recorder import Recorder
from oxcore.capturing.ship import Sent
from oxcore.index import Index  # noqa: F401 -- what it does at a fork comes after what we do

_AT_THE_END = 5.0  # seconds that the end of a process may take for what is left


class Registry:
    """Recorders by a key. ``made`` is called once a key, by one thread at a time."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._found: dict[Hashable, Recorder] = {}

    def get(self, key: Hashable, made: Callable[[], Recorder]) -> Recorder:
        """The recorder of the key."""
        found = self._found.get(key)
        if found is not None:
            return found
        with self._lock:
            found = self._found.get(key)
            if found is None:
                found = self._found[key] = made()
            return found

    def __iter__(self) -> Iterator[Recorder]:
        with self._lock:
            return iter(dict.fromkeys(self._found.values()))

    def unlocked(self) -> list[Recorder]:
        """All recorders, for who is just making one."""
        return list(dict.fromkeys(self._found.values()))

    def of_record(self, record_id: str) -> Recorder | None:
        """The recorder that gave this id; None if it is of another process's target."""
        tag = tag_in(record_id) if is_id(record_id) else -1
        found = [one for one in self if one.tag == tag]
        return found[0] if len(found) == 1 else None

    def flush(self) -> Sent:
        """Send all that waits, now. Raises the first ``OxError``, after all were tried."""
        total, errors = Sent(), list[Exception]()
        for recorder in self:
            try:
                total = total.plus(recorder.background.flush(recorder))
            except Exception as error:  # noqa: BLE001 -- one target that fails is not to stop others
                errors.append(error)
        if errors:
            raise errors[0]
        return total

    def close(self, patience: float = _AT_THE_END) -> None:
        """Send what is left, and forget all recorders."""
        for recorder in self:
            recorder.close(patience)
        self._found.clear()

    def forked(self) -> None:
        """In a forked child: each recorder begins anew."""
        LOADING.after_in_child()
        self._lock = threading.RLock()
        for recorder in dict.fromkeys(self._found.values()):
            recorder.forked()


REGISTRY = Registry()
"""That of this process."""

atexit.register(REGISTRY.close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=LOADING.before_fork,
        after_in_parent=LOADING.after_in_parent,
        after_in_child=REGISTRY.forked,
    )
