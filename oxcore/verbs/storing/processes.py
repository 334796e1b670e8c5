"""Helper processes: how many, how one is started, and the messages that it is sent.

Both ends belong to one program, and run under one user: a message is its length (u32, as this
machine has numbers) and its bytes.
"""

from __future__ import annotations

import os
import struct
import sys

LENGTH = struct.Struct("=I")
_MOST = 3  # helpers: what more of them do keeps their parent from its own share


def processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def helpers_for(cpus: int) -> int:
    """How many helpers are worth having on a machine with so many processors for us."""
    return min(cpus - 1, _MOST) if sys.executable else 0


def python(module: str, *words: str) -> list[str]:
    """The command that calls ``main()`` of a module with these words as its arguments.

    It sees the modules that this process sees, and nothing of the environment: that is half of
    the time of a start.
    """
    main = f"import sys; n = {len(words)} + 1; sys.path[:] = sys.argv[n:]; del sys.argv[n:]; "
    main += f"from {module} import main; main()"
    flags = ["-I", "-S", *(["-B"] if sys.dont_write_bytecode else [])]
    return [sys.executable, *flags, "-c", main, *words, *sys.path]


def send(handle: int, message: bytes, *, bare: bool = False) -> None:
    """Write a message to a pipe; ``bare``: its length is told already."""
    view = memoryview(message if bare else LENGTH.pack(len(message)) + message)
    while view:
        view = view[os.write(handle, view) :]


def receive(handle: int) -> bytes | None:
    """The next message of a pipe; None at its end."""
    head = _read(handle, LENGTH.size)
    return None if head is None else receive_rest(handle, head)


def receive_rest(handle: int, head: bytes) -> bytes | None:
    """The message whose length has been read."""
    return _read(handle, LENGTH.unpack(head)[0])


def _read(handle: int, size: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < size:
        part = os.read(handle, size - len(parts))
        if not part:
            return None
        parts += part
    return bytes(parts)
