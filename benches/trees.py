"""Trees: how many nodes of what size, how long a build takes, and what one edit writes.

    python benches/trees.py [--smoke | --full] [--json] [--most FILES]

Figures of the decision record docs/design/002-tree.md come from here.
"""

import time
from collections.abc import Iterator, Sequence
from itertools import takewhile

import zstandard
from blake3 import blake3

from benches import harness, results
from benches.results import Row
from oxcore.codec.node import Leaf, decode
from oxcore.model.entries import Entry
from oxcore.model.ids import Kind
from oxcore.tree import build, edit

COUNTS = (1_000, 10_000, 100_000, 1_000_000)


class Heap:
    """Nodes in memory: a `Sink` and a `Reader`."""

    def __init__(self) -> None:
        self.nodes: dict[bytes, bytes] = {}

    def put(self, oid: bytes, kind: Kind, data: bytes) -> None:
        """Keep a node."""
        self.nodes[oid] = data

    def get(self, oid: bytes, kind: Kind) -> bytes:
        """Give a node."""
        return self.nodes[oid]

    def has_many(self, oids: Sequence[bytes]) -> list[bool]:
        """Tell which nodes are there."""
        return [oid in self.nodes for oid in oids]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; `--smoke` takes a second, `--json` prints the rows as JSON."""
    parser = harness.arguments(__doc__)
    parser.add_argument("--most", type=int, default=COUNTS[-2], metavar="FILES")
    args = parser.parse_args(argv)
    most = COUNTS[0] if args.smoke else COUNTS[-1] if args.full else args.most
    rows = [measure(count) for count in takewhile(lambda count: count <= most, COUNTS)]
    what = f"Trees of up to {most:,} files"
    return results.show(args, results.Report("trees", what, {"trees": rows}))


def measure(count: int) -> Row:
    """Build a tree of `count` files, then add one."""
    heap, added = Heap(), Heap()
    start = time.perf_counter()
    root = build(heap, entries(count))
    built = time.perf_counter() - start
    change = (b"images/0000/frame-0000500x.png", Entry(1, 5, bytes(32)))
    start = time.perf_counter()
    edit(heap, added, root, [change])
    edited = time.perf_counter() - start
    leaves = [data for data in heap.nodes.values() if isinstance(decode(data), Leaf)]
    pack = zstandard.ZstdCompressor(level=1).compress
    return {
        "files": count,
        "levels": 1 + getattr(decode(heap.nodes[root]), "level", 0),
        "leaves": len(leaves),
        "inner nodes": len(heap.nodes) - len(leaves),
        "bytes a leaf": sum(map(len, leaves)) // len(leaves),
        "MB": round(sum(map(len, heap.nodes.values())) / 1e6, 2),
        "MB with zstd 1": round(sum(len(pack(data)) for data in heap.nodes.values()) / 1e6, 2),
        "build s": round(built, 2),
        "nodes of one edit": len(added.nodes),
        "bytes of one edit": sum(map(len, added.nodes.values())),
        "edit ms": round(1000 * edited, 2),
    }


def entries(count: int) -> Iterator[tuple[bytes, Entry]]:
    """Files in folders of a thousand, as cameras and labelling tools write them."""
    for i in range(count):
        path = b"images/%04d/frame-%07d.png" % (i // 1000, i)
        yield path, Entry(1, i * 7919 % 100_000, blake3(b"%d" % i).digest())


if __name__ == "__main__":
    raise SystemExit(main())
