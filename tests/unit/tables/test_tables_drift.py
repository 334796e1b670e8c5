"""Sketches of columns, and how far two of them are apart, against plain Python."""

import io
import json
import math
import random
from bisect import bisect_right
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import ipc

from oxcore.model.counters import Counters
from oxcore.tables import Source, Table, recall_sketches, table_drift
from oxcore.tables.drift import FEW, kolmogorov_smirnov, stability_index, total_variation
from oxcore.tables.sketch import STEPS, VALUES

REALS = st.floats(-1e9, 1e9) | st.sampled_from([math.nan, math.inf, -math.inf, 0.5, -0.0])
COLUMNS = {
    pa.int64(): st.integers(-(2**63), 2**63 - 1) | st.integers(0, 3),
    pa.uint64(): st.integers(0, 2**64 - 1),
    pa.float64(): REALS,
    pa.decimal128(38, 2): st.decimals(-(10**6), 10**6, places=2),
    pa.string(): st.text(st.characters(exclude_categories=["Cs"]), max_size=3),
    pa.bool_(): st.booleans(),
    pa.date32(): st.dates(date(1900, 1, 1), date(2100, 1, 1)),
    pa.timestamp("us", "UTC"): st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001
    pa.time64("us"): st.times(),
    pa.list_(pa.int64()): st.lists(st.integers(0, 2), max_size=2),
    pa.struct([("a", pa.int64())]): st.fixed_dictionaries({"a": st.integers(0, 2)}),
}


class Box(dict):
    """A memo."""

    def put(self, kind, fact):
        self[kind] = fact


def table_of(table, memo=None):
    out = io.BytesIO()
    with ipc.new_stream(out, table.schema) as writer:
        writer.write_table(table)
    data = out.getvalue()
    return Table(Source("t", len(data), lambda: io.BytesIO(data), None, memo, Counters()))


def column(values, type_=None):
    return table_of(pa.table({"a": pa.array(values, type_)})).sketches()


def drift_of(old, new, type_=None):
    found = table_drift((len(old), len(new)), column(old, type_), column(new, type_))
    return found.columns[0]


@pytest.mark.parametrize("type_", COLUMNS, ids=str)
@given(data=st.data())
@settings(max_examples=5, deadline=None)
def test_what_was_kept_is_what_was_found(type_, data):
    values = data.draw(st.lists(st.none() | COLUMNS[type_], max_size=20))
    memo, table = Box(), pa.table({"a": pa.array(values, type_), "b": range(len(values))})
    first = table_of(table, memo)
    found = first.sketches()
    second = table_of(table, memo)
    assert repr(second.sketches()) == repr(found)
    assert second.stats() == first.stats()
    assert second._source.counters.rows == 0
    same = table_drift((1, 1), found, second.sketches())
    assert same.drift == 0
    assert all(one.distance in (0, None) and one.psi in (0, None) for one in same.columns)


def test_a_damaged_record_is_made_anew():
    memo, table = Box(), pa.table({"a": [1, 2, 2]})
    found = table_of(table, memo).sketches()
    ((kind, good),) = [item for item in memo.items() if item[0].startswith("stats")]
    for bad in (b"", good[:-3], b"x" + good, good[:20] + b"\0" + good[21:]):
        memo[kind] = bad
        source = table_of(table, memo)._source
        assert recall_sketches(source) is None
        assert table_of(table, memo).sketches() == found
        assert memo[kind] == good


@given(st.lists(st.integers(0, 30) | st.floats(0, 30), min_size=1, max_size=900))
@settings(max_examples=15, deadline=None)
def test_the_share_up_to_any_point_is_known_closely(values):
    values = [float(value) for value in values] * 3
    (found,) = column(values, pa.float64())
    assert found.steps[-1] == (max(values), len(values))
    assert found.steps == tuple(sorted(found.steps))
    for value, count in found.steps:
        assert count == sum(one <= value for one in values)
    for value in values:
        known = max((count for step, count in found.steps if step <= value), default=0)
        assert 0 <= sum(one <= value for one in values) - known < len(values) / STEPS


NUMBERS = st.lists(
    st.integers(0, 5) | st.integers(0, 400) | st.floats(0, 400), min_size=1, max_size=900
)


@given(NUMBERS, NUMBERS)
@settings(max_examples=15, deadline=None)
def test_numbers_by_the_largest_gap_of_their_distributions(old, new):
    (one,), (two,) = column(old, pa.float64()), column(new, pa.float64())
    wanted = gap(old, new)
    found = kolmogorov_smirnov(one, two)
    assert found == kolmogorov_smirnov(two, one)
    assert abs(found - wanted) < 1 / STEPS
    if max(len(set(old)), len(set(new))) <= STEPS / 2 and len(one.steps) == len(set(old)):
        assert len(two.steps) < len(set(new)) or found == pytest.approx(wanted)
    assert kolmogorov_smirnov(one, one) == 0


def gap(old, new):
    """By the definition."""
    old, new = sorted(old), sorted(new)
    shares = (
        (bisect_right(old, point) / len(old), bisect_right(new, point) / len(new))
        for point in {*old, *new}
    )
    return max(abs(p - q) for p, q in shares)


def test_two_samples_of_one_smooth_distribution_are_near():
    draw = random.Random(3)
    old, new = ([draw.gauss(0, 1) for _ in range(20_000)] for _ in range(2))
    found = kolmogorov_smirnov(column(old)[0], column(new)[0])
    assert abs(found - gap(old, new)) < 0.0015


def test_half_of_all_at_one_value_is_no_slope():
    old, new = [0.0] * 500 + [n / 7 for n in range(1000)], [n / 7 for n in range(1000)]
    (one,), (two,) = column([-9.0, *old]), column([-9.0, *new])
    assert abs(kolmogorov_smirnov(one, two) - gap([-9.0, *old], [-9.0, *new])) < 1 / STEPS


LABELS = st.lists(st.sampled_from(["cat", "dog", "fox", None]), min_size=2, max_size=40)


@given(LABELS, LABELS)
@settings(max_examples=15, deadline=None)
def test_labels_by_half_the_difference_of_their_shares(old, new):
    one, two = column(old, pa.string()), column(new, pa.string())
    found, back = (table_drift((1, 1), *pair).columns[0] for pair in ((one, two), (two, one)))
    before, after = (Counter(v for v in values if v is not None) for values in (old, new))
    gap = abs(old.count(None) / len(old) - new.count(None) / len(new))
    assert found.drift == back.drift
    if any(len(c) == c.total() > 1 or not c for c in (before, after)):
        assert (found.distance, found.drift) == (None, pytest.approx(gap))
        return
    wanted = [(before[k] / before.total(), after[k] / after.total()) for k in {*before, *after}]
    assert found.distance == pytest.approx(sum(abs(p - q) for p, q in wanted) / 2)
    assert found.drift == pytest.approx(max(found.distance, gap))
    assert found.psi == pytest.approx(back.psi)  # of shares, it is symmetric too
    assert {(one.value, one.old, one.new) for one in found.shares} == {
        (k, before[k] / before.total(), after[k] / after.total()) for k in {*before, *after}
    }
    changes = [abs(one.old - one.new) for one in found.shares]
    assert changes == sorted(changes, reverse=True)


def test_figures_worked_by_hand():
    assert total_variation([0.5, 0.5, 0], [0.2, 0.5, 0.3]) == pytest.approx(0.3)
    assert stability_index([0.5, 0.5], [0.5, 0.5]) == 0
    # (0.7 - 0.5) ln(0.7 / 0.5) + (0.3 - 0.5) ln(0.3 / 0.5)
    assert stability_index([0.5, 0.5], [0.7, 0.3]) == pytest.approx(0.169460, abs=1e-6)
    assert stability_index([1, 0], [0, 1]) == pytest.approx(2 * 0.9999 * math.log(10_000))
    found = drift_of(list(range(1000)), list(range(500, 1500)))
    assert (found.measure, found.distance) == ("kolmogorov-smirnov", pytest.approx(0.5, abs=0.005))
    assert [round(bar.old, 2) for bar in found.bars] == [0.15] * 6 + [0.1] + [0] * 3
    assert found.bars[0].low == 0
    assert found.bars[-1].high == 1499
    assert found.old.steps[:3] == ((0, 1), (4, 5), (9, 10))
    assert len(found.old.steps) == STEPS + 1


def test_which_columns_are_labels():
    few, many = [0, 1, 2, 2] * 20, [n % (FEW + 1) for n in range(200)]
    assert drift_of(few, few).measure == "total variation"
    assert drift_of(few, many).measure == "kolmogorov-smirnov"
    assert drift_of([0.5, 1.0] * 9, [1.0] * 9).measure == "total variation"
    days = [date(2026, 1, 1) + timedelta(days=n) for n in range(9)]
    assert drift_of(days, days[2:]).measure == "kolmogorov-smirnov"
    names = [f"{n}.png" for n in range(100)]
    assert drift_of(names, names[:50]).measure == ""
    assert drift_of(names, names[:50]).drift == 0
    classes = [f"{n % VALUES}" for n in range(2 * VALUES)]
    assert drift_of(classes, classes).measure == "total variation"
    long = [f"{n % 10}" * 10_000 for n in range(30)]
    assert [len(one.values or ()) for one in column(long) + column(classes)] == [0, VALUES]
    beyond = [f"{n % (VALUES + 1)}" for n in range(3 * VALUES)]
    assert drift_of(classes, beyond).distance is None


def test_a_type_that_changed():
    def of(a, b):
        return table_drift((1, 1), column(*a), column(*b)).columns[0]

    ints, reals = ([1, 2] * 9, pa.int32()), ([1.0, 2.0] * 9, pa.float64())
    assert of(ints, reals).distance == 0
    texts = ["1", "2"] * 9, pa.string()
    assert of(ints, texts).distance == 1
    times = [datetime(2026, 1, 1, tzinfo=UTC)] * 3, pa.timestamp("us", "UTC")
    many = list(range(200)), pa.int64()
    assert of(many, times).distance is None


def test_columns_that_came_and_went_and_the_order():
    old = table_of(pa.table({"a": [1] * 9, "b": ["x", "y", "y"] * 3, "gone": range(9)})).sketches()
    new = table_of(pa.table({"b": ["x", "x", "y"] * 3, "a": [1] * 8 + [None], "c": range(9)}))
    found = table_drift((9, 9), old, new.sketches())
    assert (found.added, found.removed) == (("c",), ("gone",))
    assert [(one.name, round(one.drift, 3)) for one in found.columns] == [
        ("b", 0.333),
        ("a", 0.111),
    ]
    assert found.drift == found.columns[0].drift
    assert found.columns[1].missing == (0, pytest.approx(1 / 9))
    assert table_drift((0, 0), [], []).drift == 0


def test_no_rows_at_all():
    found = drift_of([], ["a", "a"], pa.string())
    assert (found.distance, found.drift, found.missing) == (None, 0, (0, 0))
    assert drift_of([None, None], ["a", "a"], pa.string()).drift == 1


def test_infinite_numbers_come_back_and_are_in_no_bar():
    values = [math.inf, -math.inf, 1.5, 2.5, math.nan] * 30
    memo = Box()
    table_of(pa.table({"a": values}), memo).sketches()
    again = table_of(pa.table({"a": values}), memo).sketches()
    assert [value for value, _ in again[0].steps] == [-math.inf, 1.5, 2.5, math.inf]
    wide = [*values, *map(float, range(100))]
    found = drift_of(wide, wide)
    assert (found.distance, found.bars[0].low, found.bars[-1].high) == (0, 0, 99)
    assert sum(bar.old for bar in found.bars) == pytest.approx(1)
    json.dumps([bar._asdict() for bar in found.bars], allow_nan=False)
