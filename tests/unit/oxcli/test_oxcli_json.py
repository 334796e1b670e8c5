"""JSON for programs."""

import io
import json as standard
from dataclasses import dataclass
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oxcli.render import json
from oxcore.model.commits import Moment, Person


class Row(NamedTuple):
    path: bytes
    id: bytes


@dataclass(frozen=True)
class Report:
    rows: list[Row]
    when: Moment
    who: Person
    by_name: dict[str, int]


def test_values_of_ours():
    report = Report([Row(b"a/b", b"\xab" * 2)], Moment(0, 60), Person("A", "a@b"), {"x": 1})
    assert standard.loads(json.dumps(report)) == {
        "rows": [{"path": "a/b", "id": "abab"}],
        "when": "1970-01-01T01:00:00+01:00",
        "who": {"name": "A", "email": "a@b"},
        "by_name": {"x": 1},
    }


def test_a_name_that_is_no_unicode_comes_with_its_bytes():
    line = json.dumps(Row(b"\xff", b""))
    assert line.isascii()
    loaded = standard.loads(line)
    assert loaded["path_hex"] == "ff"
    assert loaded["path"].encode("utf-8", "surrogateescape") == b"\xff"


def test_names_in_unicode_are_readable():
    assert json.dumps({"path": "caf\u00e9".encode()}) == '{"path": "caf\u00e9"}'


@given(st.binary(max_size=12))
def test_every_path_comes_back(path):
    loaded = standard.loads(json.dumps({"path": path}))
    assert loaded["path"].encode("utf-8", "surrogateescape") == path


@given(st.lists(st.integers() | st.text(max_size=5), max_size=5))
def test_a_list_that_streams_is_the_same_list(items):
    stream = io.StringIO()
    json.write_list(stream, iter(items))
    assert standard.loads(stream.getvalue()) == items


@given(st.lists(st.dictionaries(st.text(max_size=3), st.integers() | st.text(max_size=3))))
def test_what_an_iterator_gives_is_written_as_it_comes(rows):
    made = {"path": b"a\xff", "table": {"count": len(rows), "rows": iter(rows), "b": [1]}, "c": {}}
    found = standard.loads("".join(json.pieces(made)))
    assert found["table"] == {"count": len(rows), "rows": rows, "b": [1]}
    assert (found["path_hex"], found["c"]) == ("61ff", {})
    written = json.pieces({"rows": iter([1, 2])})
    assert next(written) == '{"rows": '
    assert next(written) == "[1"


def test_indented_on_a_terminal_only(monkeypatch):
    stream = io.StringIO()
    json.write(stream, {"a": 1})
    assert stream.getvalue() == '{"a": 1}\n'
    monkeypatch.setattr(stream, "isatty", lambda: True)
    json.write(stream, {"a": 1})
    assert stream.getvalue().endswith('{\n  "a": 1\n}\n')


def test_what_is_not_for_json():
    with pytest.raises(TypeError):
        json.dumps(object())
