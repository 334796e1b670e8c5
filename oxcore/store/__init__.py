"""Where objects are kept: packs in a folder, or memory; and the content of files out of them."""

from oxcore.store._read import Refreshed
from oxcore.store.batch import Batch
from oxcore.store.memory import MemoryBatch, MemoryLocator, MemoryStore
from oxcore.store.packs import PACK_SIZE, PackStore

__all__ = [
    "PACK_SIZE",
    "Batch",
    "MemoryBatch",
    "MemoryLocator",
    "MemoryStore",
    "PackStore",
    "Refreshed",
]
