"""An array of every type that Arrow has: three rows, mostly with a null."""

from decimal import Decimal

import pyarrow as pa

UNITS = ("s", "ms", "us", "ns")
ARRAYS = [
    pa.array([1, None, -3], pa.int8()),
    pa.array([2**64 - 1, 0, None], pa.uint64()),
    pa.array([1e308, -1e308, 1e308]),
    pa.array([5e-324, 0.0, -5e-324]),
    pa.array([0.1, None, 3], pa.float32()),
    pa.array([1, 2, 3.5], pa.float16()),
    pa.array([b"a", b"", None]),
    pa.array([b"ab", b"cd", None], pa.binary(2)),
    pa.array([Decimal("1.5"), None, Decimal(-2)], pa.decimal128(38, 5)),
    pa.array([Decimal(1), None, Decimal(3)], pa.decimal256(50, 1)),
    pa.array([0, None, 10], pa.date32()),
    pa.array([0, None, 864000000], pa.date64()),
    pa.array([1, None, 3], pa.time32("s")),
    pa.array([1, None, 3], pa.time64("ns")),
    *(pa.array([1, None, 3], pa.timestamp(unit)) for unit in UNITS),
    *(pa.array([1, None, 3], pa.timestamp(unit, "Europe/Paris")) for unit in UNITS),
    *(pa.array([1, None, 3], pa.duration(unit)) for unit in UNITS),
    pa.array([pa.MonthDayNano([1, 2, 3]), None, pa.MonthDayNano([0, 0, 1])]),
    pa.nulls(3),
    pa.array([[1], None, []]),
    pa.array([[1], None, []], pa.large_list(pa.int64())),
    pa.array([[1, 2], None, [3, 4]], pa.list_(pa.int8(), 2)),
    pa.array([{"a": 1}, None, {"a": None}]),
    pa.array([[("a", 1)], None, []], pa.map_(pa.string(), pa.int64())),
    pa.array(["x", "y", None]).dictionary_encode(),
    pa.array(["x", None, "y"], pa.large_string()),
    pa.array(["x", None, "y"], pa.string_view()),
    pa.array([b"x", None, b"y"], pa.binary_view()),
    pa.RunEndEncodedArray.from_arrays([2, 3], ["a", "b"]),
    pa.UnionArray.from_dense(
        pa.array([0, 1, 0], pa.int8()),
        pa.array([0, 0, 1], pa.int32()),
        [pa.array([1, 2]), pa.array(["x"])],
    ),
    pa.array([True, None, False]),
]
