"""A CSV file with its edits: each byte that no edit touches stays; read again, it is the model."""

import datetime as dt
import gzip
import io
import math
from decimal import Decimal
from itertools import pairwise

import pyarrow as pa
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from oxcore.errors import InvalidError, NotFoundError, UsageError
from oxcore.tables import Source, Table
from oxcore.tables.rewrite import Edits, Raw, rewrite, rows
from oxcore.tables.source import opened


def open_table(data, name="labels.csv"):
    return Table(Source(name, len(data), lambda: io.BytesIO(data)))


def rewritten(data, edits, name="labels.csv"):
    out = io.BytesIO()
    table = open_table(data, name)
    count = rewrite(table, edits, out)
    assert count == len(open_table(out.getvalue(), name))
    return out.getvalue()


def texts(data, name="labels.csv"):
    """Names and the text of every field, null apart from empty."""
    reader = open_table(data, name).reader
    batches = [batch for piece in reader.pieces() for batch in piece.load()]
    return reader.names, [list(row.values()) for one in batches for row in one.to_pylist()]


def field(value, *, quoted):
    if value is None:
        return ""
    if quoted or value == "" or any(mark in value for mark in ',"\r\n'):
        return '"' + value.replace('"', '""') + '"'
    return value


VALUE = st.one_of(
    st.none(),
    st.text(st.sampled_from('ab1 ",\r\n;é'), max_size=5),
    st.sampled_from(['5" disk', "1.10", "007", ""]),
)
END = st.sampled_from(["\n", "\r\n", "\r"])


@st.composite
def files(draw):
    """The lines of a file in some dialect, and the rows that it holds."""
    width = draw(st.integers(1, 4))
    table = draw(st.lists(st.lists(VALUE, min_size=width, max_size=width), max_size=8))
    quoted = draw(st.lists(st.booleans(), min_size=width, max_size=width))
    ends = st.just(draw(END)) if draw(st.booleans()) else END
    lines = [",".join(f"c{n}" for n in range(width)) + draw(ends)]
    held = []
    for row in table:
        parts = []
        for value, quote in zip(row, quoted, strict=True):
            bare = value is not None and value.startswith("5") and draw(st.booleans())
            parts.append(value if bare else field(value, quoted=quote))
        if width > 1 and draw(st.integers(0, 9)) == 0:
            lines.append(draw(ends))
        lines.append(",".join(parts) + draw(ends))
        held.append(len(lines) - 1)
    if lines[-1].strip("\r\n") and draw(st.booleans()):
        lines[-1] = lines[-1].rstrip("\r\n")
    whole = [line.encode() for line in lines]
    mark = b"\xef\xbb\xbf" if draw(st.booleans()) else b""
    return mark, whole, held, table


def joined(mark, lines):
    return mark + b"".join(lines)


def sound(lines):
    """Whether no line feed, which would belong to the line before, stands behind a return."""
    return not any(a.endswith(b"\r") and b.startswith(b"\n") for a, b in pairwise(lines))


@given(files(), st.sampled_from([2, 3, 7, 1 << 20]))
@settings(max_examples=120, deadline=None)
def test_without_edits_nothing_changes(file, size):
    mark, lines, _, table = file
    if not sound(lines):
        return
    data = joined(mark, lines)
    assert texts(data)[1] == table
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows, "BLOCK", size)
        assert rewritten(data, Edits()) == data
        same = Edits(renamed={"c0": "c0"})
        assert rewritten(data, same) == data


@given(files(), st.data(), st.sampled_from([2, 3, 7, 1 << 20]))
@settings(max_examples=200, deadline=None)
def test_edits_are_those_of_a_model(file, data, size):
    mark, lines, held, table = file
    if not sound(lines):
        return
    width = len(open_table(joined(mark, lines)).reader.names)
    names = [f"c{n}" for n in range(width)]
    places = st.integers(0, max(len(table) - 1, 0))
    row = st.dictionaries(st.sampled_from(names), VALUE, max_size=width)
    cells = data.draw(st.dictionaries(places, row, max_size=3)) if table else {}
    deleted = data.draw(st.sets(places, max_size=3)) if table else set()
    inserted = data.draw(st.lists(st.tuples(st.integers(0, len(table)), row), max_size=3))
    before = joined(mark, lines)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows, "BLOCK", size)
        after = rewritten(before, Edits(cells, deleted, inserted))
    wanted = []
    for at in range(len(table) + 1):
        wanted += [[new.get(name) for name in names] for place, new in inserted if place == at]
        if at < len(table) and at not in deleted:
            new = cells.get(at, {})
            wanted.append([new.get(name, table[at][n]) for n, name in enumerate(names)])
    assert texts(after)[1] == wanted
    kept = [line for at, line in enumerate(lines) if at not in held]
    kept += [lines[held[at]] for at in range(len(table)) if at not in deleted and at not in cells]
    for line in kept:
        assert line.strip(b"\r\n") in after
    if any(any(row) for row in wanted[-1:]) and b"\n" not in before and b"\r" not in before:
        assert not after.endswith((b"\n", b"\r"))


COLUMNS = st.sampled_from(["c0", "c1", "c2", "c3", "n", "m"])


@given(files(), st.data())
@settings(max_examples=120, deadline=None)
def test_columns_come_go_and_change_their_name(file, data):
    mark, lines, _, table = file
    if not sound(lines):
        return
    before = joined(mark, lines)
    names = open_table(before).reader.names
    dropped = data.draw(st.sets(st.sampled_from(names), max_size=2))
    added = data.draw(st.dictionaries(st.sampled_from(["n", "m"]), VALUE, max_size=2))
    left = [name for name in names if name not in dropped]
    if not left and not added:
        return
    renamed = {left[0]: "z"} if left and data.draw(st.booleans()) else {}
    edits = Edits(renamed=renamed, dropped=dropped, added=[(k, None, v) for k, v in added.items()])
    got_names, got = texts(rewritten(before, edits))
    assert got_names == [renamed.get(name, name) for name in left] + list(added)
    keep = [names.index(name) for name in left]
    assert got == [[*(row[at] for at in keep), *added.values()] for row in table]


def test_only_the_cell_changes():
    data = b'"id";x;note\r\n"1"; 2 ;"a;b"\r\n\r\n"2";5" disk;\r\n"3";"4";c'
    cells = {1: {"x": 7, "note": "new;one"}, 2: {"note": None}}
    assert rewritten(data, Edits(cells)) == (
        b'"id";x;note\r\n"1"; 2 ;"a;b"\r\n\r\n"2";7;"new;one"\r\n"3";"4";'
    )
    assert rewritten(data, Edits(inserted=[(3, {"id": 4}), (0, {"id": 0, "x": ""})])) == (
        b'"id";x;note\r\n"0";"";\r\n"1"; 2 ;"a;b"\r\n\r\n"2";5" disk;\r\n"3";"4";c\r\n"4";;'
    )


def test_values_in_the_habit_of_their_column():
    data = b"ok,at,name\nTrue,2026-01-02 03:04:05,x\n"
    when = dt.datetime(2026, 1, 2, 3)  # noqa: DTZ001 -- a local time
    new = [
        {"ok": False, "at": when, "name": ""},
        {"ok": None, "at": when.date(), "name": " x"},
        {"ok": 0.1, "at": Decimal("1E+3"), "name": ["a", {"b": math.nan}]},
        {"ok": b"\x00\xff", "at": pa.scalar(5), "name": Raw('"raw"')},
    ]
    lines = rewritten(data, Edits(inserted=[(1, one) for one in new])).decode().splitlines()[2:]
    assert lines == [
        'False,2026-01-02 03:00:00,""',
        ',2026-01-02," x"',
        '0.1,1000,"[""a"",{""b"":""NaN""}]"',
        '00ff,5,"raw"',
    ]


def test_the_same_compression_is_around_it():
    data = b"\xef\xbb\xbfa,b\n1,2\n"
    for packed in (gzip.compress(data), zstandard.compress(data)):
        assert rewritten(packed, Edits(), "x") == packed
        out = rewritten(packed, Edits({0: {"b": "é"}}), "x")
        assert out[:2] == packed[:2]
        again = open_table(out, "x")
        with opened(again.source, again.compression) as file:
            assert file.read() == "\ufeffa,b\n1,é\n".encode()


@pytest.mark.parametrize(
    ("edits", "kind", "told"),
    [
        (Edits({0: {"c": 1}}), NotFoundError, "no column is called 'c'"),
        (Edits(dropped=["a", "b"]), UsageError, "no column would be left"),
        (Edits(renamed={"a": "b"}), UsageError, "two columns would be called 'b'"),
        (Edits(added=[("", None, 1)]), UsageError, "a column needs a name"),
        (Edits({2: {"a": 1}}), UsageError, "there is no row 2: the table has 2, from 0 on"),
        (Edits(inserted=[(3, {})]), UsageError, "there is no row 3"),
        (Edits(deleted=[-1]), UsageError, "-1"),
        (Edits({0: {"a": Raw("x,y")}}), UsageError, "'x,y' is no field of this table"),
        (Edits({0: {"a": object()}}), InvalidError, "labels.csv, row 2, column 'a': a object is"),
        (Edits({1: {"a": "\ud800"}}), InvalidError, "labels.csv, row 3, column 'a': half"),
    ],
)
def test_edits_that_make_no_sense(edits, kind, told):
    with pytest.raises(kind) as caught:
        rewritten(b"a,b\n1,2\n3,4\n", edits)
    assert told in caught.value.message


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"a,b\n1,2\n3\n", "labels.csv, row 3: 1 fields, and the first row has 2"),
        (b'a,b\n1,2\n3,"x\n', "labels.csv, row 3: a quote is opened and not closed"),
        (b'a,b\n1,"' + b"x" * (11 << 20), "labels.csv, row 2: a row of more than 8 MiB"),
    ],
)
def test_a_broken_file_tells_its_row(data, told):
    with pytest.raises(InvalidError) as caught:
        rewrite(open_table(data), Edits({1: {"a": 1}}), io.BytesIO())
    assert caught.value.message.startswith(told)


def test_columns_swap_their_names():
    edits = Edits({0: {"a": 7}}, renamed={"a": "b", "b": "a"})
    assert rewritten(b"a,b\n1,2\n", edits) == b"b,a\n1,7\n"
    assert rewritten(b"a,b\n1,2\n", Edits({0: {"a": 7}}, renamed={"a": "c"})) == b"c,b\n7,2\n"


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (b"a,b\n1,2\n,\n", b"a,b,n,m\n1,2,7,\n,,7,\n"),
        (b"a,b\r\n1,2\r\n3,4", b"a,b,n,m\r\n1,2,7,\r\n3,4,7,"),
        (b"a,b\n1,2\r\n3,4\n", b"a,b,n,m\n1,2,7,\r\n3,4,7,\n"),
        (b"a,b\r1,2\r", b"a,b,n,m\r1,2,7,\r"),
        (b"a,b\n1,2\n\n3,4\n", b"a,b,n,m\n1,2,7,\n\n3,4,7,\n"),
        (b'a,b\n1,"2\n"\n', b'a,b,n,m\n1,"2\n",7,\n'),
        (b"a\n1\n\n", b"a,n,m\n1,7,\n,7,\n"),
        (b"a,b\n", b"a,b,n,m\n"),
    ],
)
def test_columns_put_behind(data, wanted):
    added = [("n", None, 7), ("m", None, None)]
    assert rewritten(data, Edits(added=added)) == wanted
    long = data + b"1,2\n" * 300_000 * data.endswith(b"\n") * (b"," in data)
    assert len(open_table(rewritten(long, Edits(added=added)))) == len(open_table(long))
