"""Two versions of a table, as CSV and as Parquet, from seeds: the same everywhere.

Ten columns as measurements and labels have them, about 100 bytes a row in CSV; no NumPy.
"""

from __future__ import annotations

import random
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from benches.data import noise
from oxcore import tables

BATCH = 100_000  # rows made at once
WORDS = ("cat", "dog", "bird", "horse", "person", "bicycle", "traffic light", "truck", "boat")
_ONE = pa.scalar(1, pa.uint64())

SCHEMA = pa.schema(
    [
        ("id", pa.int64()),
        ("time", pa.int64()),
        ("camera", pa.string()),
        ("label", pa.string()),
        ("score", pa.float64()),
        ("left", pa.int16()),
        ("top", pa.int16()),
        ("width", pa.float64()),
        ("height", pa.float64()),
        ("image", pa.string()),
    ]
)


def versions(folder: Path, count: int, edits: int) -> None:
    """Write table.csv, table.parquet and plain.parquet of both versions below folder/1 and /2."""
    table = make(count)
    for version in (1, 2):
        here = folder / str(version)
        here.mkdir(parents=True)
        pa.csv.write_csv(table, here / "table.csv", pa.csv.WriteOptions(quoting_style="none"))
        batches = table.to_batches(max_chunksize=BATCH)
        tables.write(str(here / "table.parquet"), SCHEMA, batches)
        pa.parquet.write_table(table, here / "plain.parquet")
        table = edit(table, edits)


def one_edit(folder: Path) -> None:
    """Write table.parquet of folder/1 with one row updated below folder/3."""
    table = pyarrow.parquet.read_table(folder / "1" / "table.parquet", schema=SCHEMA)
    (folder / "3").mkdir()
    batches = edit(table, 2).to_batches(max_chunksize=BATCH)
    tables.write(str(folder / "3" / "table.parquet"), SCHEMA, batches)


def make(count: int) -> pa.Table:
    """The first version: `count` rows."""
    starts = range(0, count, BATCH)
    return pa.Table.from_batches(
        [_batch(f"rows {at}", at, min(BATCH, count - at)) for at in starts], SCHEMA
    )


def edit(table: pa.Table, edits: int) -> pa.Table:
    """Half of the edits update a row, a quarter insert one, a quarter delete one; spread evenly."""
    kinds = ["update"] * (edits // 2) + ["insert"] * (edits // 4) + ["delete"] * (edits // 4)
    random.Random(1).shuffle(kinds)
    fresh = _batch("edits", 10**9, len(kinds))
    parts, done = [], 0
    for number, kind in enumerate(kinds):
        at = (2 * number + 1) * table.num_rows // (2 * len(kinds))
        parts.append(table.slice(done, at - done))
        if kind == "insert":
            parts.append(pa.Table.from_batches([fresh.slice(number, 1)]))
        if kind == "update":
            parts.append(_updated(table.slice(at, 1), fresh.slice(number, 1)))
        done = at if kind == "insert" else at + 1
    return pa.concat_tables([*parts, table.slice(done)]).combine_chunks()


def _updated(row: pa.Table, other: pa.RecordBatch) -> pa.Table:
    for name in ("label", "score"):
        at = SCHEMA.get_field_index(name)
        row = row.set_column(at, SCHEMA.field(name), other.column(name))
    return row


def _batch(seed: str, first: int, count: int) -> pa.RecordBatch:
    def draw(name: str, below: int) -> pa.Array:
        """Whole numbers from 0 to below-1, as far as 63 bits divide evenly."""
        raw = pa.py_buffer(noise(f"{seed} {name}", 8 * count))
        whole = pc.shift_right(pa.Array.from_buffers(pa.uint64(), count, [None, raw]), _ONE)
        whole = whole.cast(pa.int64())
        return pc.subtract(whole, pc.multiply(pc.divide(whole, below), below))

    ids = pa.array(range(first, first + count), pa.int64())
    jitter = draw("time", 50)
    fraction = pc.divide(draw("score", 1_000_000).cast(pa.float64()), 1e6)
    sides = [pc.divide(draw(name, 10**9).cast(pa.float64()), 1e6) for name in ("w", "h")]
    cameras = pa.array([f"cam-{number:04}" for number in range(1000)])
    columns = [
        ids,
        pc.add(pc.multiply(ids, 100), pc.add(jitter, 1_700_000_000_000)),
        cameras.take(draw("camera", 1000)),
        pa.array(WORDS).take(draw("label", len(WORDS))),
        fraction,
        draw("left", 1920).cast(pa.int16()),
        draw("top", 1080).cast(pa.int16()),
        *sides,
        _hex(seed, count),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)


def _hex(seed: str, count: int) -> pa.Array:
    digits = noise(f"{seed} image", 12 * count).hex()
    return pa.array([digits[at : at + 24] for at in range(0, 24 * count, 24)])
