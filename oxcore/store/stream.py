"""A large file out of the store: one thread reads and verifies chunks, the caller has the others.

Reading, hashing and writing all happen outside of Python's lock, in pieces of about a MiB, so
that two processors work at once and little is handed over.
"""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from itertools import islice
from queue import Queue

from blake3 import blake3

from oxcore.model.ids import Buffer, Kind
from oxcore.store.content import Bulk, check_length, corrupt, parts

_PIECE = 1 << 20  # bytes that are handed over at once
_AHEAD = 8  # pieces that wait for the caller
_AT_ONCE = 128  # chunks asked for together: some 8 MiB

_Item = list[Buffer] | BaseException | None


def stream(bulk: Bulk, oid: bytes) -> Generator[Buffer]:
    """The bytes of a file as ``content.read`` gives them, and as surely; read ahead in a thread.

    Holds about 16 MiB. Close the generator if it is not used to its end.
    """
    queue: Queue[_Item] = Queue(_AHEAD)
    stopped = threading.Event()
    thread = threading.Thread(target=_read, args=(bulk, oid, queue, stopped), daemon=True)
    thread.start()
    try:
        yield from _proved(oid, iter(queue.get, None))
    finally:
        stopped.set()
        while thread.is_alive():  # it may wait for room
            _drain(queue)
            thread.join(0.01)


def _proved(oid: bytes, items: Iterator[_Item]) -> Iterator[Buffer]:
    """The chunks, the last piece of them once all have given ``oid``."""
    whole = blake3()
    held: list[Buffer] = []
    for item in items:
        if isinstance(item, BaseException):
            raise item
        yield from held
        held = item or []
        for chunk in held:
            whole.update(chunk)
    if whole.digest() != oid:
        raise corrupt(oid, "its chunks do not give its id")
    yield from held


def _read(bulk: Bulk, oid: bytes, queue: Queue[_Item], stopped: threading.Event) -> None:
    try:
        for piece in _pieces(bulk, oid):
            queue.put(piece)
            if stopped.is_set():
                return
    except BaseException as error:  # noqa: BLE001 -- raised again by the caller's thread
        queue.put(error)
    queue.put(None)


def _pieces(bulk: Bulk, oid: bytes) -> Iterator[list[Buffer]]:
    listed = (part for part in parts(bulk, oid) if part.kind == Kind.CHUNK)
    piece: list[Buffer] = []
    held = 0
    while some := list(islice(listed, _AT_ONCE)):
        oids = [part.oid for part in some]
        datas = bulk.get_chunks_at(oids, bulk.locate(oids))
        for part, data in zip(some, datas, strict=True):
            check_length(oid, part.oid, len(data), part.length)
            piece.append(data)
            held += len(data)
            if held >= _PIECE:
                yield piece
                piece, held = [], 0
    if piece:
        yield piece


def _drain(queue: Queue[_Item]) -> None:
    while not queue.empty():
        queue.get()
