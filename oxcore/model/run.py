"""Runs of objects that are encoded already: columns in step, payloads one behind the other."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

from oxcore.model.ids import Buffer
from oxcore.model.protocols import Stored

U32 = "I" if array("I").itemsize == 4 else "L"
"""The type code of an array of 32-bit numbers; C promises only a least width."""
_GATHER = 256  # objects
_GATHER_BYTES = 1 << 20


class Run(NamedTuple):
    """Objects as they lie in a pack. ``kinds`` and ``hows`` have a byte for each, ``raws`` and
    ``stored`` their decoded and stored lengths in bytes; ``blob`` holds their payloads."""

    ids: Sequence[bytes]
    kinds: bytes
    hows: bytes | bytearray
    raws: Sequence[int]
    stored: Sequence[int]
    blob: Buffer

    def pick(self, places: Sequence[int]) -> "Run":
        """The objects at these ascending places, with a blob of their own."""
        ends = list(accumulate(self.stored))
        view = memoryview(self.blob)
        return Run(
            [self.ids[at] for at in places],
            bytes(self.kinds[at] for at in places),
            bytes(self.hows[at] for at in places),
            array(U32, [self.raws[at] for at in places]),
            array(U32, [self.stored[at] for at in places]),
            b"".join(view[ends[at] - self.stored[at] : ends[at]] for at in places),
        )

    def head(self, count: int, blob: Buffer) -> "Run":
        """The first ``count`` objects; ``blob`` begins with their payloads."""
        ids, kinds, hows = self.ids[:count], self.kinds[:count], self.hows[:count]
        raws, stored = self.raws[:count], self.stored[:count]
        return Run(ids, kinds, hows, raws, stored, memoryview(blob)[: sum(stored)])

    def payloads(self) -> Iterator[memoryview]:
        """The payload of each object; nothing is copied."""
        view, start = memoryview(self.blob), 0
        for end in accumulate(self.stored):
            yield view[start:end]
            start = end

    def objects(self) -> Iterator[Stored]:
        """The objects one by one."""
        rows = zip(self.ids, self.kinds, self.hows, self.raws, self.payloads(), strict=True)
        for oid, kind, how, raw, payload in rows:
            yield Stored(oid, kind, how, raw, bytes(payload))


def run_of(items: Sequence[Stored]) -> Run:
    """The run of these objects."""
    return Run(
        [item.id for item in items],
        bytes(item.kind for item in items),
        bytes(item.how for item in items),
        array(U32, [item.raw for item in items]),
        array(U32, [len(item.payload) for item in items]),
        b"".join([item.payload for item in items]),
    )


def objects_of(runs: Iterable[Run]) -> Iterator[Stored]:
    """The objects of many runs one by one."""
    for run in runs:
        yield from run.objects()


def gathered(items: Iterable[Stored]) -> Iterator[Run]:
    """The objects in runs of up to 256 and about 1 MiB."""
    held: list[Stored] = []
    size = 0
    for item in items:
        held.append(item)
        size += len(item.payload)
        if len(held) >= _GATHER or size >= _GATHER_BYTES:
            yield run_of(held)
            held, size = [], 0
    if held:
        yield run_of(held)
