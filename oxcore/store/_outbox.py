"""Packs on their way to the disk: one fills, one is being sealed, others wait for the index."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from oxcore.errors import OxError, StorageError
from oxcore.model.ids import Kind
from oxcore.model.run import Run
from oxcore.store._read import PackReader
from oxcore.store._write import PackWriter

_CHUNK = int(Kind.CHUNK)
_TREE = int(Kind.TREE)
_PUBLISH_OBJECTS = 1 << 16  # sealed objects and packs that the index is told of together
_PUBLISH_PACKS = 32
_PACK_OBJECTS = 1 << 17  # a pack of tiny objects is sealed before its index weighs on memory


class _Sealing(threading.Thread):
    """A full pack on its way to the disk, while the next one fills."""

    def __init__(self, writer: PackWriter) -> None:
        super().__init__(name="ox-seal", daemon=True)
        self.writer = writer
        self._name = b""
        self._error: BaseException | None = None

    def run(self) -> None:
        try:
            self._name = self.writer.seal()
        except BaseException as error:  # noqa: BLE001 -- raised again by the thread that waits
            self._error = error

    def result(self) -> bytes:
        """The name of the pack, once it is sealed; raises what sealing raised."""
        self.join()
        if self._error is not None:
            raise self._error
        return self._name


class Outbox:
    """Takes encoded objects, fills packs with them and seals these.

    ``replace``: the places of these objects win over those that the index knows. The first
    failure is final: nothing is sealed after it, since it may name what was lost.
    """

    def __init__(self, reader: PackReader, *, pack_size: int, replace: bool) -> None:
        self._reader = reader
        self._pack_size = pack_size
        self._replace = replace
        self._open: PackWriter | None = None
        self._sealing: _Sealing | None = None
        self._unpublished: list[tuple[PackWriter, bytes]] = []  # sealed, not in the index yet
        self._failure: BaseException | None = None
        self.ids: set[bytes] = set()  # of what the index does not know yet
        self.sealed: list[bytes] = []  # names of the packs that were made

    def add(self, oid: bytes, kind: int, how: int, raw: int, payload: bytes | memoryview) -> None:
        """Append an object; it is durable after ``flush``."""
        counters = self._reader.counters
        counters.bytes_stored += len(payload)
        if kind == _CHUNK:
            counters.chunks_stored += 1
        elif kind == _TREE:
            counters.nodes_written += 1
        try:
            writer = self._writer()
            writer.add(oid, kind, how, raw, payload)
            self.ids.add(oid)
            self._seal_full(writer)
        except BaseException as error:
            self._failure = self._failure or error
            raise

    def add_run(self, run: Run, payloads: Sequence[bytes | memoryview] = ()) -> None:
        """Append the objects of a run; its blob, or the payloads that it has instead, may be used
        again when this returns."""
        counters = self._reader.counters
        counters.bytes_stored += sum(run.stored)
        counters.chunks_stored += run.kinds.count(_CHUNK)
        counters.nodes_written += run.kinds.count(_TREE)
        try:
            writer = self._writer()
            writer.add_run(run, payloads)
            self.ids.update(run.ids)
            self._seal_full(writer)
        except BaseException as error:
            self._failure = self._failure or error
            raise

    def flush(self) -> None:
        """Seal what there is: afterwards it is durable, and the store sees it.

        Raises, then and at every later call, the first error if some of it could not be written:
        a ``StorageError``.
        """
        self._harvest()
        writer, self._open = self._open, None
        if writer is not None:
            self._finish(writer, writer.seal)
        self._publish()

    def holder(self, oid: bytes) -> PackWriter | None:
        """The pack that holds an object which the index does not know yet."""
        if oid not in self.ids:
            return None
        return next((writer for writer in self.writers() if oid in writer.rows), None)

    def writers(self) -> list[PackWriter]:
        """Those whose objects the index does not know yet."""
        found = [writer for writer, _ in self._unpublished]
        if self._sealing is not None:
            found.append(self._sealing.writer)
        if self._open is not None:
            found.append(self._open)
        return found

    def _writer(self) -> PackWriter:
        if self._open is None:
            self._open = PackWriter(self._reader.files.folder)
        return self._open

    def _seal_full(self, writer: PackWriter) -> None:
        """Let a full pack go to the disk while the next one fills; at most one is under way."""
        if writer.index.end < self._pack_size and len(writer.rows) < _PACK_OBJECTS:
            return
        self._harvest()
        writer.drain()
        self._open = None
        self._sealing = _Sealing(writer)
        self._sealing.start()

    def _harvest(self) -> None:
        """Wait for the pack under way; let the index know of the packs that it is worth it for."""
        self._check_failure()
        sealing, self._sealing = self._sealing, None
        if sealing is not None:
            self._finish(sealing.writer, sealing.result)
            full = sum(len(writer.rows) for writer, _ in self._unpublished) >= _PUBLISH_OBJECTS
            if full or len(self._unpublished) >= _PUBLISH_PACKS:
                self._publish()

    def _check_failure(self) -> None:
        if isinstance(self._failure, OxError):
            raise self._failure  # again: it tells the cause and the way out
        if self._failure is not None:
            raise StorageError("some of these objects could not be stored") from self._failure

    def _finish(self, writer: PackWriter, seal: Callable[[], bytes]) -> None:
        try:
            name = seal()
        except BaseException as error:
            # Nothing more of the batch is sealed, since it may name what was lost.
            self._failure = self._failure or error
            writer.close()
            raise
        self._reader.counters.fsyncs += 2
        self._reader.files.forget(name)  # repair may put a sound pack in place of its twin
        self._unpublished.append((writer, name))

    def _publish(self) -> None:
        """Tell the index of the packs that are sealed: many together touch each page once."""
        ready, self._unpublished = self._unpublished, []
        self.ids = set() if self._open is None else set(self._open.rows)
        locator = self._reader.locator
        try:
            if self._replace:
                for writer, name in ready:
                    locator.replace(name, writer.index)
            elif ready:
                locator.add_packs([(name, writer.index) for writer, name in ready])
            self.sealed += [name for _, name in ready]
        except BaseException as error:
            self._failure = self._failure or error
            raise
        finally:
            for writer, _ in ready:
                writer.close()

    def give_up(self) -> None:
        """Keep the packs that are complete: a retry finds them. The open one is dropped."""
        self._harvest()
        self._publish()

    def close(self) -> None:
        """Close all files; what is not sealed is gone."""
        sealing, self._sealing = self._sealing, None
        if sealing is not None:
            sealing.join()
            sealing.writer.close()
        open_ = [] if self._open is None else [self._open]
        for writer in (*(writer for writer, _ in self._unpublished), *open_):
            writer.close()
        self._open, self._unpublished = None, []
