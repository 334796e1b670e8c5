"""A comparison in parts, some of which helpers do: the same diff as by one process.

The helpers here are of the same process, asked and told through pickle as true ones are: so
parts can be small, and a helper be lost at any question. ``tests/e2e`` starts true ones.
"""

import io
import pickle

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from oxcore.errors import InvalidError
from oxcore.model.ids import content_id
from oxcore.tables import Source, Table
from oxcore.tables.formats.csv import CsvReader
from oxcore.tables.helping import Lost
from oxcore.tables.rowdiff import (
    How,
    aligned,
    answer,
    compare,
    diff,
    groups,
    lines,
    outside,
    stepping,
)
from oxcore.tables.rowdiff.aligned import align, joined
from oxcore.tables.rowdiff.lines import spans
from oxcore.tables.rowdiff.span import Span, cut_up
from oxcore.tables.rowdiff.unique import Ascent, Range

LINES = st.lists(
    st.sampled_from([b"a\n", b"b\n", b"cc\n", b"\n", b"d\r\n", b"x\ry\n"]), max_size=12
)
CELL = st.sampled_from(["", '""', "x", "1", "1.0", "2", '"two\nlines"', "TRUE", "é", "1e5"])


@pytest.fixture
def always(monkeypatch):
    """Files of every size are gone through, cut anywhere, in small steps."""
    monkeypatch.setattr(outside, "LEAST", 0)
    monkeypatch.setitem(compare.__globals__, "LEAST", 0)
    monkeypatch.setattr(stepping, "_WINDOWS", (1, 3))
    monkeypatch.setattr(groups, "_NEAR", 1)
    for name, size in (("_NEAR", 1), ("_LINE", 16), ("_SIGN", 6), ("_REACH", 9)):
        monkeypatch.setattr(lines, name, size)
    for name, size in (("LEAST", 1), ("BLOCK", 8), ("_STEP", 2), ("_WINDOWS", (1, 2, 8))):
        monkeypatch.setattr(aligned, name, size)


class Beside:
    """A helper that has both tables, and fails where its list of ``failures`` says so."""

    def __init__(self, old, new, failures=()):
        self.tables, self.failures = (old, new), list(failures)
        self.asked = []

    def ask(self, question):
        self.asked.append(question)

    def answer(self):
        if self.failures and self.failures.pop(0):
            raise Lost
        question = pickle.loads(pickle.dumps(self.asked[-1]))
        try:
            found = answer(*self.tables, question)
        except (InvalidError, pa.ArrowException):
            raise Lost from None
        return pickle.loads(pickle.dumps(found))


def fixed(function):
    relaxed = [HealthCheck.function_scoped_fixture]
    return settings(max_examples=40, deadline=None, suppress_health_check=relaxed)(function)


def result(old, new, how, helpers=()):
    try:
        with diff(old, new, how, helpers) as found:
            told = found.by, found.keys, found.columns, found.counts, found.cells
            if found.by == "rows":  # of equal rows any may be told
                return (*told, sorted(map(repr, found.changes())) and None)
            return (*told, list(map(repr, found.changes())))
    except InvalidError as error:
        return error.message


def as_parquet(table, size):
    out = io.BytesIO()
    parquet.write_table(table, out, row_group_size=size)
    data = out.getvalue()
    return Table(Source("t.parquet", len(data), lambda: io.BytesIO(data)))


def as_arrow(table, size):
    out = io.BytesIO()
    with pa.ipc.new_file(out, table.schema) as writer:
        writer.write_table(table, max_chunksize=size)
    data = out.getvalue()
    return Table(Source("t.arrow", len(data), lambda: io.BytesIO(data)))


@st.composite
def numbered(draw):
    """Rows of a key that ascends or not, and the same with some edits."""
    ids = draw(st.lists(st.integers(0, 40), unique=True, min_size=4, max_size=24))
    old = [(at, at % 3) for at in (sorted(ids) if draw(st.booleans()) else ids)]
    new = list(old)
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(new)))
        come = [(draw(st.integers(0, 60)), 7) for _ in range(draw(st.integers(0, 2)))]
        new[at : at + draw(st.integers(0, 2))] = come
    return tuple(
        pa.table({"id": [r[0] for r in rows], "v": [r[1] for r in rows]}, SCHEMA)
        for rows in (old, new)
    )


SCHEMA = pa.schema([("id", pa.int64()), ("v", pa.int64())])
FAILURES = st.lists(st.booleans(), max_size=3)


SIZES = st.integers(1, 5)
COUNTS = st.integers(1, 3)


@given(numbered(), SIZES, st.sampled_from([("id",), ()]), FAILURES, COUNTS, st.booleans())
@fixed
def test_row_groups_in_parts(always, pair, size, keys, failures, count, arrow):
    one, two = ((as_arrow if arrow else as_parquet)(table, size) for table in pair)
    helpers = [Beside(one, two, failures) for _ in range(count)]
    assert result(one, two, How(keys), helpers) == result(one, two, How(keys))


@pytest.mark.parametrize("make", [as_parquet, as_arrow])
def test_each_helper_gets_row_groups_that_belong_together(always, make):
    old = pa.table({"id": range(1000), "v": range(1000)}, SCHEMA)
    new = pa.concat_tables([pa.table({"id": [-1], "v": [0]}, SCHEMA), old]).combine_chunks()
    one, two = make(old, 50), make(new, 50)
    helper = Beside(one, two)
    assert result(one, two, How(("id",)), [helper])[3] == (1, 0, 0, 1000, 1000, 1001)
    assert [question.part for question in helper.asked] == [Span((10, 20), (10, 21))]


def in_chunks(data, sizes):
    """The file, kept in chunks of these sizes, again and again; nobody knows of any of no size."""
    if not sizes:
        return Table(Source("t.csv", len(data), lambda: io.BytesIO(data)))
    chunks, at = [], 0
    while at < len(data):
        part = data[at : at + sizes[len(chunks) % len(sizes)]]
        chunks.append((content_id(part), len(part)))
        at += len(part)
    return Table(Source("t.csv", len(data), lambda: io.BytesIO(data), chunks=lambda: chunks))


@st.composite
def versions(draw):
    """Two texts: rows of a unique id and cells, some cells changed, some rows gone, some new."""
    size = draw(st.integers(4, 20))
    rows = [[str(at + 7), draw(CELL), draw(CELL)] for at in range(size)]
    after = [list(row) for row in rows]
    for at in draw(st.lists(st.integers(0, size - 1), max_size=2)):
        after[at][draw(st.integers(1, 2))] = draw(CELL)
    for _ in range(draw(st.integers(0, 2))):
        after.pop(draw(st.integers(0, len(after) - 1)))
    if draw(st.booleans()):
        after.insert(draw(st.integers(0, len(after))), ["1", draw(CELL), draw(CELL)])
    end = draw(st.sampled_from(["\n", ""]))
    lines = ("\n".join(map(",".join, [["id", "a", "b"], *each])) + end for each in (rows, after))
    return [text.encode() for text in lines]


@given(versions(), st.lists(st.integers(1, 9), max_size=3), FAILURES, st.integers(1, 3))
@fixed
def test_lines_in_parts(always, pair, sizes, failures, count):
    one, two = (in_chunks(data, sizes) for data in pair)
    helpers = [Beside(one, two, failures) for _ in range(count)]
    alone = result(*(in_chunks(data, sizes) for data in pair), How(("id",)))
    assert result(one, two, How(("id",)), helpers) == alone
    assert one.schema == in_chunks(pair[0], sizes).schema


def test_a_helper_finds_out_the_types_of_its_lines(always):
    rows = [f"{at},{at / 4},{'x' if at == 900 else at}" for at in range(1000)]
    old = "\n".join(["id,v,w", *rows, ""]).encode()
    new = old.replace(b"\n500,", b"\n500.5,")
    one, two = (in_chunks(data, [64]) for data in (old, new))
    # chunks of one size share nothing behind what was put in, but the edit lies behind the cut
    helper = Beside(one, two)
    found = result(one, two, How(("w",)), [helper])
    (asked,) = helper.asked
    assert asked.types == 0
    assert asked.span.old == (asked.span.new[0], len(old))
    assert 0 < asked.span.old[0] < old.index(b"\n500,")
    assert old[asked.span.old[0] - 1 : asked.span.old[0]] == b"\n"
    assert one.schema.types == [pa.int64(), pa.float64(), pa.string()]
    assert found[3].changed == 1


KEYS = st.lists(st.sampled_from(["1", "2", "3", "10", "20", "100", "a", "b", "c"]), max_size=4)


@given(st.lists(KEYS, min_size=1, max_size=4), st.booleans())
@fixed
def test_columns_ascend_in_all_parts_as_in_the_whole(parts, ordered):
    if ordered:  # by chance they hardly ever ascend
        rest = iter(
            sorted({one for part in parts for one in part}, key=lambda one: (len(one), one))
        )
        parts = [[one for _, one in zip(part, rest, strict=False)] for part in parts]
    whole, first, *others = Ascent(1), *(Ascent(1) for _ in parts)
    for ascent, part in zip((first, *others), parts, strict=True):
        batch = pa.RecordBatch.from_arrays([pa.array(part, pa.string())], ["key"])
        ascent.look(batch)
        whole.look(batch)
    for other in others:
        first.go_on(other)
    for type_ in (pa.int64(), pa.string()):
        found, known = first.found([type_]), whole.found([type_])
        assert found in (known, {})  # texts that look like numbers may be given up
        if not any(one.isalpha() for part in parts for one in part):
            assert found == known


@given(st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=3), min_size=1, max_size=3))
@fixed
def test_ranges_follow_each_other_where_the_values_ascend(parts):
    values = [one for part in parts for one in part]
    ranges = [Range(part[0], part[-1]) if part == sorted(set(part)) else None for part in parts]
    found = ranges[0]
    for one in ranges[1:]:
        found = found.then(one) if found and one else None
    ascends = values == sorted(set(values))
    assert found == (Range(values[0], values[-1]) if ascends else None)


def test_a_key_that_ascends_in_each_part_alone_is_none(always):
    """Row groups of which none is the same, cut where the second half begins again."""
    old = pa.table({"id": [*range(500), *range(500)], "v": range(1000)}, SCHEMA)
    changed = [at + (at % 50 == 7) for at in range(1000)]
    one = as_parquet(old, 50)
    two = as_parquet(old.set_column(1, "v", pa.array(changed)), 50)
    helper = Beside(one, two)
    found = result(one, two, How(("id",)), [helper])
    assert [question.part.old for question in helper.asked] == [(10, 20)]
    assert found == "t.parquet, row 501, column 'id': the key 0 is that of row 1 as well"


def test_a_header_of_several_lines_is_not_cut_from_its_rows(always):
    rows = [f'{at},{at}",{at}' for at in range(100)]  # a quote within a field is one of its signs
    old = "\n".join(['id,"a\nb",v', *rows, ""]).encode()
    new = old.replace(b'\n70,70"', b'\n70,7"')
    one, two = (in_chunks(data, [16]) for data in (old, new))
    found = result(one, two, How(("id",)), [Beside(one, two)])
    assert (one.reader.facts().rows, two.reader.facts().rows) == (100, 100)
    assert found[3] == (0, 0, 1, 99, 100, 100)


@given(LINES, LINES, LINES, LINES, LINES)
@fixed
def test_stretches_of_spans_are_those_of_the_whole(always, start, one, two, end, more):
    parts = [(start + one, start + two), (end + more, end + more), (two, one)]
    files, spans_, at = [b"", b""], [], (0, 0)
    for pair in parts:
        texts = [b"".join(each) for each in pair]
        files = [file + text for file, text in zip(files, texts, strict=True)]
        stop = len(files[0]), len(files[1])
        spans_.append(Span(*zip(at, stop, strict=True)))
        at = stop
    looks = [align(*map(io.BytesIO, files), None, span) for span in spans_]
    found, whole = joined(looks), align(*map(io.BytesIO, files))
    assert (found.sizes, found.lines, found.plain) == (whole.sizes, whole.lines, whole.plain)
    assert list(map(len, found.rest)) == [
        len(file) - sum(stretch.size for stretch in found.stretches) for file in files
    ]
    last = 0, 0
    for stretch in found.stretches:
        old, new = (
            file[place:][: stretch.size] for file, place in zip(files, stretch, strict=False)
        )
        assert old == new != b""
        assert last <= stretch[:2]
        assert files[0][: stretch.old].count(b"\n") == stretch.old_line
        assert files[1][: stretch.new].count(b"\n") == stretch.new_line
        assert old.count(b"\n") == stretch.lines
        assert last != stretch[:2] or last == (0, 0)  # what goes on is one stretch
        last = stretch.old + stretch.size, stretch.new + stretch.size


def test_what_is_not_certain_is_not_kept(always, monkeypatch):
    """Where a line turns out to be no row, nothing that the parts told is kept of either file."""
    rows = [f'{at},"n\n{at}"' if at == 80 else f"{at},n {at}" for at in range(100)]
    old = "\n".join(["id,v", *rows, ""]).encode()
    pair = [in_chunks(data, [16]) for data in (old, old.replace(b"\n70,n 70", b"\n70,changed"))]
    kept = []
    learn = CsvReader.learn
    monkeypatch.setattr(
        CsvReader, "learn", lambda self, *told: kept.append(self) or learn(self, *told)
    )
    found = outside.outside(*(one.reader for one in pair), [Beside(*pair)])
    assert found is None
    assert kept == []
    assert [one.reader.facts().rows for one in pair] == [100, 100]


def test_files_whose_chunks_nobody_knows_are_cut_where_they_are_the_same():
    old = b"".join(b"%07d,a row of the table\n" % at for at in range(100_000))
    new = old.replace(b"0010000,", b"0010000,more ", 1).replace(b"0051000,", b"0051000,x", 1)
    one, two = (in_chunks(data, []).source for data in (old, new))
    (first, second) = spans(one, two, 2)
    assert first.old[1] == second.old[0] == second.new[0] - 5 == first.new[1] - 5
    assert (
        old[second.old[0] - 1 :][: 1 + lines._SIGN] == new[second.new[0] - 1 :][: 1 + lines._SIGN]
    )
    assert old[second.old[0] - 1 : second.old[0]] == b"\n"
    assert abs(second.old[0] - len(old) / 2) < lines._LINE
    same = in_chunks(b"the same line\n" * 300_000, []).source
    far = in_chunks(b"x" * 8_000_000 + b"\n" + old, []).source
    assert spans(same, same, 2) == spans(one, far, 2) == [None]


def test_files_without_chunks_or_shared_ones_are_not_cut():
    data = b"".join(b"%d\n" % at for at in range(100))
    plain = Source("t.csv", len(data), lambda: io.BytesIO(data))
    other = in_chunks(data.replace(b"\n", b"x\n"), [8]).source
    known = in_chunks(data, [8]).source
    assert spans(plain, known, 2) == spans(known, other, 2) == [None]
    assert spans(known, known, 1) == [None]
    assert len(spans(known, known, 2)) == 2


def test_files_are_not_cut_in_what_they_hold_several_times():
    block = b"".join(b"%d\n" % at for at in range(100, 116))  # eight chunks, each of two lines
    one = in_chunks(block * 6, [8]).source
    again = in_chunks(block * 7, [8]).source
    assert spans(one, again, 2) == [None]
    near = in_chunks(block * 3 + b"1234567\n" + block * 3, [8]).source
    later = in_chunks(block * 4 + b"1234567\n" + block * 3, [8]).source
    assert spans(near, later, 2) == [
        Span((0, 3 * 64 + 8), (0, 4 * 64 + 8)),
        Span((3 * 64 + 8, near.size), (4 * 64 + 8, later.size)),
    ]


def test_a_cut_that_goes_back_in_either_file_is_not_made():
    cuts = iter([(5, 7), (9, 6), (4, 9), (12, 12)])
    found = cut_up((20, 20), 5, lambda _: next(cuts))
    assert found == [Span((0, 5), (0, 7)), Span((5, 12), (7, 12)), Span((12, 20), (12, 20))]
