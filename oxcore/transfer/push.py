"""Sends what the other side lacks, then moves its refs."""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from oxcore.errors import ExistsError, MissingError, NotFoundError
from oxcore.model.ids import Kind, parse_id
from oxcore.model.protocols import Location, Progress, RefUpdate
from oxcore.repo import Repository
from oxcore.store import content
from oxcore.transfer.check import roots_and_bases
from oxcore.transfer.commits import Link, new_commits, peel, peel_all
from oxcore.transfer.levels import keep_all, new_nodes, read_from
from oxcore.transfer.remote import Remote
from oxcore.transfer.send import Asker, Sender, Spared
from oxcore.wire.messages import RefsReply, SwapReply, SwapRequest

_FILES_AT_ONCE = 1 << 18  # files whose presence there is asked for together
_FILE = int(Kind.FILE)
_ASK_FROM = 256  # new nodes of one level from which on it pays to ask which are there


@dataclass(slots=True)
class PushReport:
    """What a push did: commits that the other side lacked, objects and payload bytes sent, and
    the updates that were asked for.

    ``spared``, ``spared_bytes``: objects of the new history, and their payload bytes, that
    were there already and did not travel.
    """

    commits: int = 0
    objects: int = 0
    nbytes: int = 0
    spared: int = 0
    spared_bytes: int = 0
    updates: tuple[RefUpdate, ...] = ()
    created: bool = False
    swap: SwapReply = field(default_factory=lambda: SwapReply(None))


def read_refs(remote: Remote, *, create: bool = False) -> tuple[RefsReply, bool]:
    """The refs of the other side, and whether its repository was made just now.

    With ``create`` one that is not there is made; without, ``NotFoundError``.
    """
    try:
        return remote.refs(), False
    except NotFoundError:
        if not create:
            raise
    with suppress(ExistsError):  # another push was quicker, or the first answer got lost
        remote.create()
    return remote.refs(), True


def push(
    repo: Repository,
    remote: Remote,
    updates: Sequence[RefUpdate],
    *,
    force: Iterable[str] = (),
    refs: RefsReply | None = None,
    write_id: str | None = None,
) -> PushReport:
    """Send what the new values of ``updates`` need, then move the refs, all or none.

    ``old`` of an update is what the other side must hold; with the name in ``force`` its commits
    may be lost. ``refs``: the answer of ``read_refs``, if the caller has it. Raises
    ``RejectedError``, ``DeniedError``, ``UnreachableError``; what was sent by then need not be sent
    again. Objects and bytes are counted in ``repo.counters``.
    """
    made = False
    if refs is None:
        refs, made = read_refs(remote, create=True)
    request = SwapRequest(tuple(updates), write_id or secrets.token_hex(16), frozenset(force))
    sent, size = repo.counters.objects_sent, repo.counters.bytes_sent
    plan = _plan(repo, refs, request)
    report = PushReport(len(plan.commits), updates=request.updates, created=made)
    spared = _send(repo, remote, plan)
    report.spared, report.spared_bytes = spared.objects, spared.nbytes
    report.swap = _swap(repo, remote, plan, request)
    report.objects = repo.counters.objects_sent - sent
    report.nbytes = repo.counters.bytes_sent - size
    return report


@dataclass(slots=True)
class _Plan:
    tags: list[bytes]
    commits: dict[bytes, Link]  # newest first
    roots: set[bytes]
    bases: set[bytes]


def _plan(repo: Repository, refs: RefsReply, request: SwapRequest) -> _Plan:
    values = [parse_id(one.new) for one in request.updates if one.new is not None]
    peeled = [peel(repo, value) for value in dict.fromkeys(values)]
    theirs = peel_all(repo, map(parse_id, sorted(set(refs.refs.values()))))[1]
    known = frozenset(refs.shallow)
    commits = dict(new_commits(repo, {one.commit for one in peeled}, theirs, known))
    tags = dict.fromkeys(tag for one in peeled for tag in reversed(one.tags))
    roots, bases = roots_and_bases(repo, commits)
    return _Plan(list(tags), commits, roots, bases)


def _swap(repo: Repository, remote: Remote, plan: _Plan, request: SwapRequest) -> SwapReply:
    try:
        return remote.swap(request)
    except MissingError:
        # A tree or file was there without what it names: ask about everything, once.
        plan.bases = set()
        _send(repo, remote, plan, trust=False)
    return remote.swap(request)


def _send(repo: Repository, remote: Remote, plan: _Plan, *, trust: bool = True) -> Spared:
    progress: Progress = repo.settings.progress
    progress.start("comparing", unit="objects")
    asker = Asker(remote)
    sender = Sender(repo, remote, asker)
    levels: dict[int, list[bytes]] = defaultdict(list)
    files: set[bytes] = set()

    def prune(ids: list[bytes]) -> list[bytes]:
        return asker.lacking(ids) if len(ids) >= _ASK_FROM else ids

    read = read_from(repo.store)
    for run in new_nodes(plan.roots, plan.bases, read, read, prune if trust else keep_all):
        levels[run.level] += run.ids
        files.update(run.files())
        progress.step(len(run.ids))
        if len(files) >= _FILES_AT_ONCE:
            progress.start("sending", unit="objects")  # nobody knows yet how much there is to do
            _Content(repo, sender, files, trust=trust).queue()
            files.clear()
    nodes = [oid for level in sorted(levels) for oid in levels[level]]
    history = [*reversed(plan.commits), *plan.tags]
    asker.prefetch([*files, *nodes, *history])
    held = _Content(repo, sender, files, trust=trust)
    total = held.total() + len(asker.lacking([*nodes, *history]))
    progress.start("sending", total, "objects")
    held.queue()
    for oids in (nodes, history):
        sender.add_lacking(oids)
    sender.flush()
    progress.done()
    return sender.spared


class _Content:
    """What the other side lacks of the content of some files.

    Without ``trust`` a manifest that is there does not stand for its chunks.
    """

    def __init__(
        self, repo: Repository, sender: Sender, files: Iterable[bytes], *, trust: bool
    ) -> None:
        self._repo = repo
        self._sender = sender
        self._small: list[tuple[int, bytes, Location]] = []
        self._large: list[bytes] = []
        ids = sorted(files)
        lacking = set(sender.lacking(ids))
        for oid, where in zip(ids, repo.store.locate(ids), strict=True):
            if where is None:
                if oid in lacking:
                    raise MissingError(f"the content {oid.hex()} is not here", items=(oid.hex(),))
            elif where[4] == _FILE:
                if oid in lacking or not trust:
                    self._large.append(oid)
            elif oid in lacking:
                self._small.append((where[0] << 64 | where[1], oid, where))

    def total(self) -> int:
        """How many objects will be looked at there or sent."""
        store = self._repo.store
        return len(self._small) + sum(1 for oid in self._large for _ in content.parts(store, oid))

    def queue(self) -> None:
        """Let the sender have it."""
        self._small.sort()  # as it lies: neighbours are read, sent and written together
        self._sender.queue((oid, where) for _, oid, where in self._small)
        self._sender.add_files(self._large)
