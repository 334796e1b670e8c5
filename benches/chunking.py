"""Content-defined chunking: how fast, how even, and how far an edit spreads.

    python benches/chunking.py [--smoke | --full] [--json] [--size MIB]

Libraries that are not installed (fastcdc, numpy) are left out of the table. Figures of the
decision record docs/design/001-chunking.md come from here.
"""

import importlib
import random
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise, product
from typing import Literal

from blake3 import blake3
from pyfastcdc import FastCDC

from benches import harness, results
from benches.results import Row
from oxcore.chunk import ChunkParams, cut, cut_slow, iter_chunks

KIB, MIB = 1 << 10, 1 << 20
PARAMS = ChunkParams()
LAX_MASK = 0x0000D90313530000  # 14 bits: what a vectorised gear would have to look for

Run = Callable[[bytes], object]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; `--smoke` takes a second, `--json` prints the rows as JSON."""
    parser = harness.arguments(__doc__)
    parser.add_argument("--size", type=int, default=64, metavar="MIB", help="bytes to cut")
    args = parser.parse_args(argv)
    edits = 600 if args.full else 2 if args.smoke else 60
    data = _bytes(b"ox bench chunking", MIB if args.smoke else args.size * MIB)
    tables: dict[str, list[Row]] = {
        "speed": speeds(data, rounds=1 if args.smoke else 5),
        "sizes and edits": list(spreads(data, edits=edits)),
        "KiB of new chunks after an insertion": list(tails(data, edits=max(20, edits * 5 // 2))),
    }
    what = f"Cutting {len(data) // MIB} MiB"
    return results.show(args, results.Report("chunking", what, tables))


def speeds(data: bytes, rounds: int) -> list[Row]:
    """Time each way to cut, best of `rounds`; what is slow gets fewer bytes."""
    rows: list[Row] = []
    for name, run, most in _ways():
        part = data[:most]
        alone = min(_seconds(run, part) for _ in range(rounds))
        both = min(_seconds_of_two(run, part) for _ in range(rounds))
        one, two = len(part) / alone / 1e6, 2 * len(part) / both / 1e6
        rows.append({"way": name, "MB/s": round(one, 1), "two threads": round(two, 1)})
    return rows


def spreads(data: bytes, edits: int) -> Iterator[Row]:
    """Tell sizes of chunks, and the KiB of new chunks after an insertion and a changed byte."""
    levels: tuple[Literal[1, 2, 3], ...] = (1, 2, 3)
    sizes = product((8, 16, 32), (128, 256), levels)
    for low, high, level in sizes:
        cutter = FastCDC(
            64 * KIB, min_size=low * KIB, max_size=high * KIB, normalized_chunking=level
        )
        lengths = [chunk.length for chunk in cutter.cut_buf(data)]
        inserted, changed = _edit_costs(cutter, data, edits)
        yield {
            "min KiB": low,
            "max KiB": high,
            "level": level,
            "mean KiB": round(statistics.mean(lengths) / KIB, 1),
            "std KiB": round(statistics.pstdev(lengths) / KIB, 1),
            "forced %": round(100 * lengths.count(high * KIB) / len(lengths), 2),
            "insertion KiB": round(statistics.mean(inserted) / KIB),
            "changed byte KiB": round(statistics.mean(changed) / KIB),
        }


def tails(data: bytes, edits: int) -> Iterator[Row]:
    """Tell how the KiB of new chunks after an insertion are spread, by level, on two kinds of data.

    What the mean hides: how late the cuts find back to the old ones at worst.
    """
    levels: tuple[Literal[1, 2, 3], ...] = (1, 2, 3)
    for (kind, content), level in product({"random": data, "csv": _csv(len(data))}.items(), levels):
        cutter = FastCDC(
            PARAMS.mean,
            min_size=PARAMS.minimum,
            max_size=PARAMS.maximum,
            normalized_chunking=level,
        )
        costs = sorted(cost // KIB for cost in _edit_costs(cutter, content, edits)[0])
        row: Row = {"data": kind, "level": level, "mean": round(statistics.mean(costs))}
        for percent in (50, 95, 99):
            row[f"{percent}%"] = costs[len(costs) * percent // 100]
        yield row | {"most": costs[-1]}


def _ways() -> Iterator[tuple[str, Run, int]]:
    """Give name, function and the most bytes worth waiting for, of each way that is installed."""
    yield "ox cut (pyfastcdc, native)", lambda data: cut(data, PARAMS, final=True), 1 << 40
    yield "ox iter_chunks, from memory", _stream, 1 << 40
    yield "ox cut_slow (plain Python)", lambda data: cut_slow(data, PARAMS), MIB
    yield "pyfastcdc without native module", _pyfastcdc_plain, MIB
    if _has("fastcdc.fastcdc_cy"):
        yield "fastcdc_cy", _fastcdc_cy, 1 << 40
    if _has("numpy"):
        yield "gear in NumPy, candidates only", _numpy_gear, 16 * MIB


def _stream(data: bytes) -> int:
    at = 0

    def read(size: int) -> bytes:
        nonlocal at
        at += size
        return data[at - size : at]

    return sum(len(piece) for piece in iter_chunks(read, PARAMS))


def _pyfastcdc_plain(data: bytes) -> int:
    plain = importlib.import_module("pyfastcdc.py").FastCDC
    sizes = {"min_size": PARAMS.minimum, "max_size": PARAMS.maximum}
    return sum(1 for _ in plain(PARAMS.mean, normalized_chunking=2, **sizes).cut_buf(data))


def _fastcdc_cy(data: bytes) -> int:
    cy = importlib.import_module("fastcdc.fastcdc_cy").fastcdc_cy
    sizes = (PARAMS.minimum, PARAMS.mean, PARAMS.maximum)
    return sum(1 for _ in cy(data, *sizes, False, None))


def _numpy_gear(data: bytes) -> int:
    """Find the places where the lax mask holds: the dear half of a NumPy chunker."""
    np = importlib.import_module("numpy")
    gear = np.array([random.getrandbits(64) for _ in range(256)], dtype=np.uint64)
    found = 0
    for start in range(0, len(data), 256 * KIB):
        prints = gear[np.frombuffer(data[start : start + 256 * KIB], dtype=np.uint8)]
        for shift in (1, 2, 4, 8, 16, 32):
            prints[shift:] = prints[shift:] + (prints[:-shift] << np.uint64(shift))
        found += np.count_nonzero(prints & np.uint64(LAX_MASK) == 0)
    return found


def _edit_costs(cutter: FastCDC, data: bytes, edits: int) -> tuple[list[int], list[int]]:
    """Insert 1,000 bytes, and change one, at `edits` places; give the bytes of new chunks of each.

    Each edit gets a part of 4 MiB to itself, and falls in its first half.
    """
    source, parts = (
        random.Random(1),
        [data[at : at + 4 * MIB] for at in range(0, len(data), 4 * MIB)],
    )
    old = [_pieces(cutter, part) for part in parts]
    inserted, changed = [], []
    for turn in range(edits):
        part, known = parts[turn % len(parts)], old[turn % len(parts)]
        at = source.randrange(len(part) // 2)
        grown = part[:at] + bytes(1000) + part[at:]
        other = part[:at] + bytes([part[at] ^ 1]) + part[at + 1 :]
        inserted.append(sum(map(len, _pieces(cutter, grown) - known)))
        changed.append(sum(map(len, _pieces(cutter, other) - known)))
    return inserted, changed


def _pieces(cutter: FastCDC, data: bytes) -> set[bytes]:
    ends = [chunk.offset + chunk.length for chunk in cutter.cut_buf(data)]
    return {data[start:end] for start, end in pairwise([0, *ends])}


def _csv(length: int) -> bytes:
    """Make `length` bytes of rows as a table of measurements has them."""
    source, size = random.Random(5), 0
    rows: list[str] = []
    while size < length:
        kind = source.choice(("cat", "dog", "bird", "fish"))
        rows.append(f"{len(rows)},{source.randrange(10**6)},{source.random():.6f},{kind}\n")
        size += len(rows[-1])
    return "".join(rows).encode()[:length]


def _bytes(seed: bytes, length: int) -> bytes:
    return blake3(seed).digest(length=length)


def _has(module: str) -> bool:
    try:
        importlib.import_module(module)
    except ImportError:
        return False
    return True


def _seconds(run: Run, data: bytes) -> float:
    start = time.perf_counter()
    run(data)
    return time.perf_counter() - start


def _seconds_of_two(run: Run, data: bytes) -> float:
    threads = [threading.Thread(target=run, args=(data,)) for _ in range(2)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - start


if __name__ == "__main__":
    sys.exit(main())
