"""A branch of captured records, as ``ox.save`` leaves it."""

import io
import json
from itertools import count

import pyarrow as pa
import pytest
from pyarrow import parquet

from oxcore.api import Repo
from oxcore.insight.records import EVENTS, RECORDS
from oxcore.model.commits import Moment, Person
from oxcore.model.settings import Settings

START = 1_700_000_000_000_000  # microseconds


class Wild:
    """A repository whose branch ``deployed`` gets records and events below ``wild``."""

    def __init__(self, folder):
        ticks = count(1_700_000_000, 60)
        settings = Settings(Person("Ann"), lambda: Moment(next(ticks) * 1_000_000, 60))
        self.repo = Repo.init(str(folder), settings=settings)
        (folder / "readme").write_text("a dataset")
        self.repo.add()
        self.repo.commit("start")
        self.shards = 0

    def commit(self, records=(), events=(), files=None):
        """Records and events as dicts; what they leave out is made up or null."""
        self.shards += 1
        with self.repo.transaction("deployed", message="captured") as t:
            if records:
                rows = [record(n, **one) for n, one in enumerate(records)]
                t.put(f"wild/dt=2023-11-14/w-{self.shards:06}.parquet", shard(rows, RECORDS))
            if events:
                rows = [event(f"{self.shards}-{n}", **one) for n, one in enumerate(events)]
                name = f"wild/feedback/dt=2023-11-14/w-{self.shards:06}.parquet"
                t.put(name, shard(rows, EVENTS))
            for path, data in (files or {}).items():
                t.put(path, data)


def record(n, **given):
    row = dict.fromkeys(RECORDS.names)
    row.update(
        record_id=f"r{n:06}",
        writer_id="w",
        seq=n + 1,
        ts_start=START + n * 1_000_000,
        latency_ms=float(10 + n % 90),
        status="ok",
        tags=[],
        origin="model",
    )
    for name in ("output", "params"):
        if name in given:
            given[name] = json.dumps(given[name])
    return {**row, **given}


def event(n, **given):
    row = dict.fromkeys(EVENTS.names)
    row.update(event_id=f"e{n}", ts=START + 3_600_000_000, kind="label", source="human")
    given["value"] = json.dumps(given["value"])
    return {**row, **given}


def shard(rows, schema):
    out = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(rows, schema), out)
    return out.getvalue()


@pytest.fixture
def wild(tmp_path):
    made = Wild(tmp_path)
    yield made
    made.repo.close()
