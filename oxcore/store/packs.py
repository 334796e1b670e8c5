"""The store of a repository: a folder of packs, and a locator that finds objects in them."""

from __future__ import annotations

from oxcore.model.counters import Counters
from oxcore.model.protocols import Locator
from oxcore.store._read import PackReader
from oxcore.store.batch import Batch

PACK_SIZE = 64 << 20  # bytes


class PackStore(PackReader):
    """Objects in packs. Readers never wait; writers use a ``batch``.

    ``folder`` holds ``<64 hex digits>.pack`` files and is made when it is first written to;
    ``level`` is that of zstd (1 to 19); a pack is sealed when it reaches ``pack_size`` bytes.
    Whoever collects garbage while others write must hold a lock over both.
    """

    def __init__(
        self,
        folder: str,
        locator: Locator,
        counters: Counters,
        *,
        level: int = 1,
        pack_size: int = PACK_SIZE,
    ) -> None:
        super().__init__(folder, locator, counters, level=level)
        self._pack_size = pack_size

    def batch(self) -> Batch:
        """A block that takes objects: ``with store.batch() as batch: batch.put(...)``."""
        return Batch(self, pack_size=self._pack_size)

    def close(self) -> None:
        """Close the files that are kept open. The store may be used again."""
        self.files.close()
