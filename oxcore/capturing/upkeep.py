"""Spools seen from outside: what waits in them, what was lost, what went wrong; and sending it."""

from __future__ import annotations

import os
import time
from typing import NamedTuple

from oxcore.capturing import frames, gaps
from oxcore.capturing.ship import OpenTarget, Sent, send
from oxcore.capturing.spool import Spool
from oxcore.capturing.trouble import Told
from oxcore.capturing.where import Where

_LOOK = 0.1  # seconds


class Waiting(NamedTuple):
    """A spool: whose it is, and what waits. ``alive``: writers whose processes live. ``dropped``:
    records that were lost, and whose gap is not on the branch yet. ``bad``: files of what could not
    be read. ``troubles``: what went wrong, the latest last."""

    folder: str
    where: Where
    writers: int
    alive: int
    segments: int
    nbytes: int
    records: int
    dropped: int
    bad: list[str]
    troubles: list[Told]


class Flushed(NamedTuple):
    """What was sent from here, and what waits still."""

    sent: Sent
    waiting: Waiting


def look(folder: str) -> Waiting:
    """What is in the spool ``folder``; ``InvalidError`` if it is none."""
    spool = Spool.found(folder)
    names = spool.writers()
    dead = list(spool.leftovers())
    for one in dead:
        one.release()
    paths = [path for name in names for path in spool.segments(name)]
    untold = (gaps.read(os.path.join(folder, name, "gaps")) for name in names)
    return Waiting(
        folder=folder,
        where=spool.where,
        writers=len(names),
        alive=len(names) - len(dead),
        segments=len(paths),
        nbytes=sum(spool.sizes().values()),
        records=sum(frames.count(path) for path in paths),
        dropped=sum(gap.dropped for gap in untold if gap is not None),
        bad=sorted(os.listdir(spool.bad)) if os.path.isdir(spool.bad) else [],
        troubles=spool.trouble.all(),
    )


def flush(folder: str, open_target: OpenTarget, patience: float) -> Flushed:
    """Send what dead writers left, and ask those that live to send theirs: wait for them, but no
    longer than ``patience`` seconds. Raises ``OxError``."""
    spool = Spool.found(folder)
    spool.want()
    try:
        sent = send(spool, open_target)
    finally:
        spool.trouble.write()
    deadline = time.monotonic() + patience
    while any(spool.sizes().values()) and time.monotonic() < deadline:
        time.sleep(_LOOK)
    return Flushed(sent, look(folder))


def replay(folder: str, open_target: OpenTarget, where: Where | None = None) -> Sent:
    """Send what is in a spool that no process uses any more, as one that was copied from another
    machine, to where it says or to ``where``. What is there already is left. Raises ``OxError``."""
    spool = Spool.found(folder)
    if where is not None:
        where.check()
    try:
        return send(spool, open_target, where=where)
    finally:
        spool.trouble.write()


def clear(folder: str) -> None:
    """Forget the troubles of a spool: somebody has read them."""
    Spool.found(folder).trouble.forget()
