"""How Parquet is written: what decides whether two versions of it share their bytes."""

import pyarrow as pa
from pyarrow import parquet

from oxcore import tables

ROWS = 4000


def rows():
    return pa.table(
        {
            "id": pa.array(range(ROWS), pa.int64()),
            "class": pa.array(["cat", "dog"] * (ROWS // 2)),
            "name": pa.array([f"unique {number}" for number in range(ROWS)]),
        }
    )


def test_parquet_is_plain_but_for_repeating_text(tmp_path):
    path, table = str(tmp_path / "t.parquet"), rows()
    assert tables.write(path, table.schema, table.to_batches(max_chunksize=100)) == ROWS
    assert parquet.read_table(path).equals(table)
    columns = parquet.ParquetFile(path).metadata.row_group(0)
    found = [columns.column(number) for number in range(3)]
    assert [column.compression for column in found] == ["UNCOMPRESSED"] * 3
    assert [column.has_dictionary_page for column in found] == [False, True, False]


def test_no_rows_make_a_parquet_file_too(tmp_path):
    path, schema = str(tmp_path / "t.parquet"), rows().schema
    assert tables.write(path, schema, []) == 0
    assert parquet.read_table(path).equals(schema.empty_table())
