"""What a damaged operation log still tells, and the log that goes on from there.

Records behind the damage are as sound as those before it: each says what the keys that it
changed held before. So the state where the damage ends is what the sound records before it, or
the snapshot, give, corrected by what those behind it found there. In doubt is only what nobody
changed since the operations that were lost.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from oxcore.codec import oplog
from oxcore.codec.oplog import Operation
from oxcore.errors import CorruptError, InvalidError
from oxcore.fs.atomic import storage_errors
from oxcore.refs import _snapshot
from oxcore.refs._log import START, next_frame
from oxcore.refs.view import View, after, before, check_change


class Record(NamedTuple):
    """A sound record of a log: its bytes with the frame, where they start, what they say."""

    start: int
    raw: bytes
    operation: Operation


class Salvage(NamedTuple):
    """What is left of a log. ``base``: the state that ``kept`` go on from, None if they start with
    the first operation; ``seen``: all sound operations; ``sound``: nothing lies before or between
    them, and the snapshot knows of none behind them."""

    base: View | None
    kept: tuple[Record, ...]
    seen: tuple[Operation, ...]
    sound: bool

    def values(self) -> dict[str, str]:
        """The state after the last of ``kept``."""
        values = dict(self.base or {})
        for record in self.kept:
            after(values, record.operation.changes)
        return values


def sound_records(data: bytes) -> Iterator[Record]:
    """Every sound record of a log, in the order of the file, whatever lies between them."""
    at = START
    while at >= 0:
        found = _record(data, at)
        if found is None:
            at = next_frame(data, at + 1)
        else:
            yield found
            at += len(found.raw)


def gaps(numbers: Iterable[int], *, based: bool) -> Iterator[tuple[int, int]]:
    """The first and last number of each run that lacks in ``numbers``, which ascend from 1 unless
    they are ``based``."""
    last = None if based else 0
    for number in numbers:
        if last is not None and number != last + 1:
            yield last + 1, number - 1
        last = number


def salvage(folder: str) -> Salvage:
    """Read what is left of the log in ``folder``, and its snapshot. Writes nothing."""
    with (
        storage_errors("read the operation log"),
        open(os.path.join(folder, "oplog"), "rb") as file,
    ):
        data = file.read()
    records = _ascending(sound_records(data))
    known = _snapshot.read_alone(folder)
    seen = tuple(record.operation for record in records)
    if known is not None and (not seen or known.number > seen[-1].number):
        return Salvage(_tidy(known, ()), (), seen, sound=False)
    run = _last_run(records)
    whole = len(run) == len(records)
    if whole and seen and _is_start(seen[0]):
        return Salvage(None, tuple(run), seen, sound=data.startswith(oplog.HEADER))
    return Salvage(_state_before(run, seen, known), tuple(run), seen, sound=False)


def _record(data: bytes, at: int) -> Record | None:
    try:
        found = next(oplog.scan(data, at), None)
    except CorruptError:
        return None
    return None if found is None else Record(at, data[at : found[0]], found[1])


def _ascending(records: Iterable[Record]) -> list[Record]:
    kept: list[Record] = []
    for record in records:
        if not kept or record.operation.number > kept[-1].operation.number:
            kept.append(record)
    return kept


def _last_run(records: Sequence[Record]) -> list[Record]:
    """The records at the end whose numbers have no gap."""
    first = len(records)
    while first > 0:
        following = records[first].operation.number if first < len(records) else None
        if following is not None and records[first - 1].operation.number != following - 1:
            break
        first -= 1
    return list(records[first:])


def _is_start(operation: Operation) -> bool:
    return operation.number == 1 or operation.verb == "base"


def _state_before(run: Sequence[Record], seen: Sequence[Operation], known: View | None) -> View:
    """The state that the first of ``run`` found, as far as anybody tells."""
    first = run[0].operation.number if run else 1
    values = dict(known or {})
    upto = known.number if known else 0
    for operation in seen:
        if upto < operation.number < first:
            after(values, operation.changes)
    for record in reversed(run):
        # A snapshot from within the run knows nothing of what came after it.
        if upto < first or record.operation.number <= upto:
            before(values, record.operation.changes)
    return _tidy(View(values, first - 1), [record.operation for record in run])


def _tidy(view: View, run: Sequence[Operation]) -> View:
    """Without what a state cannot hold, and without stale refs in the way of later ones."""
    values = {key: value for key, value in view.items() if _is_allowed(key, value)}
    touched = {key for operation in run for key in operation.changes}
    final = dict(values)
    for operation in run:
        after(final, operation.changes)
    fresh = {key for key in final if key in touched}
    above = {folder for key in fresh for folder in _above(key)}
    stale = (key for key in values if key not in touched)
    for key in [key for key in stale if key in above or not fresh.isdisjoint(_above(key))]:
        del values[key]
    return View(values, view.number)


def _above(ref: str) -> Iterator[str]:
    parts = ref.split("/")
    return ("/".join(parts[:count]) for count in range(2, len(parts)))


def _is_allowed(key: str, value: str) -> bool:
    try:
        check_change(key, value)
    except InvalidError:
        return False
    return True
