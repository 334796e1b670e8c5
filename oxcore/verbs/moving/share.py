"""Helper processes write a share of the new folders of a large move, while this one writes too.

A folder that is not there yet is made under a temporary name (``oxcore.worktree.hidden``); a
helper gets a handle of it and fills it, and this process gives it its name. So nothing that a
helper does can be seen, or be in anybody's way, before this process says so. A helper that dies
costs its share of the work: what it began is removed and written here. It holds a copy of the
lock's handle, so that no one else becomes the writer before it has ended.
"""

from __future__ import annotations

import select
import socket
import subprocess
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from oxcore.model.ids import Kind
from oxcore.model.protocols import How
from oxcore.repo import Repository
from oxcore.verbs.moving.plan import WRITE, Plan
from oxcore.verbs.moving.sharer import Job, pack_job, pack_packs
from oxcore.verbs.storing.processes import LENGTH, helpers_for, processors, python, receive, send
from oxcore.worktree import STAT_SIZE, Folders, Writer

_ENOUGH = 20_000  # files to write from which on a helper pays
_LEAST = 64  # files of a folder that is worth handing over
_MOST = 16_384  # files of a folder above which one process writes it better
_AHEAD = 2_048  # files that a helper is given before it has written the last ones
_SMALL = 1 << 20  # bytes of a file


class Span(NamedTuple):
    """Steps of a plan from ``start`` up to ``stop``, all in ``folder`` and all to be written where
    there is nothing; ``folder`` is None where they are of any kind."""

    folder: bytes | None
    start: int
    stop: int


class _Given(NamedTuple):
    span: Span
    nbytes: int
    folders: Folders


class _Hand:
    """One process and what it was given."""

    def __init__(self, packs: bytes, lock: int) -> None:
        ours, theirs = socket.socketpair()
        self.socket = ours
        with theirs:
            self._process = subprocess.Popen(
                python("oxcore.verbs.moving.sharer"),
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[lock],
            )
        self.given: deque[_Given] = deque()
        self.gone = False
        self._send(packs)

    def takes(self, files: int) -> bool:
        """Whether it may be given so many files more."""
        ahead = sum(one.span.stop - one.span.start for one in self.given)
        return not self.gone and (not ahead or ahead + files <= _AHEAD)

    def give(self, given: _Given, job: Job, handle: int) -> None:
        """Have these files written."""
        self.given.append(given)
        self._send(pack_job(job), handle)

    def has_answer(self) -> bool:
        """Whether ``answer`` would not have to wait."""
        return self.gone or bool(select.select([self.socket], [], [], 0)[0])

    def answer(self) -> bytes:
        """The stats of what was given first; empty if it must be done here."""
        message = None
        with suppress(OSError):
            message = None if self.gone else receive(self.socket.fileno())
        if message is None:
            self.gone = True
            self.close()  # nothing of it may be at work when its folder goes
        return message or b""

    def _send(self, message: bytes, *handles: int) -> None:
        try:
            socket.send_fds(self.socket, [LENGTH.pack(len(message))], handles)
            send(self.socket.fileno(), message, bare=True)
        except OSError:  # it died: ``answer`` tells
            self.gone = True

    def close(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        self._process.wait()
        self.socket.close()


class Share:
    """The writing of a plan by this process and its helpers. Close it at the end."""

    def __init__(self, repo: Repository, writer: Writer, plan: Plan, count: int, lock: int) -> None:
        self._repo, self._writer, self._plan = repo, writer, plan
        self._fit: deque[Span] = deque()
        self._rest: deque[Span] = deque()
        for span in _spans(plan):
            (self._rest if span.folder is None else self._fit).append(span)
        self._hands: list[_Hand] = []
        packs = pack_packs(repo.store.files.folder, repo.index.locations.packs())
        with suppress(OSError):  # no more processes: this one does it all
            for _ in range(count if len(self._fit) > 1 else 0):
                self._hands.append(_Hand(packs, lock))

    def own(self) -> Iterator[Span]:
        """What this process has to write, one after the other; give it time in between."""
        while True:
            self._give()
            if self._rest or self._fit:
                yield (self._rest or self._fit).popleft()
            elif any(hand.given for hand in self._hands):
                self._wait()
                yield Span(None, 0, 0)
            else:
                return

    def collect(self) -> Iterator[tuple[int, int]]:
        """Files and bytes of the folders that helpers have filled by now; they get their names."""
        for hand in self._hands:
            while hand.given and hand.has_answer():
                stats, given = hand.answer(), hand.given.popleft()
                if stats:
                    yield self._keep(given, stats)
                else:
                    given.folders.discard()
                    given.folders.close()
                    self._rest.append(given.span)
        self._give()

    def close(self) -> None:
        """End the helpers; what they have not come to the end of goes."""
        for hand in self._hands:
            hand.close()
        for hand in self._hands:
            for given in hand.given:
                given.folders.discard()
                given.folders.close()
        self._hands = []

    def _give(self) -> None:
        for hand in self._hands:
            while self._fit and hand.takes(self._fit[-1].stop - self._fit[-1].start):
                self._hand_over(hand, self._fit.pop())

    def _hand_over(self, hand: _Hand, span: Span) -> None:
        """Give the span to the helper, or keep it where it is not as simple as it looked."""
        folder, start, stop = span.folder or b"", span.start, span.stop
        steps = self._plan.steps
        places = self._repo.store.locate([steps.new(place).id for place in range(start, stop)])
        simple = [
            where
            for where in places
            if where and where.kind == Kind.CHUNK and where.how != How.DELTA and where.raw <= _SMALL
        ]
        folders = Folders(self._repo.tree_root())
        handle = None
        try:
            if len(simple) == len(places):
                handle = folders.get(folder, make=True)
            if handle is None or not folders.hidden:
                self._rest.append(span)
                folders.close()
                return
        except BaseException:
            folders.discard()
            folders.close()
            raise
        cut = len(folder) + 1 if folder else 0
        names = [path[cut:] for path in steps.paths[start:stop]]
        nbytes = sum(where.raw for where in simple)
        job = Job(folder, names, steps.packed_news(start, stop), simple)
        hand.give(_Given(span, nbytes, folders), job, handle)

    def _keep(self, given: _Given, stats: bytes) -> tuple[int, int]:
        _, start, stop = given.span
        try:
            given.folders.settle()
        finally:
            given.folders.close()
        self._plan.stats[start * STAT_SIZE : stop * STAT_SIZE] = stats
        self._writer.note(stats[-STAT_SIZE:])
        self._repo.counters.objects_read += stop - start
        return stop - start, given.nbytes

    def _wait(self) -> None:
        """Until a helper has something to say."""
        select.select([hand.socket for hand in self._hands if hand.given], [], [])


def shared(repo: Repository, writer: Writer, plan: Plan) -> Share | None:
    """A share for this plan, if it is worth one."""
    lock = repo.state.lock_handle
    if plan.doing.count(WRITE) < _ENOUGH or lock is None:
        return None
    count = helpers_for(processors())
    return Share(repo, writer, plan, count, lock) if count > 0 else None


def _spans(plan: Plan) -> Iterator[Span]:
    """All that is to be written, the folders that may be handed over each by itself."""
    begin = 0
    for folder, start, stop in _folders(plan):
        if _is_new(plan, start, stop):
            if begin < start:
                yield Span(None, begin, start)
            yield Span(folder, start, stop)
            begin = stop
        elif stop - begin > _AHEAD:
            yield Span(None, begin, stop)
            begin = stop
    if begin < len(plan.steps):
        yield Span(None, begin, len(plan.steps))


def _folders(plan: Plan) -> Iterator[tuple[bytes, int, int]]:
    """The runs of the steps, those of one folder together."""
    last = b"", 0, 0
    for folder, start, stop in plan.steps.runs():
        if folder == last[0]:
            last = folder, last[1], stop
        else:
            yield last
            last = folder, start, stop
    yield last


def _is_new(plan: Plan, start: int, stop: int) -> bool:
    """Whether all of it is to be written where there is nothing."""
    if not _LEAST <= stop - start <= _MOST:
        return False
    nothing = not any(plan.stats[start * STAT_SIZE : stop * STAT_SIZE])
    return nothing and plan.doing.count(WRITE, start, stop) == stop - start
