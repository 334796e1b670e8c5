from __future__ import annotations

from oxcore.model.counters import Counters
from oxcore.store import MemoryLocator, MemoryStore, PackStore
from oxcore.testing.locators import LocatorSuite
from oxcore.testing.stores import StoreSuite


class TestPackStore(StoreSuite):
    def new_store(self, folder):
        return PackStore(folder, MemoryLocator(), Counters())


class TestPackStoreOfManyPacks(StoreSuite):
    """Packs so small that nearly each object has its own: sealing in the background."""

    def new_store(self, folder):
        return PackStore(folder, MemoryLocator(), Counters(), pack_size=2000, level=3)


class TestMemoryStore(StoreSuite):
    def new_store(self, folder):
        return MemoryStore()


class TestMemoryLocator(LocatorSuite):
    def new_locator(self, folder):
        return MemoryLocator()
