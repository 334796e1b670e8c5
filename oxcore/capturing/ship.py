"""Sends sealed segments: into shards, onto the branch, and only then out of the spool."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from typing import NamedTuple

from oxcore.capturing import gaps
from oxcore.capturing.gaps import Gap
from oxcore.capturing.shard import Packed, pack, pack_gap
from oxcore.capturing.spool import Folder, Spool
from oxcore.capturing.where import Addition, Target, Where
from oxcore.capturing.writer import Sealed
from oxcore.errors import OxError, counted

OpenTarget = Callable[[Where], Target]

_AT_ONCE = 64 << 20  # bytes of segments that become one commit


class Sent(NamedTuple):
    """What reached the branch: records and events, segments, commits at most so many."""

    records: int = 0
    segments: int = 0
    commits: int = 0

    def plus(self, other: Sent) -> Sent:
        """Both together."""
        return Sent(*map(sum, zip(self, other, strict=True)))


def ship(
    spool: Spool,
    segments: Sequence[Sealed],
    target: Target,
    sent: Callable[[Sealed], object] = lambda _: None,
    where: Where | None = None,
) -> Sent:
    """Land these segments and remove them; ``sent`` hears of each that is gone.

    Raises ``OxError`` where the target fails: what is left of them waits on.
    """
    total = Sent()
    for group in _groups(segments):
        read = [(one, found) for one in group if (found := _packed(spool, one, where))]
        files = [file for _, found in read for file in found.files]
        records = sum(found.records for _, found in read)
        if files:
            target.land(_once(files), _message(where or spool.where, records, len(read)))
        for segment, _ in read:
            with suppress(FileNotFoundError):
                os.unlink(segment.path)
            sent(segment)
        total = total.plus(Sent(records, len(read), bool(files)))
    return total


def ship_leftovers(
    spool: Spool, folders: Sequence[Folder], target: Target, where: Where | None = None
) -> Sent:
    """Land what writers left whose processes are gone (``spool.leftovers``); remove their
    folders."""
    total = Sent()
    for folder in folders:
        total = total.plus(_ship_folder(spool, folder, target, where))
        if not folder.segments():
            folder.remove()
    return total


def _ship_folder(spool: Spool, folder: Folder, target: Target, where: Where | None) -> Sent:
    listed = [
        Sealed(folder.name, number, path, os.path.getsize(path))
        for number, path in folder.segments()
    ]
    untold = gaps.read(folder.gaps)
    if untold is not None and not _tells(listed, untold, (where or spool.where).directory):
        file = pack_gap(folder.name, untold, (where or spool.where).directory)
        target.land([file], f"capture: {untold.dropped} records were lost")
    return ship(spool, listed, target, where=where)


def _tells(segments: Sequence[Sealed], gap: Gap, directory: str) -> bool:
    """Whether a segment tells of the gap: its process ended before it could note that."""
    return any(pack(one, directory).gap >= gap.number for one in segments[-1:])


def _groups(segments: Iterable[Sealed]) -> Iterator[list[Sealed]]:
    group: list[Sealed] = []
    size = 0
    for one in segments:
        if group and size + one.size > _AT_ONCE:
            yield group
            group, size = [], 0
        group.append(one)
        size += one.size
    if group:
        yield group


def _packed(spool: Spool, segment: Sealed, where: Where | None) -> Packed | None:
    """What a segment becomes; None, and a trouble, for one that cannot be read at all."""
    name = f"{segment.writer}-{segment.number:06}.seg"
    try:
        found = pack(segment, (where or spool.where).directory)
    except OSError as error:
        spool.trouble.note(error, f"a segment cannot be read: {segment.path}")
        return None
    except Exception as error:  # noqa: BLE001 -- one that nobody expected is not to stop the rest
        if isinstance(error, ImportError | MemoryError) or not threading.main_thread().is_alive():
            spool.trouble.note(error, f"{name} waits for a process that can send it")
            return None
        spool.set_aside(segment.path, name)
        spool.trouble.note(error, f"{name} gives no shard: kept in {spool.bad}")
        return Packed([], 0, 0, [])
    if found.damage:
        spool.set_aside(segment.path, name)
        size = sum(one.stop - one.start for one in found.damage)
        spool.trouble.tell(
            "corrupt", f"{counted(size, 'byte')} of {name} are damaged: kept in {spool.bad}"
        )
    return found


def _once(files: Iterable[Addition]) -> list[Addition]:
    """Each path once: many records may have the same input."""
    return list({file.path: file for file in files}.values())


def _message(where: Where, records: int, segments: int) -> str:
    shards = counted(segments, "shard")
    return f"capture: {counted(records, 'record')} in {shards} for {where.directory}"


def send(
    spool: Spool,
    open_target: OpenTarget,
    segments: Sequence[Sealed] = (),
    sent: Callable[[Sealed], object] = lambda _: None,
    where: Where | None = None,
) -> Sent:
    """Land what dead writers left, and these segments of one that lives. An ``OxError`` is noted
    before it is raised; nothing is opened where there is nothing to send."""
    folders = list(spool.leftovers())
    try:
        if not folders and not segments:
            return Sent()
        with closing(open_target(where or spool.where)) as target:
            done = ship_leftovers(spool, folders, target, where)
            return done.plus(ship(spool, segments, target, sent, where))
    except OxError as error:
        spool.trouble.note(error, f"sending to {where or spool.where}")
        raise
    finally:
        for folder in folders:
            folder.release()
