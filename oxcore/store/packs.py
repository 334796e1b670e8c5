"""The store of a repository: a folder of packs, and a locator that finds objects in them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from oxcore import store
from oxcore.model.counters import Counters
from oxcore.model.protocols import Locator, Stored
from oxcore.store._files import PackInfo, VanishedError
from oxcore.store._read import PackReader

if TYPE_CHECKING:
    from oxcore.store._upkeep import PackReport, RewriteReport
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
        return store.Batch(self, pack_size=self._pack_size)

    def packs(self) -> list[PackInfo]:
        """Every sealed pack in the folder, in the order of names."""
        found = []
        for name in sorted(self.files.names()):
            try:
                found.append(self.files.info(name))
            except VanishedError:
                continue
        return found

    def check_pack(self, name: bytes, *, deep: bool = True) -> PackReport:
        """Audit a pack: its checksum, and with ``deep`` the bytes of every object."""
        return store.check_pack(self, name, deep=deep)

    def rewrite(self, *, drop: Sequence[bytes], keep: Callable[[bytes], bool]) -> RewriteReport:
        """Remove the packs ``drop`` after copying what ``keep`` wants out of them.

        A pack in which a wanted object is damaged stays, and is reported as stuck.
        """
        return store.rewrite(self, self._replacing, drop, keep)

    def replace_objects(self, objects: Iterable[Stored]) -> int:
        """Store sound copies of objects that are damaged here, and let them win; how many."""
        return store.replace_objects(self._replacing, objects)

    def quarantine(self, name: bytes) -> str:
        """Put a damaged pack aside, as ``<name>.pack.bad``; gives the path."""
        return store.quarantine(self, name)

    def link_from(self, folder: str) -> list[bytes]:
        """Take all packs of another store as hard links, or copies; the names of what is new."""
        return store.link_from(self, folder)

    def clean(self) -> int:
        """Remove unsealed packs older than a day, which a crash left; how many."""
        return store.clean(self.files)

    def _replacing(self) -> Batch:
        return store.Batch(self, pack_size=self._pack_size, replace=True)

    def close(self) -> None:
        """Close the files that are kept open. The store may be used again."""
        self.files.close()
