"""Tables in a repository are cut at their seams: bit for bit the same, and versions share more."""

import io
import random
from functools import cache

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import feather

from oxcore.store import content
from oxcore.verbs.comparing.sides import WorkSide

ROWS = 200_000


@cache
def table(rows=ROWS):
    source = random.Random(3)
    return pa.table(
        {
            "id": range(rows),
            "x": [source.random() for _ in range(rows)],
            "w": [source.randrange(640) for _ in range(rows)],
            "h": [source.randrange(480) for _ in range(rows)],
            "name": [f"{source.randrange(5000)} people" for _ in range(rows)],
        }
    )


def as_feather(made):
    data = io.BytesIO()
    feather.write_feather(made, data)  # lz4, 64 Ki rows a batch: as pandas writes it
    return data.getvalue()


class Pipe(io.BytesIO):
    """What can be read once, from its start to its end."""

    def seekable(self):
        return False

    def seek(self, *args):
        raise OSError("no seek")


def as_parquet(made):
    data = io.BytesIO()
    pq.write_table(made, data)
    return data.getvalue()


def stored(desk, data):
    """Bytes that it takes to store another version."""
    desk.write({b"t": data})
    before = desk.repo.counters.bytes_stored
    desk.repo.add()
    assert desk.tree()[b"t"] == data
    return desk.repo.counters.bytes_stored - before


def lengths(desk, path=b"t"):
    entry = dict(desk.repo.walk(":"))[path]
    return [length for _, length in content.chunks(desk.core.store, entry.id)]


@pytest.mark.parametrize("write", [as_feather, as_parquet])
def test_ten_rows_less_in_the_middle(desk, write):
    made = table()
    whole = stored(desk, write(made))
    less = pa.concat_tables([made.slice(0, 90_000), made.slice(90_010)]).combine_chunks()
    grown = stored(desk, write(less))
    assert grown < whole / (8 if write is as_feather else 1.5)
    assert all(1 << 14 <= length <= 1 << 18 for length in lengths(desk)[:-1])


def test_a_part_is_stored_as_its_difference_however_far_it_moved(desk):
    made = table()
    stored(desk, as_feather(made))
    shares = [value + (row % 2000 == 0) for row, value in enumerate(made["w"].to_pylist())]
    changed = made.set_column(1, "x", pa.array([0.0] * ROWS)).set_column(2, "w", [shares])
    assert stored(desk, as_feather(changed)) < 200_000  # 440,000 without names of the parts


def test_a_changed_column_of_feather_leaves_the_others_alone(desk):
    made = table()
    stored(desk, as_feather(made))
    numbers = pa.array([(n * 2654435761) % 2**31 for n in range(ROWS)], pa.int64())
    changed = made.set_column(2, "w", numbers)
    column = len(as_feather(changed.select(["w"])))
    assert stored(desk, as_feather(changed)) < column * 1.05 + 20_000


@pytest.mark.parametrize("write", [as_feather, as_parquet])
def test_broken_tables_are_stored_bit_for_bit(desk, write):
    source, data = random.Random(4), write(table())
    stored(desk, data)
    for _ in range(6):
        made = bytearray(data)
        for _ in range(5):
            at = source.randrange(4000)
            made[source.choice([at, len(made) - 1 - at])] = source.randrange(256)
        stored(desk, bytes(made))
    stored(desk, data[: len(data) - 1000])
    stored(desk, data[:8] + data)


def test_in_memory_and_from_the_work_tree_it_is_cut_alike(desk):
    data = as_feather(table())
    found = []
    for number, put in enumerate((lambda made: made, io.BytesIO, Pipe)):
        made = data[:-8] + b"%d ARROW1" % number  # not what is stored already
        with desk.repo.transaction("main", message="memory") as edit:
            edit.put("t", put(made))
        assert desk.committed("main")[b"t"] == made
        found.append(lengths(desk))
    desk.write({b"u": data})
    desk.repo.add()
    assert lengths(desk, b"u") == found[0] == found[1]
    assert found[2] != found[0]  # of what cannot be looked at twice nothing is known


def test_the_diff_of_chunks_knows_the_cuts_of_the_work_tree(desk):
    data = as_feather(table())
    desk.commit({b"t": data})
    entry = dict(desk.repo.walk(":"))[b"t"]
    side = WorkSide(desk.core, b"t", entry)
    assert side.chunks() == list(content.chunks(desk.core.store, entry.id))
