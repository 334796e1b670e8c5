"""Content-defined chunking: where to cut bytes so that an edit moves only the cuts near it.

The cuts are part of the format: docs/design/001-chunking.md tells how they come about and pins
them with test vectors.
"""

from oxcore.chunk._params import ALGORITHM, ChunkParams
from oxcore.model.late import late

TYPE_CHECKING = False  # see `oxcore`
if TYPE_CHECKING:
    from oxcore.chunk._align import Aligner
    from oxcore.chunk._cut import cut, cut_at, iter_chunks, may_have_seams
    from oxcore.chunk._seams import ReadAt, Seam, cut_places, find_seams, shifts
    from oxcore.chunk._slow import cut_slow

__all__ = [
    "ALGORITHM",
    "Aligner",
    "ChunkParams",
    "ReadAt",
    "Seam",
    "cut",
    "cut_at",
    "cut_places",
    "cut_slow",
    "find_seams",
    "iter_chunks",
    "may_have_seams",
    "shifts",
]

__getattr__ = late(
    __name__,
    {
        "_align": "Aligner",
        "_cut": "cut cut_at iter_chunks may_have_seams",
        "_seams": "ReadAt Seam cut_places find_seams shifts",
        "_slow": "cut_slow",
    },
)
