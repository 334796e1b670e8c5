"""A recorder: takes records and events for one place, and never keeps its caller waiting."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, Protocol

from oxcore.capturing.detach import Held
from oxcore.capturing.fields import confidence_of, number, sorted_out
from oxcore.capturing.frames import What
from oxcore.capturing.ids import is_id, new_id, tag_of
from oxcore.capturing.options import Options
from oxcore.capturing.plain import dumps_any
from oxcore.capturing.redact import Rule
from oxcore.capturing.taking import Taker
from oxcore.capturing.writer import Place, Writer, frame_size
from oxcore.errors import InvalidError, OxError, StorageError

if TYPE_CHECKING:
    from oxcore.capturing.ship import Sent
    from oxcore.capturing.spool import Spool
    from oxcore.capturing.writer import Sealed

_NOTHING: Mapping[str, object] = MappingProxyType({})
_THIN_FROM, _THIN_TO = 0.5, 0.8  # of the bound; the rest is for what matters


class Lost(StorageError):
    """The record is not kept: no room, or a disk that refuses."""


class Event(NamedTuple):
    """Something that is said about a record; it may come before it."""

    record_id: str
    kind: str
    value: object
    source: str = ""
    author: str = ""
    confidence: float | None = None


class _Taken(NamedTuple):
    """A call: the id that it gives, when it was (nanoseconds), whether it may raise, and what
    takes its input."""

    id: str
    now: int
    strict: bool
    taker: Taker


class Shipping(Protocol):
    """What ships what a recorder saves: ``Background``."""

    refusal: Callable[[], OxError] | None  # why the target did not take what it was sent last

    def begun(self, recorder: Recorder) -> None:
        """Something was saved."""
        ...

    def wake(self) -> None:
        """There is work now."""
        ...

    def flush(self, recorder: Recorder) -> Sent:
        """Send all, now and in this thread. Raises ``OxError``."""
        ...

    def close(self, recorder: Recorder, patience: float) -> None:
        """Send what is left, if it takes no longer than so many seconds; then no more."""
        ...

    def forked(self) -> None:
        """This is a forked child."""
        ...


class Recorder:
    """Saves records for ``spool.where``. Safe for many threads; a forked child may go on with it.

    ``background`` ships what is saved. ``defaults`` are fields that every record gets.
    """

    def __init__(
        self,
        spool: Spool,
        options: Options,
        background: Shipping,
        defaults: Mapping[str, object] | None = None,
    ) -> None:
        self.spool = spool
        self.options = options
        self.tag = tag_of(spool.where.key)
        self.others = 0  # bytes of other processes in the spool, as of the last round
        self.room = threading.Condition()  # guards all below
        self.writer: Writer | None = None
        self.background = background
        self._taker = Taker(spool, options.redact)
        self._defaults = dict(defaults or {})
        self._chooses = options.sample < 1 or options.full == "thin"

    def save(
        self,
        value: object,
        output: object,
        more: Mapping[str, object] = _NOTHING,
        *,
        strict: bool | None = None,
        record_id: str | None = None,
        rules: Sequence[Rule] = (),
    ) -> str:
        """Take a record; gives its id. ``more`` are its fields, ``rules`` those of redaction beside
        those of all. Raises nothing but, if strict, ``OxError``."""
        now = time.time_ns()
        made = record_id or new_id(self.tag, now)
        strictly = self.options.strict if strict is None else strict
        try:
            told = self._sorted({**self._defaults, **more}, strict=strictly)
            taken = _Taken(made, now, strictly, self._taker.also(rules))
            self._save(taken, value, output, told)
        except Exception as error:  # noqa: BLE001 -- serving goes on, whatever it is
            self._failed(error, now, strict=strictly)
        if strictly and self.background.refusal is not None:
            raise self.background.refusal()
        return made

    def new_id(self) -> str:
        """An id for a record to come."""
        return new_id(self.tag)

    def hold(
        self, value: object, *, strict: bool | None = None, rules: Sequence[Rule] = ()
    ) -> Held:
        """Detach an input now; the record of it is saved later. As ``save``."""
        strictly = self.options.strict if strict is None else strict
        try:
            taker = self._taker.also(rules)
        except InvalidError:  # which the save to come tells, and counts
            return Held(None)
        return taker.hold(value, strict=strictly)

    def feedback(
        self, event: Event, *, strict: bool | None = None, rules: Sequence[Rule] = ()
    ) -> str:
        """Take an event; gives its id. Raises as ``save`` does."""
        now = time.time_ns()
        made = new_id(self.tag, now)
        strictly = self.options.strict if strict is None else strict
        try:
            self._event(_Taken(made, now, strictly, self._taker.also(rules)), event)
        except Exception as error:  # noqa: BLE001 -- as in save
            self._failed(error, now, "feedback", strict=strictly)
        if strictly and self.background.refusal is not None:
            raise self.background.refusal()
        return made

    def _event(self, taken: _Taken, event: Event) -> None:
        if not is_id(event.record_id):
            raise InvalidError(f"not the id of a record: {event.record_id!r}")
        if not event.kind or not isinstance(event.kind, str):
            raise InvalidError(f"not a kind of feedback: {event.kind!r}")
        value, changed = taken.taker.said(event.value)
        told_of = event._replace(value=value)._asdict()
        fields = {"event_id": taken.id, "ts": taken.now // 1000, **told_of}
        told = self._sorted({"confidence": event.confidence}, strict=taken.strict)
        fields["confidence"] = number(told.get("confidence"))
        text, problem = dumps_any(fields)
        self._told(changed or problem, "the value of feedback", strict=taken.strict)
        self._append(What.EVENT, taken.now // 1000, text, b"")

    def _save(self, taken: _Taken, value: object, output: object, told: dict[str, object]) -> None:
        rate = 1.0
        if self._chooses and not self._matters(told, output):
            rate = self._rate(taken.now)
            if not rate:
                return
        start = told.pop("ts_start", None)
        ts = start if isinstance(start, int) else taken.now // 1000
        fields: dict[str, object] = {"record_id": taken.id, "ts": ts, **told}
        if rate < 1:
            fields["rate"] = rate
        blob, changed = taken.taker.take(value, output, fields, strict=taken.strict)
        text, problem = dumps_any(fields)
        self._told(changed or problem, "an output", strict=taken.strict)
        self._append(What.RECORD, ts, text, b"" if blob is None else blob.data)

    def _rate(self, now: int) -> float:
        """With which probability such a record is kept now; 0: this one is not."""
        sample, share = self.options.sample, 1.0
        if sample < 1 and random.random() >= sample:  # noqa: S311 -- a sample, no secret
            return 0.0
        if self.options.full == "thin":
            share = self._share()
            if share < 1 and random.random() >= share:  # noqa: S311
                self._lost(now // 1000, "thinned")
                return 0.0
        return sample * share

    def _sorted(self, more: Mapping[str, object], *, strict: bool) -> dict[str, object]:
        if not more:
            return {}
        told, problems = sorted_out(more)
        for problem in problems:
            if strict:
                raise problem
            self.spool.trouble.note(problem, "a field was left out")
        return told

    def _matters(self, told: Mapping[str, object], output: object) -> bool:
        if told.get("status") == "error":
            return True
        sure = confidence_of(told, output)
        return sure is not None and sure < self.options.low_confidence

    # -- appending

    def _append(self, what: int, ts: int, text: bytes, data: bytes) -> None:
        size = frame_size(text, data)
        with self.room:
            fits = self._fits(size) or self._made_room(size)
            writer = self.writer or self._begin()
            seq = writer.next_seq()
            if not fits:
                writer.ledger.note(seq, ts, size, "full")
                raise Lost("the spool of capture is full", hint="see: ox capture doctor")
            try:
                place = self._write(writer, what, seq, text, data)
            except OSError as error:
                writer.ledger.note(seq, ts, size, "storage")
                self._check_folder(writer)
                raise Lost(f"the spool of capture cannot be written: {error}") from error
        self.background.begun(self)
        if self.options.durability == "power":
            place.segment.synced(place.end)

    def _write(self, writer: Writer, what: int, seq: int, text: bytes, data: bytes) -> Place:
        place = writer.append(what, seq, text, data)
        if writer.due(self.options.seal_records, self.options.seal_bytes):
            writer.seal()
            self.background.wake()
        return place

    def _check_folder(self, writer: Writer) -> None:
        """Somebody removed the spool: begin anew with the next record."""
        if not os.path.isdir(writer.folder.path):
            self.writer = None
            writer.forget()
            os.makedirs(self.spool.folder, mode=0o700, exist_ok=True)

    def _begin(self) -> Writer:
        self.writer = Writer(self.spool, power=self.options.durability == "power")
        return self.writer

    def _made_room(self, size: int) -> bool:
        """Whether there is room now: where the user would rather wait, after a while. What fills
        the spool is sealed, that it may go."""
        writer = self.writer or self._begin()
        if writer.segment is not None:
            writer.seal()
        self.background.wake()
        if self.options.full != "block" or size + writer.owed > self.options.max_bytes:
            return False
        return self.room.wait_for(lambda: self._fits(size), self.options.patience)

    def owes(self) -> bool:
        """Whether a gap is still to be told, or to be sent."""
        with self.room:
            writer = self.writer
            return writer is not None and bool(writer.sealed or writer.ledger.gap.dropped)

    def _fits(self, size: int) -> bool:
        writer = self.writer or self._begin()
        return self._used() + size + writer.owed <= self.options.max_bytes

    def _used(self) -> int:
        return self.others + (self.writer.used if self.writer is not None else 0)

    def _share(self) -> float:
        """With which probability a record is kept, as the spool fills."""
        filled = self._used() / self.options.max_bytes
        return min(1.0, max(0.0, (_THIN_TO - filled) / (_THIN_TO - _THIN_FROM)))

    # -- trouble

    def _told(self, problem: str, what: str, *, strict: bool) -> None:
        if not problem:
            return
        self.spool.trouble.tell("invalid", f"{what} is not JSON as it is: {problem}")
        if strict:
            raise InvalidError(f"{what} is not JSON: {problem}")

    def _failed(self, error: Exception, now: int, what: str = "save", *, strict: bool) -> None:
        """Count what was not kept, for the doctor; raise it if that is wanted."""
        try:
            self.spool.trouble.note(error, what)
            if not isinstance(error, Lost):
                self._lost(now // 1000, "fault")
            self.background.begun(self)
        except Exception as other:  # noqa: BLE001 -- as in save
            self.spool.trouble.note(other, "counting what was lost")
        if not strict:
            return
        if isinstance(error, OxError):
            raise error
        raise StorageError(f"a record was not kept: {type(error).__name__}: {error}") from error

    def _lost(self, ts: int, reason: str) -> None:
        with self.room:
            writer = self.writer or self._begin()
            writer.ledger.note(writer.next_seq(), ts, 0, reason)

    # -- what the background asks

    def look_around(self) -> None:
        """See how many bytes the others have in the spool."""
        sizes = self.spool.sizes()
        with self.room:
            own = self.writer.folder.name if self.writer is not None else ""
            self.others = sum(size for name, size in sizes.items() if name != own)
            self.room.notify_all()

    def seal(self, seconds: float) -> None:
        """Close the segment that is so old."""
        with self.room:
            if self.writer is not None and self.writer.aged(seconds):
                self.writer.seal()

    def sealed(self) -> list[Sealed]:
        """The segments that are to be sent."""
        with self.room:
            return list(self.writer.sealed) if self.writer is not None else []

    def sent(self, segment: Sealed) -> None:
        """A segment is on the branch, and gone from the spool."""
        with self.room:
            if self.writer is not None:
                self.writer.sent(segment)
            self.room.notify_all()

    def close(self, patience: float) -> None:
        """Send what is left, if that takes no longer than so many seconds; the rest waits for the
        next process. Nothing can be saved any more."""
        self.background.close(self, patience)
        with self.room:
            writer, self.writer = self.writer, None
            if writer is not None:
                done = not writer.sealed and not writer.ledger.gap.dropped and not writer.segment
                writer.close(empty=done)

    def forked(self) -> None:
        """In a forked child: the writer is the parent's, and so are the locks."""
        self.room = threading.Condition()
        writer, self.writer = self.writer, None
        if writer is not None:
            self.others += writer.used
            writer.forget()
        self.background.forked()
        self.spool.trouble = type(self.spool.trouble)(self.spool.trouble.path)
