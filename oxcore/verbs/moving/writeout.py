"""The files of a plan out of the store into the work tree."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator
from contextlib import closing

from oxcore.errors import CorruptError
from oxcore.model.entries import Mode
from oxcore.repo import Repository
from oxcore.store import content
from oxcore.store.stream import extents, stream
from oxcore.verbs.moving.plan import WRITE, Plan
from oxcore.verbs.moving.share import shared
from oxcore.worktree import Making, Writer

_BATCH_FILES = 512
_BATCH_BYTES = 8 << 20
_LARGE = 1 << 20  # bytes; a file above is read and written piece by piece
_AT_ONCE = 2  # large files in the making: one is copied while the other is proved


def write_files(repo: Repository, writer: Writer, plan: Plan) -> Generator[tuple[int, int]]:
    """Write each file that the plan says, and note its stat; gives how many files and bytes are
    done, now and then.

    Small files are read from the store by the batch, large ones piece by piece, and of those that
    the kernel copies the next is in the making before one is done.
    """
    share = shared(repo, writer, plan)
    if share is None:
        yield from _write_here(repo, writer, plan, plan.places(WRITE))
        return
    with closing(share):
        for _, start, stop in share.own():
            for done in _write_here(repo, writer, plan, plan.places(WRITE, start, stop)):
                yield done
                yield from share.collect()
            yield from share.collect()


def _write_here(
    repo: Repository, writer: Writer, plan: Plan, places: Iterator[int]
) -> Iterator[tuple[int, int]]:
    batch: list[int] = []
    pending = 0
    large: deque[tuple[int, Making]] = deque()
    for place in places:
        size = plan.steps.size(place)
        if size > _LARGE:
            making = _begin(repo, writer, plan, place)
            if making is not None:
                large.append((place, making))
            while large and (making is None or len(large) == _AT_ONCE):
                yield _finish(repo, writer, plan, *large.popleft())
            if making is None:
                yield _write_large(repo, writer, plan, place)
            continue
        batch.append(place)
        pending += size
        if len(batch) >= _BATCH_FILES or pending >= _BATCH_BYTES:
            yield _write_small(repo, writer, plan, batch), pending
            batch, pending = [], 0
    while large:
        yield _finish(repo, writer, plan, *large.popleft())
    if batch:
        yield _write_small(repo, writer, plan, batch), pending


def _begin(repo: Repository, writer: Writer, plan: Plan, place: int) -> Making | None:
    """A large file that the kernel copies, in the making; None for any other."""
    path, entry, expect = plan.order(place)
    if entry.mode == Mode.LINK:
        return None
    try:
        whole = extents(repo.store, entry.id)
    except CorruptError:
        return None
    return None if whole is None else writer.begin(path, entry, whole, expect=expect)


def _finish(
    repo: Repository, writer: Writer, plan: Plan, place: int, making: Making
) -> tuple[int, int]:
    try:
        plan.note(place, WRITE, writer.finish(making))
    except CorruptError:
        return _write_again(repo, writer, plan, place)
    return 1, plan.steps.size(place)


def _write_large(repo: Repository, writer: Writer, plan: Plan, place: int) -> tuple[int, int]:
    path, entry, expect = plan.order(place)
    try:
        with closing(stream(repo.store, entry.id)) as pieces:
            plan.note(place, WRITE, writer.write(path, entry, pieces, expect=expect))
    except CorruptError:
        return _write_again(repo, writer, plan, place)
    return 1, entry.size


def _write_again(repo: Repository, writer: Writer, plan: Plan, place: int) -> tuple[int, int]:
    """What was not sound, read chunk by chunk: that says which, or finds a sound copy."""
    path, entry, expect = plan.order(place)
    pieces = content.read(repo.store, entry.id)
    plan.note(place, WRITE, writer.write(path, entry, pieces, expect=expect))
    return 1, entry.size


def _write_small(repo: Repository, writer: Writer, plan: Plan, batch: list[int]) -> int:
    orders = [plan.order(place) for place in batch]
    datas = content.read_many(repo.store, [entry.id for _, entry, _ in orders])
    for place, (path, entry, expect), data in zip(batch, orders, datas, strict=True):
        plan.note(place, WRITE, writer.write(path, entry, data, expect=expect))
    return len(batch)
