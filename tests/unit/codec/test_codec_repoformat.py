"""The file `format`, and the settings file."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oxcore.codec import canonical, config
from oxcore.codec.repoformat import RepoFormat, decode, encode
from oxcore.errors import CorruptError, FormatError, InvalidError
from oxcore.testing.strategies import json_values, texts

GOOD = RepoFormat({"algorithm": "x", "mean": 65536})


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(texts(8), json_values(3), max_size=3), st.booleans())
def test_the_format_reads_back(chunking, bare):
    form = RepoFormat(chunking, bare)
    assert decode(encode(form)) == form


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 1000), st.binary(max_size=2))
def test_changed_bytes_are_refused_or_canonical_themselves(at, junk):
    data = encode(GOOD)
    at %= len(data)
    changed = data[:at] + junk + data[at + 1 :]
    try:
        read = decode(changed)
    except (CorruptError, FormatError):
        return
    assert encode(read) == changed


def altered(**fields):
    record = {**json.loads(encode(GOOD)), **fields}
    return canonical.dumps({key: item for key, item in record.items() if item is not ...}) + b"\n"


@pytest.mark.parametrize(
    "fields",
    [
        {"ox": 2},
        {"ox": 0},
        {"features": ["lanes"]},
        {"ox": 2, "features": ...},
        {"features": [["lanes"]]},
    ],
)
def test_later_versions_are_told_from_damage(fields):
    with pytest.raises(FormatError) as caught:
        decode(altered(**fields))
    assert caught.value.hint == "update ox"


@pytest.mark.parametrize(
    "fields",
    [
        {"ox": True},
        {"ox": "1"},
        {"ox": ...},
        {"features": {}},
        {"features": ...},
        {"bare": 1},
        {"bare": ...},
        {"chunking": []},
        {"chunking": ...},
        {"more": 1},
    ],
)
def test_other_fields_are_refused(fields):
    with pytest.raises(CorruptError):
        decode(altered(**fields))


@pytest.mark.parametrize("data", [b"", b"\n", b"[]\n", b"1\n", b"x", encode(GOOD)[:-1]])
def test_other_files_are_refused(data):
    with pytest.raises(CorruptError):
        decode(data)


def test_one_line_break_and_no_more():
    with pytest.raises(CorruptError):
        decode(encode(GOOD) + b"\n")


keys = st.from_regex(r"[a-z]{1,3}(\.[a-z:/]{1,4})?\.[a-z]{1,3}", fullmatch=True)
plain_values = texts(12).map(str.strip).filter(lambda text: not set(text) & set("\n\r\0"))


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(keys, plain_values, max_size=4), st.dictionaries(keys, plain_values))
def test_settings_read_back_and_do_not_leak_into_each_other(first, second):
    text = config.edit(config.edit("# mine\n", first), second)
    assert config.parse(text) == {**first, **second}
    assert text.startswith("# mine\n")
    removed = config.edit(text, dict.fromkeys(first))
    assert config.parse(removed) == {key: second[key] for key in second if key not in first}


def test_settings_keep_what_people_wrote():
    text = "# a note\r\n\n  user.name=Me \nuser.name = You\n"
    assert config.parse(text) == {"user.name": "You"}
    assert config.edit(text, {"a.b": "c"}) == text + "a.b = c\n"
    assert config.edit(text, {"user.name": None}) == "# a note\r\n\n"


@pytest.mark.parametrize(
    "key", ["", "name", ".name", "user.", "user name.x", "user.na=me", "#a.b", "1.a"]
)
def test_keys_that_are_none(key):
    with pytest.raises(InvalidError, match="not a setting"):
        config.edit("", {key: "x"})


@pytest.mark.parametrize("value", ["a\nb.c = d", "a\rb.c = d", "\0"])
def test_values_that_would_break_the_line(value):
    with pytest.raises(InvalidError, match="line break"):
        config.edit("", {"user.name": value})


def test_a_line_that_is_no_setting_is_named():
    with pytest.raises(InvalidError, match="line 2"):
        config.parse("a.b = c\nnonsense\n")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"a.b = c\nnonsense\n", "the file: line 2 has no '='"),
        (b"a.b = c\n# \xff\n", "the file: line 2 is not UTF-8 text"),
    ],
)
def test_a_file_of_settings_that_is_broken_is_named_with_its_line(data, said):
    with pytest.raises(InvalidError, match=said) as caught:
        config.decode(data, "the file")
    assert "delete it" in caught.value.hint
