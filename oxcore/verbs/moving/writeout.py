"""The files of a plan out of the store into the work tree."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing

from oxcore.errors import CorruptError
from oxcore.model.entries import Mode
from oxcore.repo import Repository
from oxcore.store import content
from oxcore.store.stream import extents, stream
from oxcore.verbs.moving.plan import WRITE, Plan
from oxcore.verbs.moving.share import shared
from oxcore.worktree import Writer

_BATCH_FILES = 512
_BATCH_BYTES = 8 << 20
_LARGE = 1 << 20  # bytes; a file above is read and written piece by piece


def write_files(repo: Repository, writer: Writer, plan: Plan) -> Generator[tuple[int, int]]:
    """Write each file that the plan says, and note its stat; gives how many files and bytes are
    done, now and then.

    Small files are read from the store by the batch, large ones piece by piece.
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
    for place in places:
        size = plan.steps.size(place)
        if size > _LARGE:
            yield _write_large(repo, writer, plan, place)
            continue
        batch.append(place)
        pending += size
        if len(batch) >= _BATCH_FILES or pending >= _BATCH_BYTES:
            yield _write_small(repo, writer, plan, batch), pending
            batch, pending = [], 0
    if batch:
        yield _write_small(repo, writer, plan, batch), pending


def _write_large(repo: Repository, writer: Writer, plan: Plan, place: int) -> tuple[int, int]:
    path, entry, expect = plan.order(place)
    try:
        whole = None if entry.mode == Mode.LINK else extents(repo.store, entry.id)
        if whole is not None:
            stat = writer.write(path, entry, whole, expect=expect)
        else:
            with closing(stream(repo.store, entry.id)) as pieces:
                stat = writer.write(path, entry, pieces, expect=expect)
    except CorruptError:  # read chunk by chunk it says which, or finds a sound copy
        stat = writer.write(path, entry, content.read(repo.store, entry.id), expect=expect)
    plan.note(place, WRITE, stat)
    return 1, entry.size


def _write_small(repo: Repository, writer: Writer, plan: Plan, batch: list[int]) -> int:
    orders = [plan.order(place) for place in batch]
    datas = content.read_many(repo.store, [entry.id for _, entry, _ in orders])
    for place, (path, entry, expect), data in zip(batch, orders, datas, strict=True):
        plan.note(place, WRITE, writer.write(path, entry, data, expect=expect))
    return len(batch)
