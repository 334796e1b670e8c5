"""Records and labels as a deployed model leaves them, and what counts them without ox.

Each function works below a folder, in a process of its own: who measures has to stay small.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

EACH = 10_000  # records of a shard, at most
LEAST = 2  # shards
SLICES = 20
CLASSES = 10
Ids = Sequence[str]
_START = 1_700_000_000_000_000


def make(folder: Path, count: int) -> None:
    """Write `count` records and a label for each, as shards below `records` and `feedback`."""
    from pyarrow import parquet

    each = min(EACH, max(1, count // LEAST))
    for kind in ("records", "feedback"):
        (folder / kind).mkdir(parents=True)
    for at, first in enumerate(range(0, count, each)):
        draw = random.Random(at)
        places = range(first, min(count, first + each))
        truths = [draw.randrange(CLASSES) for _ in places]
        ids = [f"0{place:07x}-{draw.getrandbits(48):012x}-{place:012x}" for place in places]
        name = f"w-{at:06}.parquet"
        parquet.write_table(_records(draw, places, ids, truths), folder / "records" / name)
        parquet.write_table(_events(places, ids, truths), folder / "feedback" / name)


def _records(draw: random.Random, places: range, ids: Ids, truths: Sequence[int]) -> pa.Table:
    from oxcore.insight.shapes import RECORDS, arrow_schema

    said = [x if draw.random() < 0.9 else draw.randrange(CLASSES) for x in truths]
    sure = [round(draw.random(), 6) for _ in places]
    rows = zip(said, sure, strict=True)
    columns = {
        "record_id": ids,
        "writer_id": ["w"] * len(ids),
        "seq": list(places),
        "ts_start": [_START + place * 1_000_000 for place in places],
        "latency_ms": [draw.random() * 100 for _ in places],
        "status": ["ok"] * len(ids),
        "output": [json.dumps({"label": f"c{guess}", "score": score}) for guess, score in rows],
        "confidence": sure,
        "tags": [["night"] if draw.random() < 0.2 else [] for _ in places],
        "model": [{"name": "m", "version": str(place % 2)} for place in places],
        "input": [
            {"hash": f"{place:064x}", "mime": "image/png", "size": 100, "path": f"media/{place}"}
            for place in places
        ],
    }
    return _table(columns, arrow_schema(RECORDS))


def _events(places: range, ids: Ids, truths: Sequence[int]) -> pa.Table:
    from oxcore.insight.shapes import EVENTS, arrow_schema

    columns = {
        "event_id": [f"e{place:012x}" for place in places],
        "record_id": ids,
        "ts": [_START + place * 1_000_000 + 3_600_000_000 for place in places],
        "kind": ["label"] * len(ids),
        "value": [f'"c{truth}"' for truth in truths],
        "source": ["human"] * len(ids),
    }
    return _table(columns, arrow_schema(EVENTS))


def _table(columns: Mapping[str, Sequence[object]], schema: pa.Schema) -> pa.Table:
    import pyarrow as pa

    count = len(next(iter(columns.values())))
    arrays = [
        pa.array(columns[field.name], field.type)
        if field.name in columns
        else pa.nulls(count, field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def bounds() -> list[float]:
    """The slices: records whose confidence is below each."""
    return [(at + 1) / SLICES for at in range(SLICES)]


def take(folder: Path, source: str) -> None:
    """A repository whose branch `deployed` holds the shards below `wild`, and the slices."""
    import oxcore as ox

    with ox.Repo.init(str(folder), author="Ann") as repo:
        (folder / "readme").write_text("a dataset", encoding="utf-8")
        repo.add()
        repo.commit("start")
        with repo.transaction("deployed", message="captured") as change:
            for kind, below in (("records", "wild"), ("feedback", "wild/feedback")):
                for path in sorted(Path(source, kind).iterdir()):
                    change.put(f"{below}/dt=2023-11-14/{path.name}", path.read_bytes())
            for at, bound in enumerate(bounds()):
                change.put(f"slices/s{at:02}.yaml", f"where: confidence < {bound}\n".encode())


_READ = """
CREATE TABLE known AS SELECT r.confidence, r.output->>'$.label' AS guess, e.value->>'$' AS truth
FROM read_parquet('{0}/records/*.parquet') r
JOIN read_parquet('{0}/feedback/*.parquet') e USING (record_id)
"""


def duckdb(folder: Path) -> None:
    """The bare engine on the same shards: a join, then a confusion matrix for each slice."""
    import duckdb as engine

    link = engine.connect()
    link.execute(_READ.format(folder))
    wanted = "SELECT truth, guess, count(*) FROM known WHERE confidence < {} GROUP BY ALL"
    found = [link.execute(wanted.format(bound)).fetchall() for bound in bounds()]
    if not all(found):
        raise RuntimeError("the engine counted nothing")


def sklearn(folder: Path, part: int) -> None:
    """scikit-learn on every `part`-th shard: a matrix and the figures of classes by slice."""
    import duckdb as engine
    from sklearn import metrics

    link = engine.connect()
    names = [path.name for path in sorted((folder / "records").iterdir())][::part]
    for name in names:
        one = _READ.format(folder).replace("*.parquet", name)
        first = name == names[0]
        link.execute(one if first else one.replace("CREATE TABLE known AS", "INSERT INTO known"))
    rows = link.execute("SELECT confidence, truth, guess FROM known").fetchall()
    for bound in bounds():
        real, said = zip(*[row[1:] for row in rows if row[0] < bound], strict=True)
        metrics.confusion_matrix(real, said)
        metrics.precision_recall_fscore_support(real, said, average="macro", zero_division=0)
