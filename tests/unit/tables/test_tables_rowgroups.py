"""Row groups of Parquet end where the rows say, so that an edit leaves the others as they are."""

import random
from functools import partial

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from oxcore import tables
from oxcore.tables import rowgroups
from oxcore.tables.formats import parquet as formats_parquet
from oxcore.tables.rewrite import parquetfile

ROWS = 20_000
MOST = 1 << 10
KEYS = {
    "integers": lambda number: number,
    "texts": lambda number: f"img/{number:06}.png",
    "doubles": lambda number: number * 0.5,
    "short integers behind nulls": lambda number: None if number % 3 == 0 else number,
}


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr(rowgroups, "ROWS", MOST)


def table(numbers, key=KEYS["integers"]):
    return pa.table(
        {
            "class": pa.array(["cat", "dog", "fox"][number % 3] for number in numbers),
            "key": pa.array([key(number) for number in numbers]),
        }
    )


def parted(rows, size=777):
    return list(rowgroups.row_groups(rows.schema, rows.to_batches(max_chunksize=size)))


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_rows_put_in_and_left_out_change_the_groups_that_they_are_in(key):
    numbers = list(range(ROWS))
    edited = [-1, *numbers[:9000], -2, *numbers[9000:15000], *numbers[15001:]]
    old, new = parted(table(numbers, key)), parted(table(edited, key))
    other = [group for group in new if not any(group.equals(one) for one in old)]
    assert len(old) > ROWS // MOST
    assert len(other) <= 9  # of some 26: three edits, and up to two until both cut alike again


@given(st.integers(0, 3000), st.integers(1, 900), st.randoms(use_true_random=False))
@settings(max_examples=30, deadline=None)
def test_groups_are_the_rows_in_bounds_whatever_the_batches(count, size, chance):
    rows = table([chance.randrange(1 << 40) for _ in range(count)])
    groups = parted(rows, size)
    assert groups == parted(rows, 10_000)
    assert not groups or pa.concat_tables(groups).equals(rows)
    assert all(MOST // 2 <= len(group) <= MOST for group in groups[:-1])
    assert all(0 < len(group) <= MOST for group in groups)


def test_without_a_column_that_tells_rows_apart_groups_are_full():
    rows = pa.table({"class": ["cat", "dog"] * MOST, "list": [[1]] * (2 * MOST)})
    assert [len(group) for group in parted(rows)] == [MOST, MOST]


def test_groups_of_large_values_have_fewer_rows(monkeypatch):
    monkeypatch.setattr(rowgroups, "BYTES", 1 << 20)
    chance = random.Random(1)
    rows = pa.table({"image": [chance.randbytes(10_000) for _ in range(1000)]})
    groups = parted(rows, 50)
    assert all(group.nbytes <= 1 << 20 for group in groups)
    assert len(groups) < 40


def test_a_value_larger_than_a_group_is_one(monkeypatch):
    monkeypatch.setattr(rowgroups, "BYTES", 1000)
    rows = pa.table({"image": [b"x" * 5000] * 3})
    assert [len(group) for group in parted(rows, 2)] == [1, 1, 1]


def test_parquet_is_written_in_such_groups(tmp_path):
    path, rows = str(tmp_path / "t.parquet"), table(range(ROWS))
    tables.write(path, rows.schema, rows.to_batches())
    footer = parquet.ParquetFile(path).metadata
    found = [footer.row_group(at).num_rows for at in range(footer.num_row_groups)]
    assert found == [len(group) for group in parted(rows)]
    assert parquet.read_table(path).equals(rows)


def test_large_values_are_read_a_few_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr(formats_parquet, "_BYTES", 1 << 20)
    chance = random.Random(1)
    images = pa.array([chance.randbytes(10_000) for _ in range(1000)])
    path = tmp_path / "t.parquet"
    parquet.write_table(pa.table({"id": range(1000), "image.raw": images}), path)
    table = tables.Table(tables.Source("t", path.stat().st_size, partial(path.open, "rb")))
    sizes = [batch.nbytes for batch in table.scan()]
    assert max(sizes) <= 1 << 20 < sum(sizes)
    assert max(batch.nbytes for batch in table.scan("image.raw")) <= 1 << 20
    assert [len(batch) for batch in table.scan("id")] == [1000]


def test_a_group_of_large_values_is_parted_where_it_is_written_again(tmp_path, monkeypatch):
    monkeypatch.setattr(formats_parquet, "_BYTES", 1 << 16)
    monkeypatch.setattr(parquetfile, "_MOST", 1 << 20)
    chance = random.Random(1)
    images = pa.array([chance.randbytes(10_000) for _ in range(1000)])
    path, out = tmp_path / "t.parquet", tmp_path / "o.parquet"
    parquet.write_table(pa.table({"id": range(1000), "image": images}), path)
    source = tables.Source("t", path.stat().st_size, partial(path.open, "rb"))
    with out.open("wb") as file:
        assert parquetfile.rewrite(source, tables.Edits(cells={5: {"id": -1}}), file) == 1000
    footer = parquet.ParquetFile(out).metadata
    sizes = [footer.row_group(at).total_byte_size for at in range(footer.num_row_groups)]
    assert max(sizes) < 3 << 19
    assert parquet.read_table(out)["image"].combine_chunks().equals(images)
