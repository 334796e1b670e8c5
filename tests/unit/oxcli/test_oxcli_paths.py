"""From a path as typed to a path inside the dataset."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oxcli.paths import escape, is_pattern, to_dataset, to_pattern
from oxcore.errors import InvalidError
from oxcore.repo.select import Selection


@pytest.fixture
def top(tmp_path, monkeypatch):
    (tmp_path / "data" / "sub").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "data")
    return str(tmp_path)


@pytest.mark.parametrize(
    ("typed", "path"),
    [
        (".", b"data"),
        ("a.txt", b"data/a.txt"),
        ("./a.txt", b"data/a.txt"),
        ("sub/../a.txt", b"data/a.txt"),
        ("sub/", b"data/sub"),
        ("..", b""),
        ("../x", b"x"),
        ("-", b"data/-"),
        ("..x", b"data/..x"),
        ("\udcff.bin", b"data/\xff.bin"),
        ("caf\u00e9", b"data/caf\xc3\xa9"),
    ],
)
def test_relative_to_the_current_folder(top, typed, path):
    assert to_dataset(top, typed) == path
    assert to_pattern(top, typed) == path


def test_absolute(top):
    assert to_dataset(top, f"{top}/data/a") == b"data/a"
    assert to_dataset(top, top) == b""


@pytest.mark.parametrize("typed", ["../..", "../../x", "/", "/etc/passwd", "", "a\0b"])
def test_outside_or_no_path_at_all(top, typed):
    with pytest.raises(InvalidError):
        to_dataset(top, typed)


def test_a_sibling_whose_name_starts_as_ours_is_outside(top):
    with pytest.raises(InvalidError):
        to_dataset(top, f"{top}-other/a")


def test_a_link_is_a_path_of_its_own(top, tmp_path):
    os.symlink("/etc", tmp_path / "data" / "link")
    assert to_dataset(top, "link") == b"data/link"


def test_the_repository_reached_through_a_link(top, tmp_path_factory, monkeypatch):
    door = tmp_path_factory.mktemp("elsewhere") / "door"
    os.symlink(top, door)
    assert to_dataset(str(door), "a") == b"data/a"
    assert to_dataset(top, f"{door}/data/a") == b"data/a"
    monkeypatch.chdir(door)
    assert to_dataset(str(door), "data/a") == b"data/a"


def test_bare_paths_are_relative_to_the_top():
    assert to_dataset("/srv/store", "a/./b", bare=True) == b"a/b"
    assert to_dataset("/srv/store", ".", bare=True) == b""
    with pytest.raises(InvalidError):
        to_dataset("/srv/store", "../a", bare=True)


def test_wildcards_of_the_folder_are_no_wildcards(tmp_path, monkeypatch):
    folder = tmp_path / "set[1]"
    folder.mkdir()
    monkeypatch.chdir(folder)
    pattern = to_pattern(str(tmp_path), "*.png")
    assert pattern == b"set[[]1]/*.png"
    chosen = Selection([pattern])
    assert b"set[1]/a.png" in chosen
    assert b"set1/a.png" not in chosen


def test_a_pattern_of_the_top(top):
    assert to_pattern(top, "../*.png") == b"*.png"
    assert is_pattern(b"*.png")
    assert not is_pattern(b"a.png")


@given(st.text(st.sampled_from("ab*?[]/-!"), min_size=1, max_size=8))
def test_an_escaped_path_matches_itself_and_nothing_else(text):
    path = text.encode().replace(b"/", b"x")
    assert path in Selection([escape(path)])
    assert path + b"z" not in Selection([escape(path)])
