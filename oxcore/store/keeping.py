"""A reader that keeps what it decoded last, for two files that are read side by side.

Versions of a file have many chunks in common, and others are stored as deltas of each other's:
whoever compares them would decode each common chunk twice, and each base once more.
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock

from oxcore.model.ids import Buffer
from oxcore.model.protocols import How, Location
from oxcore.store._read import PackReader

ROOM = 32 << 20  # bytes of chunks that are kept
_ZSTD = int(How.ZSTD)


class KeepingReader(PackReader):
    """Reads from the packs of ``store``, and keeps up to ``room`` bytes of decoded chunks; those
    longest here go first. They are verified as often as they are given. Safe in several threads.
    """

    def __init__(self, store: PackReader, room: int = ROOM) -> None:
        super().__init__(store.files.folder, store.locator, store.counters, level=store.level)
        self.files = store.files
        self._room = room
        self._kept: dict[bytes, bytes] = {}
        self._lock = Lock()

    def decoded(self, oids: Sequence[bytes], found: Sequence[Location]) -> list[Buffer | None]:
        """As ``PackReader.decoded``; what is kept is not read."""
        datas: list[Buffer | None] = list(map(self._kept.get, oids))
        rest = [at for at, data in enumerate(datas) if data is None]
        if not rest:
            return datas
        new = super().decoded([oids[at] for at in rest], [found[at] for at in rest])
        for at, data in zip(rest, new, strict=True):
            datas[at] = data
            if data is not None and found[at].how == _ZSTD:  # a delta is quick, once its base is
                self._keep(oids[at], bytes(data))
        return datas

    def _keep(self, oid: bytes, data: bytes) -> None:
        with self._lock:
            if oid in self._kept:
                return
            self._kept[oid] = data
            self._room -= len(data)
            while self._room < 0:
                self._room += len(self._kept.pop(next(iter(self._kept))))
