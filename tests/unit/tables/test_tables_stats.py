"""Statistics against plain Python."""

import math
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import ipc

from oxcore.tables import Query, plain
from oxcore.tables.stats import QUANTILES

VALUES = {
    pa.int64(): st.integers(-(2**63), 2**63 - 1) | st.integers(-3, 3),
    pa.float64(): st.floats(-1e9, 1e9)
    | st.floats()
    | st.sampled_from([math.nan, math.inf, -math.inf, 0.5]),
    pa.decimal128(38, 2): st.decimals(-(10**6), 10**6, places=2),
    pa.string(): st.text(st.characters(exclude_categories=["Cs"]), max_size=3),
    pa.bool_(): st.booleans(),
    pa.date32(): st.dates(date(1900, 1, 1), date(2100, 1, 1)),
    pa.timestamp("us", "UTC"): st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001
    pa.list_(pa.int64()): st.lists(st.integers(0, 2), max_size=2),
}


def as_arrow(table):
    out = pa.BufferOutputStream()
    with ipc.new_stream(out, table.schema) as writer:
        writer.write_table(table)
    return out.getvalue().to_pybytes()


def json_of(value, type_):
    return plain(pa.array([value], type_))[0]


def shown(value):
    """Two values are the same if this is; zero has one sign."""
    return repr(0.0 if isinstance(value, float) and value == 0 else value)


def is_nan(value):
    return isinstance(value, float) and math.isnan(value)


def as_number(value, type_):
    if pa.types.is_date(type_):
        return (value - date(1970, 1, 1)) // timedelta(microseconds=1)
    if pa.types.is_timestamp(type_):
        return (value - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    return float(value) if isinstance(value, Decimal) else value


@pytest.mark.parametrize("type_", VALUES, ids=str)
@given(data=st.data())
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_stats_are_those_of_plain_python(table_of, type_, data):
    drawn = data.draw(st.lists(st.none() | VALUES[type_], max_size=30))
    column = pa.array(drawn, type_)
    found = table_of(as_arrow(pa.table({"a": column}))).stats()[0]
    values = [value for value in column.to_pylist() if value is not None]
    good = [value for value in values if not is_nan(value)]
    keys = [json_of(value, type_) for value in values]
    assert (found.name, found.type) == ("a", str(type_))
    assert (found.count, found.nulls) == (len(values), len(drawn) - len(values))
    assert found.nans == len(values) - len(good)
    hashed = Counter(map(shown, keys))
    assert found.distinct == len(hashed)
    assert [count for _, count in found.top] == sorted(hashed.values(), reverse=True)[:5]
    assert all(hashed[shown(value)] == count for value, count in found.top)
    if not good or pa.types.is_list(type_):
        assert (found.min, found.max, found.mean, found.quantiles) == (None, None, None, {})
        return
    ordered = sorted(good, key=str.encode) if pa.types.is_string(type_) else sorted(good)
    assert found.min == json_of(ordered[0], type_)
    assert found.max == json_of(ordered[-1], type_)
    check_quantiles(found, ordered, type_)
    check_mean(found, ordered, type_)
    check_histogram(found, ordered, type_)


def check_quantiles(found, ordered, type_):
    if pa.types.is_string(type_) or pa.types.is_boolean(type_):
        assert found.quantiles == {}
        return
    for q in QUANTILES:
        rank = max(1, math.ceil(Fraction(q) * len(ordered)))
        assert found.quantiles[q] == json_of(ordered[rank - 1], type_)


def check_mean(found, ordered, type_):
    if pa.types.is_temporal(type_) or pa.types.is_string(type_) or pa.types.is_boolean(type_):
        assert found.mean is None
        return
    finite = [value for value in ordered if math.isfinite(value)]
    if finite:
        wanted = float(sum(map(Fraction, finite)) / len(finite))
        if found.mean is None:  # their sum is not finite
            assert max(map(abs, map(float, finite))) > 1e306
            return
        assert found.mean == pytest.approx(
            wanted, rel=1e-9, abs=max(1e-6, 1e-9 * max(map(abs, map(float, finite))))
        )


def check_histogram(found, ordered, type_):
    if pa.types.is_string(type_) or pa.types.is_boolean(type_):
        assert found.histogram == ()
        return
    numbers = [as_number(value, type_) for value in ordered]
    numbers = [number for number in numbers if math.isfinite(number)]
    assert sum(one.count for one in found.histogram) == len(numbers)
    if not numbers:
        return
    assert found.histogram[0].low == numbers[0]
    assert found.histogram[-1].high == numbers[-1]
    for at, one in enumerate(found.histogram):
        last = at == len(found.histogram) - 1
        inside = [n for n in numbers if one.low <= n and (n <= one.high if last else n < one.high)]
        assert one.count == len(inside)


def test_bins_of_a_few_integers_are_the_integers(table_of):
    found = table_of(b"a\n1\n2\n2\n4\n").stats()[0]
    assert [(one.low, one.high, one.count) for one in found.histogram] == [
        (1, 2, 1),
        (2, 3, 2),
        (3, 4, 0),
        (4, 4, 1),
    ]


def test_stats_of_a_query(table_of):
    table = table_of(b"a,b\n1,x\n2,y\n3,y\n")
    found = table.stats(Query(columns=("b",), where="a > 1"))
    assert [(one.name, one.count, one.distinct, one.top) for one in found] == [
        ("b", 2, 1, (("y", 2),))
    ]
    by_sql = table.stats(Query(sql="select a * 2 as twice from t"))
    assert [(one.name, one.min, one.max) for one in by_sql] == [("twice", 2, 6)]


def test_stats_of_no_rows(table_of):
    for one in table_of(b"a,b\n").stats():
        assert (one.count, one.nulls, one.distinct, one.min, one.top) == (0, 0, 0, None, ())


def test_what_does_not_fit_in_memory_is_spilled(table_of, monkeypatch):
    """The engine has a limit, whatever the table takes; here 60 MiB, and each value distinct."""
    from oxcore.tables import engine, stats

    whole = engine.engine
    monkeypatch.setattr(stats, "engine", lambda tables: whole(tables, "60MiB"))
    rows = b"".join(b"%d,%d-some-text-that-takes-room\n" % (n, n * 7919) for n in range(600_000))
    found = table_of(b"id,text\n" + rows).stats()
    assert [one.distinct for one in found] == [600_000, 600_000]
    assert found[0].quantiles["0.5"] == 299_999
