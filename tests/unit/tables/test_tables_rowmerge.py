"""Tables merged by their rows: against a model of plain dictionaries, and the laws of a merge."""

import csv
import io
import json
import math

from hypothesis import given, settings
from hypothesis import strategies as st

from oxcore.tables import Source, Table
from oxcore.tables.rewrite import rewrite
from oxcore.tables.rowmerge import Decision, Settled, decode, encode, merge

some = settings(max_examples=12, deadline=None)
COLUMNS = ("label", "n", "note")
words = st.sampled_from([None, "cat", "dog", "a,b", 'say "hi"', "", "ü\n2", " x", "7"])
numbers = st.sampled_from([None, 0, 1, -7, 2**53 + 1, 10**20])
reals = st.sampled_from([None, 0.5, 1.0, math.nan, 1e300])
ROW = st.fixed_dictionaries({"label": words, "n": numbers, "note": reals})
keys = st.integers(1, 9)
tables = st.dictionaries(keys, ROW, min_size=1, max_size=7)
FORMATS = ("csv", "jsonl", "json")


@st.composite
def forks(draw):
    """A base and two versions of it: rows by key, in order; a few cells, rows changed on each."""
    base = draw(tables)
    return base, draw(_edited(base)), draw(_edited(base))


@st.composite
def _edited(draw, base):
    made = {key: dict(row) for key, row in base.items()}
    for key in draw(st.lists(st.sampled_from(sorted(made)), max_size=3)):
        column = draw(st.sampled_from(COLUMNS))
        made[key][column] = draw({"label": words, "n": numbers, "note": reals}[column])
    for key in draw(st.lists(st.sampled_from(sorted(made)), max_size=2, unique=True)):
        if len(made) > 1:
            del made[key]
    items = list(made.items())
    for key, row in draw(st.lists(st.tuples(st.integers(10, 13), ROW), max_size=2)):
        if key not in dict(items):
            items.insert(draw(st.integers(0, len(items))), (key, row))
    return dict(items)


# -- writing and reading


def table_of(rows, form="csv", columns=COLUMNS):
    data = text_of(rows, form, columns).encode()
    return Table(Source(f"labels.{form}", len(data), lambda: io.BytesIO(data)))


def text_of(rows, form="csv", columns=COLUMNS):
    if form == "csv":
        lines = [",".join(["id", *columns])]
        lines += [",".join([str(k), *(_field(row[c]) for c in columns)]) for k, row in rows.items()]
        return "".join(f"{line}\n" for line in lines)
    records = [json.dumps({"id": k} | {c: row[c] for c in columns}) for k, row in rows.items()]
    if form == "json":
        return "[\n  " + ",\n  ".join(records) + "\n]\n"
    return "".join(f"{record}\n" for record in records)


def _field(value):
    if value is None:
        return ""
    text = value if isinstance(value, str) else repr(value).replace("nan", "NaN")
    plain = isinstance(value, float | int) or not (
        text in {"", "7"} or any(mark in text for mark in ' ,"\n')
    )
    return text if plain else '"' + text.replace('"', '""') + '"'


def merged(base, ours, theirs, form="csv"):
    """The merge, and the bytes that come of it."""
    three = [None if rows is None else table_of(rows, form) for rows in (base, ours, theirs)]
    found = merge(*three, ("id",))
    out = io.BytesIO()
    rewrite(three[1], found.edits, out)
    return found, out.getvalue().decode()


def read(text, form="csv"):
    """Rows by key, as the formats of the standard library read them."""
    if form == "csv":
        return {row["id"]: row for row in csv.DictReader(io.StringIO(text, newline=""))}
    records = json.loads(text) if form == "json" else map(json.loads, text.splitlines())
    return {str(one["id"]): one for one in records}


def same(left, right):
    if isinstance(left, float) and isinstance(right, float) and math.isnan(left):
        return math.isnan(right)
    return left == right


# -- the model


def model(base, ours, theirs):
    """Merged rows by key, and the conflicts: (key, column), column None for a row."""
    made, conflicts = {}, set()
    for key in {**ours, **theirs}:
        old, left, right = base.get(key), ours.get(key), theirs.get(key)
        if left is None or right is None:
            kept = left or right
            if old is None:
                made[key] = kept
            elif any(not same(old[c], kept[c]) for c in COLUMNS):
                conflicts.add((key, None))
                if left is not None:
                    made[key] = left
            continue
        made[key] = row = {}
        for column in COLUMNS:
            a, b = left[column], right[column]
            first = a if old is None else old[column]
            if old is None:
                clash, value = not same(a, b), a
            else:
                clash = not (same(a, b) or same(a, first) or same(b, first))
                value = b if same(a, first) else a
            row[column] = value
            if clash:
                row[column] = a
                conflicts.add((key, column))
    return made, conflicts


def names_of(found):
    return {(one.key["id"], one.column) for one in found.conflicts()}


@some
@given(st.sampled_from(FORMATS), forks())
def test_rows_and_cells_merge_as_dictionaries_do(form, fork):
    found, text = merged(*fork, form)
    rows, conflicts = model(*fork)
    assert names_of(found) == conflicts
    assert found.left == len(conflicts) == len(list(found.conflicts()))
    assert _rows(text, form) == _rows(text_of(rows, form), form)
    assert list(map(decode, map(encode, found.conflicts()))) == list(found.conflicts())


@some
@given(st.sampled_from(FORMATS), forks())
def test_what_both_sides_added_merges_as_dictionaries_do(form, fork):
    _, ours, theirs = fork
    if not (ours and theirs):
        return
    found, text = merged(None, ours, theirs, form)
    rows, conflicts = model({}, ours, theirs)
    assert names_of(found) == conflicts
    assert all(one.base is None for one in found.conflicts())
    assert _rows(text, form) == _rows(text_of(rows, form), form)


def _rows(text, form):
    """Rows by key with every value as text, since not a number is never equal to itself."""
    return {key: {c: repr(v) for c, v in row.items()} for key, row in read(text, form).items()}


@some
@given(forks())
def test_the_other_way_round_only_the_sides_change(fork):
    base, ours, theirs = fork
    left, one = merged(base, ours, theirs)
    right, two = merged(base, theirs, ours)
    assert {(str(c.key), c.column, str(c.ours), str(c.theirs)) for c in left.conflicts()} == {
        (str(c.key), c.column, str(c.theirs), str(c.ours)) for c in right.conflicts()
    }
    if not left.left:
        assert _rows(one, "csv") == _rows(two, "csv")


@some
@given(st.sampled_from(FORMATS), forks())
def test_one_side_alone_and_both_sides_alike(form, fork):
    base, other, _ = fork
    for three in ((base, other, base), (base, base, other), (base, other, other)):
        found, text = merged(*three, form)
        assert found.left == 0
        assert _rows(text, form) == _rows(text_of(other, form), form)
        if form != "csv" or three[1] is other:
            assert list(read(text, form)) == list(map(str, other))
    assert merged(base, other, base, form)[1] == text_of(other, form)


@some
@given(tables, st.data())
def test_edits_that_do_not_meet_are_both_made(base, data):
    chosen = data.draw(st.lists(st.sampled_from(sorted(base)), unique=True))
    ours, theirs, both = ({k: dict(v) for k, v in base.items()} for _ in range(3))
    for place, key in enumerate(chosen):
        column = COLUMNS[place % 3]
        value = data.draw({"label": words, "n": numbers, "note": reals}[column])
        for side in ((ours, theirs)[place % 2], both):
            side[key][column] = value
    found, text = merged(base, ours, theirs)
    assert found.left == 0
    assert _rows(text, "csv") == _rows(text_of(both), "csv")


@some
@given(forks())
def test_rows_that_nobody_touched_keep_their_bytes(fork):
    base, ours, theirs = fork
    rough = text_of(ours).replace("\n", "\r\n").replace("ü\r\n2", "ü\n2").removesuffix("\r\n")
    table = Table(Source("o.csv", len(rough.encode()), lambda: io.BytesIO(rough.encode())))
    found = merge(table_of(base), table, table_of(theirs), ("id",))
    out = io.BytesIO()
    rewrite(table, found.edits, out)
    touched = {key for key in ours if not _alike(base.get(key), theirs.get(key))}
    for key, row in ours.items():
        if key not in touched:
            line = text_of({key: row}).split("\n", 1)[1].removesuffix("\n")
            assert line in out.getvalue().decode()


def _alike(left, right):
    return left is right or (
        left is not None and right is not None and all(same(left[c], right[c]) for c in COLUMNS)
    )


@some
@given(st.sampled_from(FORMATS), forks(), st.data())
def test_settling_everything_gives_the_side(form, fork, data):
    """Settled with theirs, in as many steps as you like, each open place is as theirs has it."""
    base, ours, theirs = fork
    found, text = merged(base, ours, theirs, form)
    expected, conflicts = model(base, ours, theirs)
    left = list(found.conflicts())
    while left:
        now = data.draw(st.sets(st.sampled_from(range(len(left))), min_size=1))
        sides = [Decision("theirs") if at in now else None for at in range(len(left))]
        made = Settled(lambda left=left, sides=sides: zip(left, sides, strict=True))
        bytes_now = text.encode()
        table = Table(Source(f"m.{form}", len(bytes_now), lambda b=bytes_now: io.BytesIO(b)))
        out = io.BytesIO()
        rewrite(table, made.edits(table, table_of(theirs, form), ("id",), {}), out)
        text, left = out.getvalue().decode(), list(made.left())
        assert (made.done, made.open) == (len(now), len(left))
        if not read(text, form):
            return
    for key, column in conflicts:
        if column is not None:
            expected[key][column] = theirs[key][column]
        elif key in theirs:
            expected[key] = theirs[key]
        else:
            del expected[key]
    assert _rows(text, form) == _rows(text_of(expected, form), form)


# -- columns that come and go

SIDE = st.fixed_dictionaries(
    {
        "dropped": st.sets(st.sampled_from(COLUMNS), max_size=1),
        "added": st.dictionaries(
            st.sampled_from(["mine", "both"]),
            st.dictionaries(st.sampled_from([*range(1, 14)]), st.sampled_from(["p", "q"])),
            max_size=2,
        ),
    }
)


@some
@given(forks(), SIDE, SIDE)
def test_columns_that_come_and_go_on_both_sides(fork, here, there):
    base, ours, theirs = fork
    there = {
        **there,
        "added": {f"{c}2" if c == "mine" else c: v for c, v in there["added"].items()},
    }
    sides = [_with_columns(rows, one) for rows, one in ((ours, here), (theirs, there))]
    tables = [table_of(base), *(table_of(rows, "csv", columns) for rows, columns in sides)]
    found = merge(*tables, ("id",))
    out = io.BytesIO()
    rewrite(tables[1], found.edits, out)
    expected, columns, open_columns = _model_of_columns(base, sides)
    assert {one.column for one in found.conflicts() if not one.key} == open_columns
    got = _rows(out.getvalue().decode(), "csv")
    assert set(next(iter(got.values()), ["id", *columns])) == {"id", *columns}
    cells = {(one.key["id"], one.column) for one in found.conflicts() if one.key}
    for key, row in expected.items():
        wanted = _rows(text_of({key: row}, "csv", columns), "csv")[str(key)]
        for column in columns:
            if not {(key, column), (key, None)} & cells:
                assert got[str(key)][column] == wanted[column], (key, column)


def _with_columns(rows, side):
    """Rows with their columns, some gone and some new."""
    columns = [c for c in COLUMNS if c not in side["dropped"]] + sorted(side["added"])
    made = {
        key: {c: row[c] if c in COLUMNS else side["added"][c].get(key) for c in columns}
        for key, row in rows.items()
    }
    return made, columns


def _model_of_columns(base, sides):
    """Rows of the merge, its columns, and the columns in conflict; values of cells in conflict
    are whatever they are."""
    (ours, mine), (theirs, hers) = sides
    columns, asked = [], set()
    for column in [*mine, *(c for c in [*COLUMNS, *hers] if c not in mine)]:
        edited = [
            any(not same(base[k][column], rows[k][column]) for k in rows if k in base)
            for rows, names in sides
            if column in COLUMNS and column in names
        ]
        one_sided = column in COLUMNS and (column in mine) != (column in hers)
        if one_sided and any(edited):
            asked.add(column)
        if (column in mine and not (one_sided and not any(edited))) or (
            column in hers and column not in COLUMNS
        ):
            columns.append(column)
    rows = {}
    for key in {**ours, **theirs}:
        old, left, right = base.get(key), ours.get(key), theirs.get(key)
        if None in (left, right) and old is not None:
            continue  # gone, or a conflict of the row
        rows[key] = {}
        for column in columns:
            known = [side.get(column) for side in (left, right) if side and column in side]
            first = None if old is None else old.get(column)
            changed = [value for value in known if not same(value, first)]
            rows[key][column] = changed[0] if changed else first
    return rows, columns, asked
