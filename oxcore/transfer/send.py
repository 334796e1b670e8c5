"""The sending half: asks what is there, and streams the rest, again where the line breaks."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from oxcore.errors import BusyError, MissingError, UnreachableError
from oxcore.model.ids import Kind
from oxcore.model.protocols import How, Location
from oxcore.model.run import Run
from oxcore.repo import Repository
from oxcore.store import bases, content
from oxcore.transfer.levels import batched
from oxcore.transfer.remote import REQUEST_BYTES, Remote
from oxcore.wire.ids import MAX_IDS

TRIES = 5
"""Attempts in a row without progress before a transfer gives up."""
_DELTA = int(How.DELTA)
_MOST = 1 << 17  # objects of one request: so much memory takes the queue


def pause(attempt: int, sleep: Callable[[float], None] = time.sleep) -> None:
    """Wait before attempt number ``attempt`` (from 1): 0.2 s doubling up to 5 s, and up to half
    as long again."""
    delay = min(5.0, 0.1 * 2**attempt)
    sleep(delay * (1 + random.random() / 2))  # noqa: S311 -- only spreads the retries


class Asker:
    """Asks which objects the other side lacks, many at a time; remembers what was asked ahead."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote
        self._known: dict[bytes, bool] = {}

    def lacking(self, oids: Sequence[bytes]) -> list[bytes]:
        """Those of ``oids``, each once, that the other side does not have."""
        unknown = [oid for oid in dict.fromkeys(oids) if oid not in self._known]
        answers: dict[bytes, bool] = {}
        for batch in batched(unknown, MAX_IDS):
            answers.update(zip(batch, self._remote.has(batch), strict=True))
        known = self._known
        return [oid for oid in dict.fromkeys(oids) if not (answers.get(oid) or known.get(oid))]

    def prefetch(self, oids: Iterable[bytes]) -> None:
        """Ask about these together, and remember the answers in place of earlier ones."""
        self._known = {}
        wanted = list(dict.fromkeys(oids))
        for batch in batched(wanted, MAX_IDS):
            self._known.update(zip(batch, self._remote.has(batch), strict=True))


@dataclass(slots=True)
class Spared:
    """Objects, and their payload bytes, that need not travel."""

    objects: int = 0
    nbytes: int = 0


class Sender:
    """Queues objects and sends them in requests of about 256 MiB, in the order of the queue."""

    def __init__(self, repo: Repository, remote: Remote, asker: Asker) -> None:
        self.asker = asker
        self.spared = Spared()
        self._repo = repo
        self._remote = remote
        self._queue: dict[bytes, Location] = {}
        self._size = 0

    def add(self, oids: Sequence[bytes]) -> None:
        """Queue these objects; ``MissingError`` if one is not here."""
        self.queue(zip(oids, self._repo.store.locate(oids), strict=True))

    def queue(self, places: Iterable[tuple[bytes, Location | None]]) -> None:
        """``add`` for ids whose places are known. What lies together is best queued together."""
        for oid, where in places:
            if where is None:
                raise MissingError(f"object {oid.hex()} is not here", items=(oid.hex(),))
            if oid not in self._queue:
                self._queue[oid] = where
                self._size += where.stored
                if self._size >= REQUEST_BYTES or len(self._queue) >= _MOST:
                    self.flush()

    def lacking(self, oids: Sequence[bytes]) -> list[bytes]:
        """Those of ``oids`` that the other side lacks; counts the others as spared."""
        lacking = self.asker.lacking(oids)
        there = set(oids).difference(lacking)
        self.spared.objects += len(there)
        places = self._repo.store.locate(list(there))
        self.spared.nbytes += sum(where.stored for where in places if where is not None)
        return lacking

    def add_lacking(self, oids: Sequence[bytes]) -> None:
        """Queue those of these objects that the other side lacks."""
        self.add(self.lacking(oids))

    def add_files(self, files: Iterable[bytes]) -> None:
        """Queue what the other side lacks of these files of several chunks."""
        manifests: list[bytes] = []
        parts: dict[bytes, None] = {}
        for oid in files:
            inner: list[bytes] = []
            for part in content.parts(self._repo.store, oid):
                if part.kind == Kind.FILE:
                    inner.append(part.oid)
                else:
                    parts[part.oid] = None
                if len(parts) >= MAX_IDS:
                    self._add_parts(list(parts))
                    parts.clear()
            manifests += reversed(inner)  # a file that is a part of this one comes before it
        self._add_parts(list(parts))
        self.add(manifests)

    def _add_parts(self, parts: list[bytes]) -> None:
        lacking = self.lacking(parts)
        self._repo.settings.progress.step(len(parts) - len(lacking))
        self.add(lacking)

    def flush(self) -> None:
        """Send what is queued; where the line breaks, what did not arrive is sent again."""
        left, self._queue, self._size = self._with_bases(), {}, 0
        attempt = 0
        while left:
            try:
                self._remote.put(self._counted(left))
                return
            except (UnreachableError, BusyError):
                attempt += 1
                if attempt >= TRIES:
                    raise
                pause(attempt)
                rest = Asker(self._remote).lacking(list(left))
                attempt = attempt if len(rest) == len(left) else 0
                left = {oid: left[oid] for oid in rest}

    def _with_bases(self) -> dict[bytes, Location]:
        """The queue, chunks first, and with them the bases that its deltas need there."""
        deltas = [oid for oid, where in self._queue.items() if where[5] == _DELTA]
        if not deltas:
            return self._queue
        store = self._repo.store
        needed = sorted(set(bases(store, deltas).values()) - self._queue.keys())
        lacking = self.asker.lacking(needed)
        rows = dict(zip(lacking, store.locate(lacking), strict=True)) | self._queue
        found = {oid: where for oid, where in rows.items() if where is not None}
        return dict(sorted(found.items(), key=_rank))

    def _counted(self, places: dict[bytes, Location]) -> Iterator[Run]:
        counters, progress = self._repo.counters, self._repo.settings.progress
        for run in self._repo.store.get_runs_at(places.items(), deltas=True):
            counters.objects_sent += len(run.ids)
            counters.bytes_sent += len(run.blob)
            progress.step(len(run.ids), len(run.blob))
            yield run


def _rank(row: tuple[bytes, Location]) -> int:
    """Chunks come first, those stored whole before those that may need them."""
    if row[1].kind != Kind.CHUNK:
        return 2
    return int(row[1].how == How.DELTA)
