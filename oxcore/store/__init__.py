"""Where objects are kept: packs in a folder, or memory; and the content of files out of them.

``oxcore.store.content`` gives the bytes of a file, whether it is one chunk or many.
"""

from oxcore.model.late import late

TYPE_CHECKING = False  # see `oxcore`
if TYPE_CHECKING:
    from oxcore.model.run import Run
    from oxcore.store._coding import base_of, decode, encode
    from oxcore.store._deltas import Encoded, Wanted, bases, encode_chunks
    from oxcore.store._files import PackInfo
    from oxcore.store._links import clean as clean
    from oxcore.store._links import link_from as link_from
    from oxcore.store._read import PackReader, Refreshed
    from oxcore.store._runs import prove_run
    from oxcore.store._upkeep import PackReport, RewriteReport
    from oxcore.store._upkeep import check_pack as check_pack
    from oxcore.store._upkeep import quarantine as quarantine
    from oxcore.store._upkeep import replace_objects as replace_objects
    from oxcore.store._upkeep import rewrite as rewrite
    from oxcore.store.batch import Batch
    from oxcore.store.content import ContentFile, Finder, Part
    from oxcore.store.keeping import KeepingReader
    from oxcore.store.memory import MemoryBatch, MemoryLocator, MemoryStore
    from oxcore.store.packs import PACK_SIZE, PackStore

__all__ = [
    "PACK_SIZE",
    "Batch",
    "ContentFile",
    "Encoded",
    "Finder",
    "KeepingReader",
    "MemoryBatch",
    "MemoryLocator",
    "MemoryStore",
    "PackInfo",
    "PackReader",
    "PackReport",
    "PackStore",
    "Part",
    "Refreshed",
    "RewriteReport",
    "Run",
    "Wanted",
    "base_of",
    "bases",
    "decode",
    "encode",
    "encode_chunks",
    "prove_run",
]

__getattr__ = late(
    __name__,
    {
        "_links": "clean link_from",
        "_coding": "base_of decode encode",
        "_deltas": "Encoded Wanted bases encode_chunks",
        "_runs": "Run prove_run",
        "_files": "PackInfo",
        "_read": "PackReader Refreshed",
        "packs": "PACK_SIZE PackStore",
        "_upkeep": "PackReport RewriteReport check_pack quarantine replace_objects rewrite",
        "batch": "Batch",
        "content": "ContentFile Finder Part",
        "keeping": "KeepingReader",
        "memory": "MemoryBatch MemoryLocator MemoryStore",
    },
)
