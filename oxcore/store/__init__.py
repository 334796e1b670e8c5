"""Where objects are kept: packs in a folder, or memory; and the content of files out of them.

``oxcore.store.content`` gives the bytes of a file, whether it is one chunk or many.
"""

from oxcore.model.run import Run
from oxcore.store._coding import decode, encode
from oxcore.store._deltas import Encoded, Wanted, bases, encode_chunks
from oxcore.store._files import PackInfo
from oxcore.store._read import Refreshed
from oxcore.store._runs import prove_run
from oxcore.store._upkeep import PackReport, RewriteReport
from oxcore.store.batch import Batch
from oxcore.store.content import ContentFile, Finder, Part
from oxcore.store.memory import MemoryBatch, MemoryLocator, MemoryStore
from oxcore.store.packs import PACK_SIZE, PackStore

__all__ = [
    "PACK_SIZE",
    "Batch",
    "ContentFile",
    "Encoded",
    "Finder",
    "MemoryBatch",
    "MemoryLocator",
    "MemoryStore",
    "PackInfo",
    "PackReport",
    "PackStore",
    "Part",
    "Refreshed",
    "RewriteReport",
    "Run",
    "Wanted",
    "bases",
    "decode",
    "encode",
    "encode_chunks",
    "prove_run",
]
