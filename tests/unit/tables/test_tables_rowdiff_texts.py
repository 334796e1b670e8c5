"""Two CSV files of which only what they do not share is read: the same diff as from all of it."""

import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oxcore.errors import InvalidError
from oxcore.model.counters import Counters
from oxcore.tables import Source, Table
from oxcore.tables.formats.csv import CsvReader
from oxcore.tables.rowdiff import How, aligned, diff, outside, unique
from oxcore.tables.rowdiff.aligned import align
from oxcore.tables.rowdiff.chunks import equal_by

LINES = st.lists(
    st.sampled_from([b"a\n", b"b\n", b"cc\n", b"\n", b"d\r\n", b"x\ry\n"]), max_size=12
)
CELL = st.sampled_from(
    ["", '""', "x", "1", "1.0", "1.00", "2", '"q,""r"""', '"two\nlines"', 'a"b', "TRUE", "é", "1e5"]
)


@pytest.fixture
def always(monkeypatch):
    """Files of every size are looked at for what they share, in small blocks."""
    monkeypatch.setattr(outside, "LEAST", 0)
    for name, size in (("LEAST", 4), ("BLOCK", 8), ("_STEP", 2), ("_WINDOWS", (1, 2, 8))):
        monkeypatch.setattr(aligned, name, size)


class Memo(dict):
    """The facts of one content."""

    def put(self, kind, fact):
        self[kind] = fact


def opened(data, **known):
    data = data.encode() if isinstance(data, str) else data
    return Table(Source("t.csv", len(data), lambda: io.BytesIO(data), **known))


def fixed(function):
    relaxed = [HealthCheck.function_scoped_fixture]
    return settings(max_examples=25, deadline=None, suppress_health_check=relaxed)(function)


@given(LINES, LINES, LINES, LINES)
@fixed
def test_stretches_are_the_same_lines_in_both(always, start, one, two, end):
    old, new = b"".join(start + one + end), b"".join(start + two + end)
    known = len(b"".join(start)) if one == two else 0

    def equal(a, b):
        return max(0, known - a) if a == b else 0

    found = align(io.BytesIO(old), io.BytesIO(new), equal)
    before = 0, 0
    for stretch in found.stretches:
        place = stretch.old, stretch.new
        assert place >= before
        assert old[place[0] :][: stretch.size] == new[place[1] :][: stretch.size] != b""
        assert (stretch.old_line, stretch.new_line) == (
            count(old[: place[0]]),
            count(new[: place[1]]),
        )
        before = tuple(at + stretch.size for at in place)
    assert (found.sizes, found.lines) == ((len(old), len(new)), (count(old), count(new)))
    both = old, new
    assert found.rest == tuple(left(data, found, side) for side, data in enumerate(both))
    assert found.plain == all(data.count(b"\r") == data.count(b"\r\n") for data in both)


def left(data, found, side):
    """The bytes outside of the stretches."""
    ends = [0, *(stretch[side] + stretch.size for stretch in found.stretches)]
    starts = [*(stretch[side] for stretch in found.stretches), len(data)]
    return b"".join(data[a:b] for a, b in zip(ends, starts, strict=True))


def count(data):
    return data.count(b"\n") + (not data.endswith(b"\n") and bool(data))


@st.composite
def versions(draw):
    """Two texts: rows of a unique id and cells, some cells changed, some rows gone, some new."""
    size = draw(st.integers(4, 14))
    rows = {at: [draw(CELL), draw(CELL)] for at in range(size)}
    after = {at: list(row) for at, row in rows.items()}
    for at in draw(st.lists(st.integers(0, size - 1), max_size=2)):
        after[at][draw(st.integers(0, 1))] = draw(CELL)
    for at in draw(st.lists(st.integers(0, size - 1), max_size=2)):
        after.pop(at, None)
    order = sorted(after)
    if draw(st.booleans()):
        after[size] = [draw(CELL), draw(CELL)]
        order.insert(draw(st.integers(0, len(order))), size)
    end = draw(st.sampled_from(["\n", ""]))
    texts = []
    for table, keys in ((rows, range(size)), (after, order)):
        lines = ["id,a,b", *(",".join([str(key + 7), *table[key]]) for key in keys)]
        texts.append("\n".join(lines) + end)
    return texts


def told(found, places):
    rows = [
        (
            one.kind,
            one.key,
            *((one.old_row, one.new_row) if places else ()),
            one.old,
            one.new,
            one.cells,
        )
        for one in found.changes()
    ]
    ordered = rows if places else sorted(rows, key=repr)
    return found.by, found.keys, found.columns, found.counts, found.cells, ordered


def result(old, new, how):
    try:
        with diff(old, new, how) as found:
            return told(found, found.by == "key")
    except InvalidError as error:
        return error.message


@given(versions(), st.sampled_from([("id",), ("a",), ()]))
@fixed
def test_as_from_all_rows(always, pair, keys):
    parted = result(*map(opened, pair), How(keys))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(outside, "LEAST", 1 << 40)
        assert parted == result(*map(opened, pair), How(keys))


def table(count, changed=(), added=()):
    rows = [f'{at},"n {at}",{at / 4}' for at in range(count)]
    for at in changed:
        rows[at] = f"{at},changed,{at / 2}"
    return "id,name,v\n" + "\n".join([*rows, *added]) + "\n"


def test_only_what_is_not_shared_is_read(always):
    counters, memos = Counters(), (Memo(), Memo(), Memo())
    versions = (
        table(1000),
        table(1000, [500]),
        table(1000, [500, 700], ["1000,new,0.5"]),
    )
    one, two, three = (
        opened(text, memo=memo, counters=counters)
        for text, memo in zip(versions, memos, strict=True)
    )
    with one.diff(two) as found:
        assert (found.keys, found.counts) == (("id",), (0, 0, 1, 999, 1000, 1000))
        assert [(c.old_row, c.new_row, c.cells) for c in found.changes()] == [
            (500, 500, ("name", "v"))
        ]
        assert counters.rows < 1000 + 50  # the types of a CSV take all values, once a content
    before = counters.rows
    with two.diff(three, ["id"]) as found:
        assert found.counts == (1, 0, 1, 999, 1000, 1001)
        assert counters.rows - before < 50  # and those of the next version follow from them
    assert three.facts.rows == 1001
    assert three.schema.types == one.schema.types
    assert counters.rows - before < 50
    fresh = Table(three.source.__class__("t.csv", len(versions[2]), three.source.open))
    assert (fresh.schema, fresh.facts) == (three.schema, three.facts)


def test_what_is_known_is_not_written_down_again(always, monkeypatch):
    learn, written = CsvReader.learn, []

    def note(self, *told):
        if self.source.memo is not None:
            written.append(self.source.name)
        learn(self, *told)

    monkeypatch.setattr(CsvReader, "learn", note)
    texts, memos = (table(1000), table(1000, [500])), (Memo(), Memo())
    for expected in (2, 0):
        one, two = (opened(text, memo=memo) for text, memo in zip(texts, memos, strict=True))
        with one.diff(two, ["id"]) as found:
            assert found.counts.changed == 1
        assert len(written) == expected
        written.clear()


def test_an_edit_right_behind_the_header_reads_no_more_than_any(always, monkeypatch):
    monkeypatch.setattr(aligned, "LEAST", 64)  # more than the header
    monkeypatch.setattr(aligned, "BLOCK", 256)  # some lines
    counters, text = Counters(), table(1000)
    first = text.replace("\n", "\n-1,first,0.5\n", 1)
    for other, counts in (
        (first, (1, 0, 0, 1000)),
        (text.replace("\n0,", "\n-2,", 1), (1, 1, 0, 999)),
    ):
        one, two = (opened(each, counters=counters) for each in (text, other))
        before = counters.rows
        with one.diff(two, ["id"]) as found:
            assert found.counts[:4] == counts
        assert counters.rows - before < 1000 + 50


@pytest.mark.parametrize(
    ("added", "why"),
    [("7,x,1", "row 1,002, column 'id': the key 7 is that of row 9 as well"), (",x,1", "is null")],
)
def test_a_key_that_a_shared_row_has_is_told(always, added, why):
    old, new = table(1000), table(1000, [500], [added])
    for pair in ((old, new), (new, old)):
        with pytest.raises(InvalidError, match=why):
            diff(*map(opened, pair), How(("id",)))
    twice = table(1000).replace("\n8,", "\n7,")
    with pytest.raises(InvalidError, match="row 10, column 'id': the key 7"):
        diff(opened(twice), opened(twice.replace('"n 900"', "n")), How(("id",)))


def test_a_column_whose_type_changes_is_told(always):
    old = table(1000)
    with diff(opened(old), opened(old.replace("\n500,", "\nx,")), How(("name",))) as found:
        assert found.columns.retyped == (("id", "int64", "string"),)
        assert [c.new["id"] for c in found.changes()] == ["x"]


def test_ranges():
    assert unique.Range(1, 5).apart(6, 9)
    assert not unique.Range(1, 5).apart(5, 9)
    assert not unique.Range(None, None).apart(6, 9)
    assert not unique.Range(1, 5).apart("6", "9")
    assert unique.Range(1, 5).around(0, 9) == (0, 9)
    assert unique.Range(1, 5).around(None, None) == (1, 5)
    assert unique.Range("a", "b").around(1, 2) == (None, None)


@given(st.lists(st.sampled_from([b"a", b"bb", b"ccc"])), st.lists(st.sampled_from([b"a", b"bb"])))
@fixed
def test_what_chunks_tell_is_so(one, two):
    def source(chunks):
        data = b"".join(chunks)
        listed = [(chunk, len(chunk)) for chunk in chunks]
        return Source("t", len(data), lambda: io.BytesIO(data), chunks=lambda: listed)

    old, new = source(one), source(two)
    equal = equal_by(old, new)
    first, second = b"".join(one), b"".join(two)
    for a in range(len(first)):
        for b in range(len(second)):
            size = equal(a, b)
            assert first[a : a + size] == second[b : b + size]
            assert len(first[a : a + size]) == size
    if one and one == two:
        assert equal(0, 0) == len(first)
    assert equal_by(old, Source("t", 0, io.BytesIO))(0, 0) == 0
