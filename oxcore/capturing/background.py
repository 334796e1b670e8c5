"""The thread of a recorder: seals, ships, looks for what others left, and waits where it must."""

from __future__ import annotations

import random
import threading
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from oxcore.capturing.loading import LOADING
from oxcore.capturing.ship import OpenTarget, Sent, send
from oxcore.errors import DeniedError, InvalidError, NotFoundError, OxError, RejectedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from oxcore.capturing.recorder import Recorder

_ROUND = 1.0  # seconds between two looks
_AGAIN = 3  # rounds of a flush at most, after the first: others may save meanwhile
_TICK = 20_000_000  # nanoseconds that the stamp of a file may lie behind the clock
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 60.0  # seconds before a target that failed is asked again


class Background:
    """Ships what a recorder saves. The thread starts with the first record, and is a daemon."""

    def __init__(self, open_target: OpenTarget) -> None:
        self._open_target = open_target
        self._thread: threading.Thread | None = None
        self._wake = threading.Event()
        self._ended = False
        self._shipping = threading.Lock()
        self._failures = 0
        self._not_before = 0.0
        self.refusal: Callable[[], OxError] | None = None
        self._wanted = time.time_ns() - _TICK  # whoever asked before this was not asking us

    def begun(self, recorder: Recorder) -> None:
        """Something was saved: the thread is needed."""
        if self._thread is None:
            self._start(recorder)

    def wake(self) -> None:
        """There is work now; of a target that failed, when it is to be asked again."""
        if time.monotonic() >= self._not_before:
            self._wake.set()

    def _start(self, recorder: Recorder) -> None:
        with recorder.room:
            if self._thread is not None or self._ended:
                return
            name = f"ox-capture-{recorder.spool.where.key}"
            self._thread = threading.Thread(target=self._run, args=(recorder,), name=name)
            self._thread.daemon = True
        with suppress(RuntimeError):  # the interpreter is ending: the next process ships it
            self._thread.start()

    def _run(self, recorder: Recorder) -> None:
        while not self._ended:
            try:
                self._round(recorder)
            except Exception as error:  # noqa: BLE001 -- the thread lives as long as its process
                if not isinstance(error, OxError):
                    recorder.spool.trouble.note(error, "in the background")
                self._fail()
            recorder.spool.trouble.write()
            self._wake.wait(self._pause(recorder))
            self._wake.clear()

    def _pause(self, recorder: Recorder) -> float:
        return min(_ROUND, recorder.options.seal_seconds or _ROUND)

    def _fail(self) -> None:
        self._failures += 1
        pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(self._failures - 1, 10))
        self._not_before = time.monotonic() + pause * (1 + random.random() / 4)  # noqa: S311

    def _round(self, recorder: Recorder) -> None:
        asked = recorder.spool.wanted()
        forced, self._wanted = asked > self._wanted, max(asked, self._wanted)
        recorder.look_around()
        recorder.seal(0 if forced else recorder.options.seal_seconds)
        if forced or time.monotonic() >= self._not_before:
            self.ship(recorder)

    def ship(self, recorder: Recorder) -> Sent:
        """Send all that is sealed, and what others left. Raises ``OxError``, which is noted."""
        with self._shipping, LOADING.first():
            segments = recorder.sealed()
            try:
                done = send(recorder.spool, self._open_target, segments, recorder.sent)
            except (DeniedError, RejectedError, InvalidError, NotFoundError) as error:
                said = f"{recorder.spool.where} takes nothing, so records wait: {error.message}"
                self.refusal = partial(type(error), said, hint=error.hint)
                raise
            self._failures, self._not_before, self.refusal = 0, 0.0, None
            if done.segments:
                LOADING.done()
        recorder.look_around()
        return done

    def flush(self, recorder: Recorder) -> Sent:
        """Seal and send all, now and in this thread. Raises ``OxError``."""
        recorder.seal(0)
        recorder.look_around()
        try:
            done = self.ship(recorder)
            for _ in range(_AGAIN):  # for a gap that waited until there was room
                if not recorder.owes():
                    break
                recorder.seal(0)
                done = done.plus(self.ship(recorder))
            return done
        finally:
            recorder.spool.trouble.write()

    def close(self, recorder: Recorder, patience: float) -> None:
        """End the thread, and send what is left if that takes no longer than ``patience``."""
        self._ended = True
        self._wake.set()
        thread = self._thread
        if thread is not None and thread.is_alive():
            thread.join(patience)
        if thread is None or not thread.is_alive():
            try:
                self.flush(recorder)
            except Exception as error:  # noqa: BLE001 -- the end of a process is no place to raise
                if not isinstance(error, OxError):
                    recorder.spool.trouble.note(error, "at the end")
                recorder.spool.trouble.write()

    def forked(self) -> None:
        """In a forked child: the thread is the parent's."""
        self.__init__(self._open_target)  # type: ignore[misc]  # all anew, as it was made
