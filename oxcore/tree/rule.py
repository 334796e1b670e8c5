"""Where one node of a level ends: decided by the entries alone, so that the same entries give
the same nodes on every machine and an edit moves only the cuts beside it.

The rule is part of the format (docs/format.md). The numbers keep nodes between ``MIN`` and
``MAX`` entries, about 150 in the mean: two thresholds instead of one keep the sizes close
together (normalised chunking, FastCDC: Xia et al., USENIX ATC 2016).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from xxhash import xxh3_64_intdigest

MIN = 32  # entries; at least 2, or levels would not get shorter
MID = 128
MAX = 512
RARE = 2**64 // 512  # the bound on the hash from MIN up to MID entries
OFTEN = 2**64 // 32  # and from MID up to MAX; not below RARE


def cuts(keys: Sequence[bytes], level: int, held: int = 0) -> list[int]:
    """The positions in ``keys`` after which a node of ``level`` ends.

    ``held`` entries stand before the first key in the same, still open node. A position counts
    entries of ``keys``; it is at least 1.
    """
    ends: list[int] = []
    last = -held
    for end, digest in _candidates(keys, level):
        while end - last > MAX:
            last += MAX
            ends.append(last)
        count = end - last
        if count == MAX or count >= MID or (count >= MIN and digest < RARE):
            ends.append(end)
            last = end
    while len(keys) - last >= MAX:
        last += MAX
        ends.append(last)
    return ends


def _candidates(keys: Sequence[bytes], level: int) -> Iterable[tuple[int, int]]:
    digest = partial(xxh3_64_intdigest, seed=level) if level else xxh3_64_intdigest
    often = OFTEN
    return [(end, value) for end, value in enumerate(map(digest, keys), 1) if value < often]
