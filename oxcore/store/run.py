"""Runs of objects that are encoded already: columns in step, payloads one behind the other."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

from oxcore.model.ids import Buffer

_U32 = "I" if array("I").itemsize == 4 else "L"


class Run(NamedTuple):
    """Objects as they lie in a pack. ``kinds`` and ``hows`` have a byte for each, ``raws`` and
    ``stored`` their decoded and stored lengths in bytes; ``blob`` holds their payloads."""

    ids: Sequence[bytes]
    kinds: bytes
    hows: bytes | bytearray
    raws: Sequence[int]
    stored: Sequence[int]
    blob: Buffer

    def pick(self, places: Sequence[int]) -> Run:
        """The objects at these ascending places, with a blob of their own."""
        ends = list(accumulate(self.stored))
        view = memoryview(self.blob)
        return Run(
            [self.ids[at] for at in places],
            bytes(self.kinds[at] for at in places),
            bytes(self.hows[at] for at in places),
            array(_U32, [self.raws[at] for at in places]),
            array(_U32, [self.stored[at] for at in places]),
            b"".join(view[ends[at] - self.stored[at] : ends[at]] for at in places),
        )
