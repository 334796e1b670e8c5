"""JSON Lines and JSON arrays with their edits: what no edit touches stays, blanks and all."""

import io
import json
from decimal import Decimal

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from oxcore.errors import InvalidError, NotFoundError, UsageError
from oxcore.tables import Source, Table
from oxcore.tables.rewrite import Edits, Raw, rewrite, rows


def open_table(data):
    return Table(Source("labels", len(data), lambda: io.BytesIO(data)))


def rewritten(data, edits):
    out = io.BytesIO()
    rewrite(open_table(data), edits, out)
    return out.getvalue()


def records(data):
    text = data.decode("utf-8-sig")
    if text.lstrip().startswith("["):
        return json.loads(text)
    return [json.loads(line) for line in text.split("\n") if line.strip()]


NAMES = ["a", "b", "é", "c d"]
VALUE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.sampled_from('ab{}[],:"\\\n é'), max_size=5),
    st.lists(st.integers(0, 9), max_size=2),
    st.dictionaries(st.sampled_from(["x", "y"]), st.integers(0, 9), max_size=2),
)
RECORD = st.dictionaries(st.sampled_from(NAMES), VALUE, max_size=4)
BLANK = st.sampled_from(["", " ", "  ", "\t"])


@st.composite
def texts(draw, record, blank):
    """A record as somebody might write it."""
    parts = []
    for name, value in record.items():
        key = json.dumps(name, ensure_ascii=draw(st.booleans()))
        parts.append(
            f"{draw(blank)}{key}{draw(blank)}:{draw(blank)}{json.dumps(value)}{draw(blank)}"
        )
    return "{" + (",".join(parts) or draw(blank)) + "}"


@st.composite
def line_files(draw):
    table = draw(st.lists(RECORD, min_size=1, max_size=6))
    assume(any(table))
    lines = []
    for record in table:
        if draw(st.integers(0, 9)) == 0:
            lines.append(draw(BLANK) + "\n")
        end = draw(st.sampled_from(["\n", "\r\n"]))
        lines.append(draw(BLANK) + draw(texts(record, BLANK)) + draw(BLANK) + end)
    if draw(st.booleans()):
        lines[-1] = lines[-1].rstrip("\r\n")
    return ("\ufeff" if draw(st.booleans()) else "") + "".join(lines)


@st.composite
def array_files(draw):
    wide = st.sampled_from(["", " ", "\n  ", "\r\n\t"])
    table = draw(st.lists(RECORD, min_size=1, max_size=6))
    assume(any(table))
    parts = [draw(wide) + draw(texts(record, wide)) + draw(wide) for record in table]
    return f"{draw(wide)}[{','.join(parts)}]{draw(wide)}"


FILES = st.one_of(line_files(), array_files())


@given(FILES, st.sampled_from([2, 7, 1 << 20]))
@settings(max_examples=200, deadline=None)
def test_without_edits_nothing_changes(text, size):
    data = text.encode()
    assert rewritten(data, Edits()) == data
    name = open_table(data).schema.names[0]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows, "BLOCK", size)
        assert rewritten(data, Edits(renamed={name: name})) == data
        assert rewritten(data, Edits({0: {}})) == data


@given(FILES, st.data(), st.sampled_from([2, 7, 1 << 20]))
@settings(max_examples=150, deadline=None)
def test_edits_are_those_of_a_model(text, data, size):
    before = text.encode()
    table = records(before)
    names = open_table(before).schema.names
    places = st.integers(0, len(table) - 1)
    row = st.dictionaries(st.sampled_from(names), VALUE.filter(lambda v: not isinstance(v, str)))
    cells = data.draw(st.dictionaries(places, row, max_size=3))
    deleted = data.draw(st.sets(places, max_size=3))
    inserted = data.draw(st.lists(st.tuples(st.integers(0, len(table)), row), max_size=3))
    dropped = data.draw(st.sets(st.sampled_from(names), max_size=1)) if len(names) > 1 else set()
    added = data.draw(st.dictionaries(st.just("new"), VALUE, max_size=1))
    renamed = {one: "z" for one in names[:1] if one not in dropped and data.draw(st.booleans())}
    cells, inserted = (
        {at: {k: v for k, v in new.items() if k not in dropped} for at, new in cells.items()},
        [(at, {k: v for k, v in new.items() if k not in dropped}) for at, new in inserted],
    )
    edits = Edits(
        cells, deleted, inserted, renamed, [(k, None, v) for k, v in added.items()], dropped
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows, "BLOCK", size)
        after = records(rewritten(before, edits))
    wanted = []
    for at in range(len(table) + 1):
        wanted += [{**new, **added} for place, new in inserted if place == at]
        if at < len(table) and at not in deleted:
            kept = {k: v for k, v in table[at].items() if k not in dropped}
            wanted.append({**kept, **cells.get(at, {}), **added})
    wanted = [{renamed.get(k, k): v for k, v in one.items()} for one in wanted]
    assert [{k: v for k, v in one.items() if v is not None} for one in after] == [
        {k: v for k, v in one.items() if v is not None} for one in wanted
    ]
    if not (renamed or dropped or added):
        kept = [text for at, text in enumerate(table) if at not in deleted and at not in cells]
        assert len(kept) <= len(after)


def test_only_the_value_changes():
    data = b'{"id": 1, "x": [1, 2],  "n":"\\u00e9"}\n\n { "id" :2, "x":[]}\r\n{"id": 3}'
    assert rewritten(data, Edits({0: {"x": {"y": [1, None]}}, 1: {"n": "é"}, 2: {"id": None}})) == (
        b'{"id": 1, "x": {"y": [1, null]},  "n":"\\u00e9"}\n\n'
        b' { "id" :2, "x":[], "n":"\\u00e9"}\r\n{"id": null}'
    )
    assert rewritten(data, Edits(deleted=[2], inserted=[(3, {"x": 1.5, "id": 4})])) == (
        b'{"id": 1, "x": [1, 2],  "n":"\\u00e9"}\n\n { "id" :2, "x":[]}\r\n{"id": 4, "x": 1.5}'
    )


def test_an_array_keeps_its_blanks():
    data = b'[\n  {\n    "id": 1,\n    "x": 2\n  },\n  {"id": 2, "x": 3}\n]\n'
    assert rewritten(data, Edits({0: {"x": Raw("2.50")}}, [1], [(2, {"id": 3})])) == (
        b'[\n  {\n    "id": 1,\n    "x": 2.50\n  },\n  {\n    "id": 3,\n    "x": null\n  }\n]\n'
    )
    assert rewritten(data, Edits(deleted=[0, 1])) == b"[\n]\n"
    assert rewritten(data, Edits(dropped=["x"])) == (b'[\n  {\n    "id": 1\n  },\n  {"id": 2}\n]\n')
    assert rewritten(b'[{"a":1}]', Edits(inserted=[(0, {"a": 0}), (1, {"a": 2})])) == (
        b'[{"a":0},{"a":1},{"a":2}]'
    )


def test_values_of_columns_that_json_does_not_have_come_back():
    data = b'{"big": 99999999999999999999, "any": 1, "deep": [{"any": 1}]}\n'
    data += b'{"big": 1, "any": "1", "deep": [{"any": "x"}]}\n'
    rows = open_table(data).to_arrow().to_pylist()
    assert rows[1] == {"big": Decimal(1), "any": '"1"', "deep": [{"any": '"x"'}]}
    cells = {0: rows[1], 1: rows[0]}
    first, second = data.splitlines(keepends=True)
    assert rewritten(data, Edits(cells)) == second + first


@pytest.mark.parametrize(
    ("edits", "kind", "told"),
    [
        (Edits({0: {"c": 1}}), NotFoundError, "no column is called 'c'"),
        (Edits({0: {"a": Raw("{")}}), UsageError, "'{' is no JSON"),
        (Edits({0: {"a": object()}}), InvalidError, "labels, row 1, column 'a': a object is"),
        (Edits({0: {"a": ["\ud800"]}}), InvalidError, "labels, row 1, column 'a': half of"),
        (Edits({7: {"a": 1}}), UsageError, "there is no row 7: the table has 1, from 0 on"),
    ],
)
@pytest.mark.parametrize("data", [b'{"a": 1}\n', b'[{"a": 1}]'])
def test_edits_that_make_no_sense(data, edits, kind, told):
    with pytest.raises(kind) as caught:
        rewritten(data, edits)
    assert told in caught.value.message
