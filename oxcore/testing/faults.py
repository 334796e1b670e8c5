"""Faults on purpose: bytes that flip, files cut short, machines that stop at the Nth call."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

CALLS = ("write", "writev", "fsync", "rename", "replace", "unlink", "link", "ftruncate")


class Crash(BaseException):
    """The machine stopped here."""


class Faults:
    """What the calls of ``os`` that change files did: ``log`` has (name of the call, path)."""

    def __init__(self, stop_at: int | None, error: int | None) -> None:
        self.log: list[tuple[str, str]] = []
        self._stop_at = stop_at
        self._error = error
        self._dead = False
        self._lock = threading.Lock()

    def meet(self, call: str, target: object) -> bool:
        """Note a call; raise ``Crash`` (or the ``OSError``) if its turn has come.

        True where a write is the one to stop at: half of it reaches the file.
        """
        with self._lock:
            if self._dead:
                raise Crash(call)
            self.log.append((call, _path(target)))
            if len(self.log) - 1 != self._stop_at:
                return False
            if self._error is not None:
                raise OSError(self._error, os.strerror(self._error))
            self._dead = True
            if call in {"write", "writev"}:
                return True
            raise Crash(call)


@contextmanager
def faulty(stop_at: int | None = None, *, error: int | None = None) -> Iterator[Faults]:
    """Count the calls of ``os`` that change files; stop the machine at call ``stop_at`` (from 0).

    After the stop every further call fails too, as after a loss of power; the caller sees
    ``Crash``. With ``error`` (an errno) only that one call fails, with an ``OSError``.
    """
    faults = Faults(stop_at, error)
    real = {name: getattr(os, name) for name in CALLS}
    try:
        for name in CALLS:
            setattr(os, name, _wrapped(faults, name, real[name]))
        yield faults
    finally:
        for name in CALLS:
            setattr(os, name, real[name])


def flip(path: str, at: int, bit: int = 0) -> None:
    """Turn one bit of a file in place, even of one that is read-only; ``at`` may be negative."""
    os.chmod(path, 0o644)
    with open(path, "r+b") as file:
        file.seek(at, os.SEEK_END if at < 0 else os.SEEK_SET)
        byte = file.read(1)[0]
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte ^ (1 << bit)]))


def truncate(path: str, size: int) -> None:
    """Cut a file to ``size`` bytes, even one that is read-only."""
    os.chmod(path, 0o644)
    os.truncate(path, size)


def _wrapped(faults: Faults, name: str, real: Callable[..., object]) -> Callable[..., object]:
    def call(target: int | str, *args: object, **options: object) -> object:
        if faults.meet(name, target):
            _tear(target, args[0])
        return real(target, *args, **options)

    return call


def _tear(target: int | str, data: object) -> None:
    """Let half of a write reach the file, and stop."""
    buffers: list[bytes] = data if isinstance(data, list) else []
    whole = bytes(data) if isinstance(data, bytes | memoryview) else b"".join(buffers)
    if isinstance(target, int):
        os.pwrite(target, whole[: len(whole) // 2], os.lseek(target, 0, os.SEEK_CUR))
    raise Crash("write")


def _path(target: object) -> str:
    if isinstance(target, int):
        return os.readlink(f"/proc/self/fd/{target}")
    return os.fsdecode(target) if isinstance(target, (str, bytes, os.PathLike)) else ""
