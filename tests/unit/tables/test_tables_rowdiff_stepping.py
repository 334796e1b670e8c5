"""Tables gone through side by side: the same diff as by the engine, from what differs alone."""

import io

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from oxcore.errors import InvalidError
from oxcore.model.counters import Counters
from oxcore.tables import Source, Table
from oxcore.tables.detect import detect
from oxcore.tables.formats.parquet import ParquetReader
from oxcore.tables.rowdiff import How, alongside, compare, diff, stepping

TYPES = {
    pa.int32(): st.integers(0, 2),
    pa.float64(): st.sampled_from([0.0, -0.0, 1.5, float("nan")]),
    pa.string(): st.sampled_from(["", "x", "é"]),
    pa.timestamp("ns", "UTC"): st.integers(0, 2),
    pa.decimal256(60, 1): st.decimals(0, 1, places=1),
    pa.list_(pa.string()): st.lists(st.sampled_from(["x", None]), max_size=2),
    pa.struct([("u", pa.int64())]): st.fixed_dictionaries({"u": st.none() | st.integers(0, 1)}),
}


@pytest.fixture
def always(monkeypatch):
    """Tables of every size are gone through, in small steps."""
    monkeypatch.setitem(compare.__globals__, "LEAST", 0)
    monkeypatch.setattr(alongside, "_LEAST", 2)
    monkeypatch.setattr(stepping, "_WINDOWS", (1, 3))


def opened(data, name, **known):
    return Table(Source(name, len(data), lambda: io.BytesIO(data), **known))


def as_parquet(table, size=4, **known):
    out = io.BytesIO()
    parquet.write_table(table, out, row_group_size=size)
    return opened(out.getvalue(), "t.parquet", **known)


def as_arrow(table, size=3, **known):
    out = io.BytesIO()
    with pa.ipc.new_file(out, table.schema) as writer:
        writer.write_table(table, max_chunksize=size)
    return opened(out.getvalue(), "t.arrow", **known)


@st.composite
def versions(draw):
    """Two tables of a key that ascends or does not, the second with a few edits."""
    type_ = draw(st.sampled_from(list(TYPES)))
    ids = draw(st.lists(st.integers(0, 12), unique=True, max_size=10))
    cell = st.none() | TYPES[type_]
    old = [(at, draw(cell)) for at in (sorted(ids) if draw(st.booleans()) else ids)]
    new = list(old)
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(new)))
        new[at : at + draw(st.integers(0, 1))] = [
            (draw(st.integers(0, 20)), draw(cell)) for _ in range(draw(st.integers(0, 1)))
        ]
    return as_table(old, type_), as_table(new, type_)


def as_table(rows, type_):
    ids = pa.array([row[0] for row in rows], pa.int64())
    return pa.table([ids, pa.array([row[1] for row in rows], type_)], ["id", "v"])


def result(old, new, keys):
    try:
        with diff(old, new, How(keys)) as found:
            told = found.by, found.keys, found.columns, found.counts, found.cells
            if found.by == "rows":
                return told
            return *told, found.batches().read_all()
    except InvalidError as error:
        return error.message


FORMS = st.sampled_from(["arrow arrow", "arrow parquet", "parquet parquet", "parquet arrow"])


@given(versions(), st.sampled_from([(), ("id",), ("v",)]), FORMS, st.booleans())
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_as_by_the_engine(always, pair, keys, forms, coded):
    makers = [as_arrow if form == "arrow" else as_parquet for form in forms.split()]
    one, two = (make(rows) for make, rows in zip(makers, pair, strict=True))
    with pytest.MonkeyPatch.context() as patch:
        if coded:  # also texts of which each comes up once
            texts = [name for name in ("v",) if pair[0].schema.field("v").type == pa.string()]
            patch.setattr(ParquetReader, "_coded", lambda *_: texts)
        stepped = result(one, two, keys)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(compare.__globals__, "LEAST", 1 << 40)
        assert repr(result(one, two, keys)) == repr(stepped)


def table(count=4000):
    return pa.table({"id": pa.array(range(count)), "v": pa.array(range(count)), "w": ["x"] * count})


@pytest.mark.parametrize("make", [as_parquet, as_arrow])
def test_row_groups_that_are_the_same_are_not_read(always, make):
    counters = Counters()
    old = table()
    new = old.set_column(1, "v", pc.if_else(pc.equal(old["id"], 1234), -1, old["v"]))
    one, two = (make(version, 500, counters=counters) for version in (old, new))
    with one.diff(two) as found:
        assert found.counts == (0, 0, 1, 3999, 4000, 4000)
        assert [(c.key, c.cells, c.old_row) for c in found.changes()] == [((1234,), ("v",), 1234)]
    read = counters.rows
    # The first rows of both to choose a key, one group of both, and the keys of the old table.
    assert read == 2 * 500 + 2 * 500 + 4000


def test_texts_of_few_values_are_compared_by_their_codes(always):
    count = 600
    words = pa.array(
        [None if at % 7 == 3 else ("cat", "dog", "bird")[at % 3] for at in range(count)]
    )
    names = pa.array([f"image {at:06}.png" for at in range(count)])
    old = pa.table({"id": pa.array(range(count)), "word": words, "name": names})
    # A row put in before all others: the dictionaries of the groups have another order.
    first = pa.table({"id": [-1], "word": ["bird"], "name": ["first"]}, old.schema)
    new = pa.concat_tables([first, old]).combine_chunks()
    values = new["word"].to_pylist()
    values[300] = "horse"
    new = new.set_column(1, "word", pa.array(values))
    one, two = as_parquet(old, 100), as_parquet(new, 100)
    reader = ParquetReader(one.source, detect(one.source))
    batches = [batch for piece in reader.pieces(coded=True) for batch in piece.load()]
    assert [pa.types.is_dictionary(column.type) for column in batches[0].columns] == [
        False,
        True,
        False,
    ]
    assert pa.concat_arrays([batch["word"].dictionary_decode() for batch in batches]).equals(words)
    with one.diff(two, ["id"]) as found:
        assert found.counts == (1, 0, 1, 599, 600, 601)
        assert [(c.key, c.cells, c.new and c.new["word"]) for c in found.changes()] == [
            ((-1,), (), "bird"),
            ((299,), ("word",), "horse"),
        ]


def test_a_column_that_came_and_tables_that_have_nothing_in_common(always):
    old = table()
    with as_parquet(old).diff(as_parquet(old.append_column("n", old["id"]))) as found:
        assert found.columns.added == ("n",)
        assert found.counts.same == 4000
    other = old.set_column(1, "v", pc.add(old["v"], 1))
    with as_arrow(old).diff(as_arrow(other), ["id"]) as found:
        assert found.counts.changed == 4000
    turned = old.take(pa.array(reversed(range(4000)), pa.int64()))
    with as_arrow(old).diff(as_parquet(turned), ["id"]) as found:
        assert not found


def test_a_key_that_comes_up_twice_is_told(always):
    old = table()
    twice = pa.concat_tables([old, old.slice(7, 1)])
    for pair in ((old, twice), (twice, old), (twice, twice)):
        with pytest.raises(InvalidError, match=r"t.parquet, row 4,001, column 'id': the key 7"):
            as_parquet(pair[0]).diff(as_parquet(pair[1]), ["id"])


def test_arrow_whose_batches_are_not_told_is_read_whole(always):
    """Values in dictionaries lie apart, and a stream has no list of its batches."""
    counters = Counters()
    words = pa.array([("cat", "dog")[at % 2] for at in range(400)]).dictionary_encode()
    old = pa.table({"id": range(400), "word": words})
    new = old.set_column(0, "id", pa.array([*range(399), 1000]))
    with as_arrow(old, 100, counters=counters).diff(as_arrow(new, 100, counters=counters)) as found:
        assert found.counts == (1, 1, 0, 399, 400, 400)
    assert counters.rows > 800
    streams = []
    for table in (old, new):
        out = io.BytesIO()
        with pa.ipc.new_stream(out, table.schema) as writer:
            writer.write_table(table, max_chunksize=100)
        streams.append(opened(out.getvalue(), "t.arrows"))
    with streams[0].diff(streams[1]) as found:
        assert found.counts == (1, 1, 0, 399, 400, 400)
