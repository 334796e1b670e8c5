"""Content-defined chunking: where to cut bytes so that an edit moves only the cuts near it.

The cuts are part of the format: docs/design/001-chunking.md tells how they come about and pins
them with test vectors.
"""

from oxcore.chunk._params import ALGORITHM, ChunkParams
from oxcore.model.late import late

TYPE_CHECKING = False  # see `oxcore`
if TYPE_CHECKING:
    from oxcore.chunk._align import Aligner
    from oxcore.chunk._cut import cut, iter_chunks
    from oxcore.chunk._slow import cut_slow

__all__ = ["ALGORITHM", "Aligner", "ChunkParams", "cut", "cut_slow", "iter_chunks"]

__getattr__ = late(
    __name__,
    {
        "_align": "Aligner",
        "_cut": "cut iter_chunks",
        "_slow": "cut_slow",
    },
)
