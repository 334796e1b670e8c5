"""Merging by rows where columns come, go and are renamed; keys; types; what is not merged."""

import io
from decimal import Decimal

import pyarrow as pa
import pytest
from pyarrow import ipc, parquet

from oxcore.errors import InvalidError, NotFoundError, UsageError
from oxcore.tables import Source, Table
from oxcore.tables.rewrite import rewrite
from oxcore.tables.rowmerge import CellConflict, Decision, Settled, cell_name, common_key, merge
from oxcore.tables.rowmerge.decisions import Decisions, Given

BASE = "id,a,b\n1,x,7\n2,y,8\n3,z,9\n"


def table_of(data, name="labels.csv"):
    data = data.encode() if isinstance(data, str) else data
    return Table(Source(name, len(data), lambda: io.BytesIO(data)))


def merged(base, ours, theirs, name="labels.csv", keys=("id",)):
    """What is left open, and the text that comes of it."""
    three = [table_of(text, name) for text in (base, ours, theirs)]
    found = merge(*three, keys)
    assert found.left == len(list(found.conflicts()))
    return found, written(three[1], found.edits)


def written(table, edits):
    out = io.BytesIO()
    rewrite(table, edits, out)
    return out.getvalue().decode()


def settled(found, text, theirs, side="theirs"):
    """The table after all that is open was settled with a side."""
    table = table_of(text)
    made = Settled(lambda: [(one, Decision(side)) for one in found.conflicts()])
    edits = made.edits(table, table_of(theirs), found.keys, found.called)
    return written(table, edits)


def test_columns_come_from_both_sides():
    ours = "id,a,b,mine\n1,x,7,m1\n2,y,8,m2\n3,z,9,m3\n"
    theirs = "id,new,a,b\n1,n1,x,7\n2,,y,80\n3,n3,z,9\n4,n4,w,1\n"
    found, text = merged(BASE, ours, theirs)
    assert found.left == 0
    assert text == "id,a,b,mine,new\n1,x,7,m1,n1\n2,y,80,m2,\n3,z,9,m3,n3\n4,w,1,,n4\n"


def test_a_column_that_both_added_is_null_in_the_base():
    ours = "id,a,b,c\n1,x,7,1\n2,y,8,\n3,z,9,3\n"
    theirs = "id,a,b,c\n1,x,7,1\n2,y,8,2\n3,z,9,4\n"
    found, text = merged(BASE, ours, theirs)
    [one] = found.conflicts()
    assert (one.key, one.column, one.base, one.ours, one.theirs) == ({"id": 3}, "c", None, 3, 4)
    assert text == "id,a,b,c\n1,x,7,1\n2,y,8,2\n3,z,9,3\n"
    assert settled(found, text, theirs).endswith("3,z,9,4\n")


def test_columns_of_a_table_that_both_sides_added():
    ours, theirs = "id,a,mine\n1,x,m\n2,y,n\n", "id,new,a\n2,q,y\n3,r,z\n"
    found = merge(None, table_of(ours), table_of(theirs), ("id",))
    assert (found.left, found.inserted) == (0, 1)
    assert written(table_of(ours), found.edits) == "id,a,mine,new\n1,x,m,\n2,y,n,q\n3,z,,r\n"
    for name, side in (("mine", "theirs"), ("new", "ours"), ("neither", "ours")):
        with pytest.raises(InvalidError, match=f"the key column {name!r} is not in {side}"):
            merge(None, table_of(ours), table_of(theirs), (name,))


def test_a_conflict_tells_values_as_they_were_compared():
    base = 'id,a\n1,0\n2,""\n'  # "" makes it a column of text, and 1 another text than 1.0
    found = merge(*map(table_of, (base, 'id,a\n1,1.0\n2,""\n', "id,a\n1,1\n2,5.5\n")), ("id",))
    [one] = found.conflicts()
    assert (one.base, one.ours, one.theirs) == ("0", "1.0", "1")


def test_parquet_that_both_sides_added_needs_the_same_types():
    ours, theirs = io.BytesIO(), io.BytesIO()
    parquet.write_table(pa.table({"id": [1, 2], "v": ["a", "b"]}), ours)
    parquet.write_table(pa.table({"id": [2, 3], "v": ["c", None]}), theirs)
    one, two = (table_of(each.getvalue(), "t.parquet") for each in (ours, theirs))
    found = merge(None, one, two, ("id",))
    assert [(c.key, c.column, c.ours, c.theirs) for c in found.conflicts()] == [
        ({"id": 2}, "v", "b", "c")
    ]
    out = io.BytesIO()
    rewrite(one, found.edits, out)
    assert parquet.read_table(out).to_pylist() == [
        {"id": 1, "v": "a"},
        {"id": 2, "v": "b"},
        {"id": 3, "v": None},
    ]
    parquet.write_table(pa.table({"id": [2, 3], "v": [1, 2]}), theirs := io.BytesIO())
    with pytest.raises(InvalidError, match="column 'v' has several types: string, int64"):
        merge(None, one, table_of(theirs.getvalue(), "t.parquet"), ("id",))


@pytest.mark.parametrize("renamed", ["id,A,b\n1,x,7\n2,y,8\n3,z,9\n"])
def test_a_column_renamed_on_one_side_and_edited_on_the_other(renamed):
    edited = "id,a,b\n1,x,7\n2,yy,8\n3,z,9\n4,n,1\n"
    both = "id,A,b\n1,x,7\n2,yy,8\n3,z,9\n4,n,1\n"
    for ours, theirs in ((renamed, edited), (edited, renamed)):
        found, text = merged(BASE, ours, theirs)
        assert (found.left, text) == (0, both)


def test_a_cell_of_a_renamed_column_is_settled_under_its_new_name():
    ours = "id,A,b\n1,x,7\n2,ours,8\n3,z,9\n"
    ours_first = "id,A,b\n1,x,7\n2,y,8\n3,z,9\n"
    theirs = "id,a,b\n1,x,7\n2,theirs,8\n3,z,9\n"
    found, text = merged(BASE, ours_first, theirs)
    assert (found.left, found.called) == (0, {"A": "a"})
    assert "2,theirs,8" in text
    found, text = merged(BASE, ours, theirs)  # edited too: not the same column for sure
    kinds = [(one.kind, one.column) for one in found.conflicts()]
    assert kinds == [("dropped", "a")]
    assert settled(found, text, theirs) == "id,A,b,a\n1,x,7,x\n2,ours,8,theirs\n3,z,9,z\n"
    assert settled(found, text, theirs, "ours") == text == ours


def test_a_column_that_both_sides_renamed():
    found, text = merged(BASE, BASE.replace("a,b", "mine,b"), BASE.replace("a,b", "hers,b"))
    [one] = found.conflicts()
    assert (one.kind, one.key, one.base, one.ours, one.theirs) == (
        "renamed",
        {},
        "a",
        "mine",
        "hers",
    )
    assert text.startswith("id,mine,b\n")
    assert settled(found, text, BASE.replace("a,b", "hers,b")) == BASE.replace("a,b", "hers,b")
    same = BASE.replace("a,b", "same,b")
    assert merged(BASE, same, same)[1] == same


def test_a_column_dropped_on_one_side_and_edited_on_the_other():
    dropped, edited = "id,b\n1,7\n2,8\n3,9\n", BASE.replace("2,y", "2,yy")
    assert merged(BASE, dropped, BASE)[1] == dropped
    assert merged(BASE, BASE, dropped)[1] == dropped
    assert merged(BASE, dropped, dropped)[1] == dropped
    found, text = merged(BASE, dropped, edited)
    [one] = found.conflicts()
    assert (one.kind, one.column, one.base, one.ours, one.theirs) == (
        "dropped",
        "a",
        "a",
        None,
        "a",
    )
    assert text == dropped
    assert settled(found, text, edited) == "id,b,a\n1,7,x\n2,8,yy\n3,9,z\n"
    found, text = merged(BASE, edited, dropped)
    assert [(one.ours, one.theirs) for one in found.conflicts()] == [("a", None)]
    assert text == edited
    assert settled(found, text, dropped) == dropped


def test_a_row_deleted_here_comes_back_where_it_was():
    ours, theirs = "id,a,b\n1,x,7\n3,z,9\n", BASE.replace("2,y", "2,changed")
    found, text = merged(BASE, ours, theirs)
    [one] = found.conflicts()
    assert (one.kind, one.column, one.ours) == ("deleted", None, None)
    assert one.theirs == {"id": 2, "a": "changed", "b": 8}
    assert text == ours
    assert settled(found, text, theirs) == theirs
    found, text = merged(BASE, theirs, ours)
    assert settled(found, text, ours) == ours


def test_an_odd_cell_changes_the_type_of_a_column_and_no_other_cell():
    found, text = merged(BASE, BASE.replace("1,x,7", "1,x,70"), BASE.replace("3,z,9", "3,z,n/a"))
    assert found.left == 0
    assert text == "id,a,b\n1,x,70\n2,y,8\n3,z,n/a\n"
    found, text = merged(BASE, BASE.replace("1,x,7", "1,x,70"), BASE.replace("3,z,9", "3,z,9.5"))
    assert (found.left, text) == (0, "id,a,b\n1,x,70\n2,y,8\n3,z,9.5\n")


def test_theirs_text_is_carried_over_as_it_stands():
    _, text = merged(
        "id,x\n1,1.5\n2,007\n", "id,x\n1,1.5\n2,007\n3,a\n", 'id,x\n1,2.50\n2,0070\n4,""\n'
    )
    assert text == 'id,x\n1,2.50\n2,0070\n4,""\n3,a\n'
    lines = ['{"id": 1, "x": 1.5}\n', '{"id": 1, "x": 1.5, "y": 1}\n', '{"id": 1, "x": 2.50}\n']
    new = '{"id": 2,   "x": "\\u00e9", "z": {"b": 1e2}}\n'
    assert merged(lines[0], lines[1], lines[2] + new, "l.jsonl")[1] == (
        '{"id": 1, "x": 2.50, "y": 1}\n{"id": 2, "x": "\\u00e9", "y": null, "z": {"b": 1e2}}\n'
    )


def test_where_new_rows_go():
    theirs = "id,a,b\n0,0,0\n1,x,7\n5,5,5\n6,6,6\n2,y,8\n3,z,9\n7,7,7\n"
    assert merged(BASE, BASE, theirs)[1] == theirs
    ours = "id,a,b\n3,z,9\n1,x,70\n"  # another order, and without the row before 5 and 6... after 1
    assert merged(BASE, ours, theirs)[1] == ("id,a,b\n0,0,0\n3,z,9\n7,7,7\n1,x,70\n5,5,5\n6,6,6\n")


# -- keys


def test_several_key_columns_and_texts_as_keys():
    base = "photo,box,label\na.png,1,cat\na.png,2,dog\nb.png,1,cow\n"
    ours, theirs = base.replace("dog", "fox"), base.replace("cow", "ox").replace("dog", "hog")
    found, text = merged(base, ours, theirs, keys=("photo", "box"))
    [one] = found.conflicts()
    assert one.key == {"photo": "a.png", "box": 2}
    assert cell_name(one) == 'photo="a.png",box=2.label'
    assert text == base.replace("dog", "fox").replace("cow", "ox")


def test_a_key_is_found_where_all_versions_have_it():
    assert common_key(*[table_of(BASE)] * 3) == ("id",)
    doubled = BASE + "3,q,1\n"
    assert common_key(table_of(BASE), table_of(doubled), table_of(BASE)) == ("a",)
    named = "label,photo_id\nx,2\ny,1\n"
    assert common_key(*[table_of(named)] * 3) == ("photo_id",)
    apart = [table_of(text) for text in ("a,b\n1,1\n2,1\n", "a,b\n1,1\n1,2\n", named)]
    assert common_key(*apart) == common_key(apart[0], apart[1], apart[1]) == ()
    floats = "x\n0.5\n0.7\n"
    assert common_key(*[table_of(floats)] * 3) == ()


def test_a_found_key_that_both_sides_may_have_changed_is_not_trusted():
    three = [
        table_of(BASE),
        table_of(BASE.replace("2,y", "20,y")),
        table_of(BASE.replace("2,y", "21,y")),
    ]
    with pytest.raises(InvalidError, match="both sides changed which id there are"):
        merge(*three, ("id",), found=True)
    assert merge(*three, ("id",)).inserted == 1
    assert merge(three[0], three[1], three[0], ("id",), found=True).left == 0


@pytest.mark.parametrize(
    ("texts", "why"),
    [
        ((BASE, BASE + "2,q,1\n", BASE), "the key id 2 comes twice in ours, row 4"),
        ((BASE, BASE, BASE + ",q,1\n"), "the key id is null in theirs, row 4"),
        ((BASE, BASE, BASE.replace("id", "ident")), "the key column 'id' is not in theirs"),
        ((BASE, '{"id": 1}\n', BASE), "the formats differ: csv, jsonl"),
        ((BASE, BASE, BASE + "4,q\n"), "row 5"),
    ],
)
def test_what_is_not_merged_says_why(texts, why):
    with pytest.raises(InvalidError) as error:
        merge(*(table_of(t, "l.jsonl" if t.startswith("{") else "l.csv") for t in texts), ("id",))
    assert why in error.value.message


# -- formats that say their types

NESTED = pa.struct([("a", pa.list_(pa.int8())), ("b", pa.string())])
TYPES = {
    "zoned": (pa.timestamp("ns", "Europe/Berlin"), [1, 2, 3], [1, 2 + 10**9, 3]),
    "decimal": (pa.decimal128(30, 5), [Decimal("1.5"), None, 2], [Decimal("1.5"), 7, None]),
    "wide": (pa.decimal256(60, 0), [10**50, None, 2], [10**50 + 1, None, 2]),
    "nested": (NESTED, [{"a": [1], "b": "x"}, None, None], [{"a": [1, None]}, None, {"b": ""}]),
    "float": (pa.float32(), [0.1, float("nan"), None], [0.1, float("nan"), 0.2]),
    "bytes": (pa.binary(), [b"\0", b"", None], [b"\0\1", b"", None]),
    "unsigned": (pa.uint64(), [2**64 - 1, 0, None], [2**64 - 2, 0, None]),
    "list": (pa.list_(pa.float64()), [[0.5], [], None], [[float("nan")], [], [1.0]]),
    "duration": (pa.duration("ns"), [1, None, 3], [1, 2, 3]),
    "dictionary": (pa.dictionary(pa.int8(), pa.string()), ["x", "y", None], ["x", "x", None]),
}


@pytest.mark.parametrize("form", ["parquet", "arrow"])
@pytest.mark.parametrize("name", TYPES)
def test_values_of_every_type_are_taken_over(form, name):
    type_, old, new = TYPES[name]
    base, theirs = (pa.table({"id": [1, 2, 3], "x": _array(v, type_)}) for v in (old, new))
    ours = base.append_column("y", pa.array([1, 2, 3]))
    added = pa.concat_tables([theirs, theirs.slice(0, 1).set_column(0, "id", pa.array([9]))])
    three = [table_of(_bytes(one, form), f"t.{form}") for one in (base, ours, added)]
    found = merge(*three, ("id",))
    assert found.left == 0
    out = io.BytesIO()
    rewrite(three[1], found.edits, out)
    result = table_of(out.getvalue(), f"t.{form}").to_arrow()
    assert result.schema.types == ours.schema.types
    assert _said(result["x"]) == _said(added["x"])
    assert result["y"].to_pylist() == [1, 2, 3, None]


def _said(column):
    moments = pa.types.is_timestamp(column.type) or pa.types.is_duration(column.type)
    return str((column.cast(pa.int64()) if moments else column).to_pylist())


def _array(values, type_):
    if pa.types.is_dictionary(type_):
        return pa.array(values, type_.value_type).cast(type_)
    plain = pa.int64() if pa.types.is_timestamp(type_) or pa.types.is_duration(type_) else type_
    return pa.array(values, plain).cast(type_)


def _bytes(table, form):
    out = io.BytesIO()
    if form == "parquet":
        parquet.write_table(table, out)
    else:
        with ipc.new_file(out, table.schema) as writer:
            writer.write_table(table)
    return out.getvalue()


@pytest.mark.parametrize(
    ("types", "why"),
    [
        ((pa.int64(), pa.int64(), pa.float64()), "column 'x' has several types: int64, double"),
        ((pa.month_day_nano_interval(),) * 3, "cannot be compared"),
    ],
)
def test_types_that_do_not_go_together(types, why):
    tables = [pa.table({"id": [1], "x": pa.nulls(1, type_)}) for type_ in types]
    three = [table_of(_bytes(one, "arrow"), "t.arrow") for one in tables]
    with pytest.raises(InvalidError, match=why):
        merge(*three, ("id",))


# -- decisions


def cell(key, column, kind="cell"):
    return CellConflict(key, column, "a", "b", "c", kind, 0, 0)


def test_a_name_that_fits_two_cells_needs_quotes():
    open_cells = [cell({"id": "a"}, "b"), cell({"id": "a"}, "b=c"), cell({"id": "a.b"}, "c")]
    with pytest.raises(UsageError, match="fits several") as error:
        Decisions(["a.b=c=1"]).match(open_cells)
    assert error.value.items == ("a.b", 'a."b=c"')
    assert Decisions(['a."b=c"=1']).match(open_cells) == {1: Decision("value", "1")}
    assert Decisions(['"a"."b"=c=1']).match(open_cells) == {0: Decision("value", "c=1")}
    assert Decisions(['"a.b".c=x.y=z']).match(open_cells) == {2: Decision("value", "x.y=z")}
    assert Decisions(["a.b.c="]).match(open_cells) == {2: Decision("value", "")}
    for wrong in ("a.q=1", "b.b=1"):
        with pytest.raises(NotFoundError):
            Decisions([wrong]).match(open_cells)
    with pytest.raises(UsageError):
        Decisions(["a.b"])


def test_decisions_with_key_column_and_value_apart():
    open_cells = [cell({"id": 4, "f": 3}, "x"), cell({"id": 4, "f": 3}, None, "deleted")]
    for key in ("id=4,f=3", (4, 3), {"id": 4, "f": 3}, '"id"="4","f"="3"'):
        assert Decisions([Given(key, "x", 7)]).match(open_cells[:1]) == {0: Decision("value", 7)}
    assert Decisions(["id=4,f=3=theirs"]).match(open_cells) == {1: Decision("theirs")}
    with pytest.raises(UsageError, match="say ours or theirs"):
        Decisions(["id=4,f=3=7"]).match(open_cells)
    one = [cell({"id": "img.1"}, "x")]
    assert Decisions([Given("img.1", "x", None)]).match(one) == {0: Decision("value", None)}
