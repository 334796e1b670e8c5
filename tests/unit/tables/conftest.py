"""``table_of(data, "labels.csv")``: a table out of bytes."""

import io

import pytest

from oxcore.tables import Source, Table


def open_table(data, name="labels"):
    return Table(Source(name, len(data), lambda: io.BytesIO(data)))


@pytest.fixture
def table_of():
    return open_table
