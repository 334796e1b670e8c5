"""The state of a repository: the fold of its operation log, changed by compare-and-swap."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from oxcore.codec import canonical, oplog
from oxcore.codec.oplog import Operation
from oxcore.errors import (
    BusyError,
    CorruptError,
    ExistsError,
    NotARepoError,
    NotFoundError,
    RejectedError,
)
from oxcore.fs.atomic import storage_errors, write_all, write_atomic
from oxcore.fs.lock import writer_lock
from oxcore.model.commits import Moment
from oxcore.model.counters import Counters
from oxcore.refs import _snapshot
from oxcore.refs._log import START, LogFile, base_record, follow
from oxcore.refs._snapshot import Snapshot
from oxcore.refs.names import check_no_clash
from oxcore.refs.view import Change, View, after, before, check_change

SNAPSHOT_RECORDS = 64
SNAPSHOT_BYTES = 64 * 1024
RETRY_WINDOW = 10_000  # operations in which a write id is looked for


class State:
    """All refs, HEAD, the stage: one map from text to text, and every change that it saw.

    ``folder`` holds ``oplog`` (the truth), ``refs/snapshot`` (a cache) and ``lock``. One object
    may serve many threads. Readers need no lock and never wait.
    """

    def __init__(self, folder: str, counters: Counters | None = None, *, load: bool = True) -> None:
        self._folder = folder
        self._path = os.path.join(folder, "oplog")
        self._counters = counters or Counters()
        self._mutex = threading.RLock()
        self._writer = threading.RLock()
        self._owner: int | None = None  # the thread that is in `locked`
        self.lock_handle: int | None = None  # of the lock's file, while it is held
        self._log = self._open_log()
        self._loaded = False
        if load:
            self._load()

    @classmethod
    def create(
        cls,
        folder: str,
        first: Mapping[str, str],
        *,
        time: Moment,
        verb: str = "init",
        note: str = "",
        who: str = "",
        counters: Counters | None = None,
    ) -> State:
        """Start a log in ``folder`` (which is made) whose first operation sets ``first``.

        Raises ``ExistsError`` if there is one.
        """
        path = os.path.join(folder, "oplog")
        if os.path.exists(path):
            raise ExistsError(f"there is a repository already in {folder}")
        for key, value in first.items():
            check_change(key, value)
        changes: dict[str, Change] = {key: (None, value) for key, value in first.items()}
        record = oplog.encode(Operation(1, verb, note, who, time, changes))
        with storage_errors("create the operation log"):
            os.makedirs(os.path.join(folder, "refs"), exist_ok=True)
            write_atomic(path, oplog.HEADER + record)
        return cls(folder, counters)

    @classmethod
    def open(cls, folder: str, counters: Counters | None = None, *, late: bool = False) -> State:
        """The state kept in ``folder``; ``NotARepoError`` if there is none.

        ``late``: a damaged log is no error yet, but for everyone who looks at the state.
        """
        try:
            return cls(folder, counters)
        except CorruptError:
            if not late:
                raise
            return cls(folder, counters, load=False)

    def close(self) -> None:
        """Let go of the log file; the object is of no use any more."""
        self._log.close()

    # -- reading

    def view(self) -> View:
        """The state now. Costs one ``stat``, and the reading of what others appended."""
        with self._mutex:
            status = self._stat()
            known = self._loaded and self._log.is_at(status)
            if not known or status.st_size < self._end:
                self._load()
            elif status.st_size > self._end:
                self._follow(status.st_size)
            return self._view

    def operations(self, newest_first: bool = True) -> Iterator[Operation]:
        """Every operation that the log still holds, one at a time.

        Raises ``CorruptError`` with the number of the first that is damaged.
        """
        log, end, last = self._place()
        starts = log.starts(end)
        count = len(starts)
        for index in range(count - 1, -1, -1) if newest_first else range(count):
            yield log.operation(starts[index], last - count + 1 + index)

    def operation(self, number: int) -> Operation:
        """One operation; ``NotFoundError`` if it never was or is pruned."""
        log, end, last = self._place()
        starts = log.starts(end)
        index = number - 1 - last + len(starts)
        if not 0 <= index < len(starts):
            raise NotFoundError(f"there is no operation {number}", hint="see: ox oplog")
        return log.operation(starts[index], number)

    def reflog(self, key: str) -> Iterator[tuple[Operation, str | None]]:
        """Every change of ``key``, newest first: the operation, and the value that it set."""
        for operation in self.operations():
            if key in operation.changes:
                yield operation, operation.changes[key][1]

    def view_at(self, number: int) -> View:
        """The state after operation ``number``; ``NotFoundError`` as for ``operation``."""
        self.operation(number)
        values = dict(self.view())
        for operation in self.operations():
            if operation.number <= number:
                break
            before(values, operation.changes)
        return View(values, number)

    # -- writing

    @contextmanager
    def locked(self, purpose: str, wait: float = 5.0) -> Iterator[None]:
        """Be the repository's only writer for the length of the block; may be nested.

        Raises ``BusyError`` after ``wait`` seconds.
        """
        if not self._writer.acquire(timeout=wait):
            raise BusyError("this process is writing the repository in another thread")
        try:
            if self._owner is not None:
                yield
                return
            lock = os.path.join(self._folder, "lock")
            with writer_lock(lock, purpose=purpose, wait=wait) as self.lock_handle:
                self._owner = threading.get_ident()
                try:
                    yield
                finally:
                    self._owner = self.lock_handle = None
        finally:
            self._writer.release()

    def swap(
        self,
        changes: Mapping[str, Change],
        *,
        verb: str,
        note: str,
        who: str,
        time: Moment,
        write_id: str | None = None,
        undoes: int | None = None,
    ) -> Operation | None:
        """Change all of ``changes`` (key -> expected value, new value; None: absent) or nothing.

        Returns the operation, durable by then, or None where nothing would change. If an
        operation with ``write_id`` did just this before, it is that one: a retry after a lost
        reply is no conflict. Raises ``RejectedError`` with an item for each key that does not
        hold what was expected, ``InvalidError`` for a name or value that cannot be,
        ``ExistsError`` for a ref that is a folder of another. The caller is in ``locked``.
        """
        self._check_locked()
        view = self.view()
        wanted = {key: pair for key, pair in changes.items() if pair[0] != pair[1]}
        if write_id is not None and (done := self._find_write(write_id)) is not None:
            return _as_retry(done, wanted)
        _check_expected(view, changes)
        _check_wanted(view, wanted)
        if not wanted:
            return None
        number = view.number + 1
        operation = Operation(number, verb, note, who, time, wanted, write_id, undoes)
        self._append(operation)
        return operation

    def prune(
        self,
        *,
        time: Moment,
        keep_since_us: int | None = None,
        keep_count: int | None = None,
    ) -> int:
        """Forget old operations; gives how many are gone.

        Kept are the last ``keep_count``, and all from the first one on that happened at or after
        ``keep_since_us``. An operation ``base``, numbered as the last that is gone, takes their
        place and holds the state at that point. The caller is in ``locked``.
        """
        self._check_locked()
        first = self._first_kept(keep_since_us, keep_count)
        log, end, last = self._place()
        starts = log.starts(end)
        gone = first - 1 - (last - len(starts))
        if gone <= 1:
            return 0
        kept = log.read(starts[gone], end) if gone < len(starts) else b""
        self.rewrite(self.view_at(first - 1), kept, time)
        return gone - 1

    def rewrite(self, base: View | None, records: bytes, time: Moment) -> None:
        """Let the log hold the state ``base`` (None: nothing) and, going on from there, just these
        records. The caller is in ``locked``, and vouches for them."""
        self._check_locked()
        if base is not None:
            records = base_record(base, time) + records
        _snapshot.remove(self._folder)
        with storage_errors("rewrite the operation log"):
            write_atomic(self._path, oplog.HEADER + records)
        self._counters.fsyncs += 2

    # -- inside

    def _check_locked(self) -> None:
        if self._owner != threading.get_ident():
            raise RuntimeError("the state is changed within State.locked only")

    def _stat(self) -> os.stat_result:
        try:
            return os.stat(self._path)
        except FileNotFoundError:
            raise NotARepoError(f"no repository at {self._folder}") from None

    def _load(self) -> None:
        self._loaded = False
        size = self._stat().st_size
        self._log = self._open_log()
        self._log.check_header()
        found = _snapshot.read(self._folder, self._log)
        self._view, self._last, self._end = found or Snapshot(View({}, 0), START, START)
        self._covered, self._records, self._snapshot_bytes = self._end, 0, 0
        self._follow(size)
        self._loaded = True

    def _open_log(self) -> LogFile:
        self._stat()
        with storage_errors("open the operation log"):
            return LogFile(self._path)

    def _follow(self, size: int) -> None:
        """Take in what lies behind the known end of the log."""
        start, values, number = self._end, None, self._view.number
        for stop, operation in follow(self._log.read(start, size), number):
            values = dict(self._view) if values is None else values
            after(values, operation.changes)
            number = operation.number
            self._last, self._end = self._end, start + stop
            self._records += 1
        if values is not None:
            self._view = View(values, number)

    def _place(self) -> tuple[LogFile, int, int]:
        """The log, where its last sound record ends, and the number of that one."""
        with self._mutex:
            view = self.view()
            return self._log, self._end, view.number

    def _append(self, operation: Operation) -> None:
        record = oplog.encode(operation)
        with self._mutex, storage_errors("append to the operation log"):
            handle = os.open(self._path, os.O_WRONLY | os.O_CLOEXEC)
            try:
                self._write_record(handle, record)
            finally:
                os.close(handle)
            self._counters.fsyncs += 1
            self._follow(self._end + len(record))
            self._write_snapshot()

    def _write_record(self, handle: int, record: bytes) -> None:
        # Whatever lies behind the end was never acknowledged: `follow` has looked at it.
        os.ftruncate(handle, self._end)
        os.lseek(handle, self._end, os.SEEK_SET)
        try:
            write_all(handle, record)
            os.fsync(handle)
        except OSError:
            os.ftruncate(handle, self._end)
            raise

    def _write_snapshot(self) -> None:
        tail = self._end - self._covered
        # A large view is written the more rarely, so that all snapshots together cost a fixed
        # multiple of the log.
        if tail < self._snapshot_bytes // 4:
            return
        if self._records > SNAPSHOT_RECORDS or tail > SNAPSHOT_BYTES:
            snapshot = Snapshot(self._view, self._last, self._end)
            self._snapshot_bytes = _snapshot.write(self._folder, self._log, snapshot)
            self._covered, self._records = self._end, 0

    def _find_write(self, write_id: str) -> Operation | None:
        log, end, last = self._place()
        starts = log.starts(end)
        first = max(0, len(starts) - RETRY_WINDOW)
        # A quote within a string is escaped in JSON: these bytes are a key and its value.
        mark = b'"write_id":' + canonical.dumps(write_id)
        if not starts or mark not in log.read(starts[first], end):
            return None
        recent = (
            log.operation(starts[i], last - len(starts) + 1 + i)
            for i in range(len(starts) - 1, first - 1, -1)
        )
        return next((op for op in recent if op.write_id == write_id), None)

    def _first_kept(self, since_us: int | None, count: int | None) -> int:
        """The number of the oldest operation that ``prune`` keeps."""
        last = self.view().number
        first = last + 1
        if count is not None:
            first = max(0, last + 1 - count)
        if since_us is not None:
            recent = (op.number for op in self.operations(False) if op.time.us >= since_us)
            first = min(first, next(recent, last + 1))
        return first if count is not None or since_us is not None else 0


def _check_expected(view: View, changes: Mapping[str, Change]) -> None:
    wrong = [
        f"{key}: expected {old or 'nothing'}, found {view.get(key) or 'nothing'}"
        for key, (old, _) in changes.items()
        if view.get(key) != old
    ]
    if wrong:
        raise RejectedError(
            "the state moved since it was read: " + "; ".join(wrong[:3]),
            hint="fetch what is new, then try again",
            items=wrong,
        )


def _check_wanted(view: View, wanted: Mapping[str, Change]) -> None:
    for key, (_, new) in wanted.items():
        check_change(key, new)
    if any(old is None and key.startswith("refs/") for key, (old, _) in wanted.items()):
        values = dict(view)
        after(values, wanted)
        check_no_clash(key for key in values if key.startswith("refs/"))


def _as_retry(done: Operation, wanted: Mapping[str, Change]) -> Operation:
    if dict(done.changes) != dict(wanted):
        raise RejectedError(
            f"operation {done.number} used this write id for another update",
            items=[f"{key}: {old} -> {new}" for key, (old, new) in done.changes.items()],
        )
    return done
