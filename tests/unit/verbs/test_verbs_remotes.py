"""``remote``: names of other repositories, and what was seen of them."""

import pytest
from support.sides import Sides

from oxcore.errors import ExistsError, InvalidError, NotFoundError, UsageError
from oxcore.verbs.remotes import connect, default_name, full_address


@pytest.fixture
def sides(tmp_path):
    with Sides(tmp_path) as made:
        yield made


@pytest.fixture
def side(sides):
    """A repository that pushed its main to origin."""
    made = sides.new("a")
    made.commit({"a": "1"})
    made.repo.push()
    return made


def test_added_listed_and_changed(sides):
    side = sides.new("a", remote=False)
    assert side.repo.remotes() == []
    made = side.repo.add_remote("zoo", "http://h:1/ns/name/")
    assert (made.name, made.url, made.branches) == ("zoo", "http://h:1/ns/name", {})
    side.repo.add_remote("far", "../elsewhere")
    assert [one.name for one in side.repo.remotes()] == ["far", "zoo"]
    changed = side.repo.set_remote_url("far", "file:///srv/x")
    assert changed.url == "/srv/x"
    assert side.repo.remotes()[0] == changed


def test_what_was_seen(side):
    assert side.repo.remotes()[0].branches == {"main": side.head()}


def test_renamed_with_all_that_belongs_to_it(side):
    side.core.set_config({"remote.origin.branches": "main"})
    side.repo.rename_remote("origin", "upstream")
    found = side.repo.remotes()
    assert [(one.name, one.branches) for one in found] == [("upstream", {"main": side.head()})]
    settings = side.core.own_config()
    assert settings["branch.main.remote"] == "upstream"
    assert settings["branch.main.merge"] == "main"
    assert settings["remote.upstream.branches"] == "main"
    assert not any(key.startswith("remote.origin.") for key in settings)
    assert side.repo.push().changes == ()


def test_renamed_over_what_a_lost_remote_left(side):
    side.core.set_config({"remote.origin.url": None})
    side.repo.add_remote("other", "/srv/other")
    with side.core.lock("test"):
        key = "refs/remotes/other/main"
        side.core.operate("test", "", {key: (None, side.head())})
    side.repo.rename_remote("other", "origin")
    assert side.repo.remotes()[0].branches == {"main": side.head()}


def test_removed_with_all_that_belongs_to_it(sides, side):
    before = sides.refs()
    side.repo.remove_remote("origin")
    assert side.repo.remotes() == []
    assert [ref for ref in side.repo.refs() if ref.startswith("refs/remotes/")] == []
    assert side.core.own_config() == {}
    assert sides.refs() == before


@pytest.mark.parametrize("name", ["", "a/b", "a b", "..", "a.lock", "-x" * 0 + "@{"])
def test_names_that_cannot_be(side, name):
    before = side.state()
    with pytest.raises(InvalidError):
        side.repo.add_remote(name, "/srv/x")
    with pytest.raises(InvalidError):
        side.repo.rename_remote("origin", name)
    assert side.state() == before


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://host/x",
        "ssh://host/x",
        "file://host/x",
        "http://host:1",
        "https://host/ns",
        "http://host/api/name",
        "http://ann:secret@host/ns/name",
        "http://host/ns/name?x=1",
        "/srv/\x01",
        "line\nbreak",
    ],
)
def test_addresses_that_cannot_be(side, url):
    before = side.state()
    with pytest.raises(InvalidError):
        side.repo.add_remote("new", url)
    with pytest.raises(InvalidError):
        side.repo.set_remote_url("origin", url)
    assert side.state() == before


def test_taken_and_unknown_names(side):
    side.repo.add_remote("second", "/srv/x")
    before = side.state()
    with pytest.raises(ExistsError):
        side.repo.add_remote("origin", "/srv/x")
    with pytest.raises(ExistsError):
        side.repo.rename_remote("second", "origin")
    for call in (
        lambda: side.repo.remove_remote("nope"),
        lambda: side.repo.rename_remote("nope", "new"),
        lambda: side.repo.set_remote_url("nope", "/srv/x"),
        lambda: side.repo.fetch("nope"),
        lambda: side.repo.push("nope"),
    ):
        with pytest.raises(NotFoundError):
            call()
    assert side.state() == before


def test_which_remote_is_meant(sides):
    side = sides.new("a", remote=False)
    assert default_name(side.core) == "origin"
    side.repo.add_remote("one", "/srv/1")
    assert default_name(side.core) == "one"
    side.repo.add_remote("two", "/srv/2")
    with pytest.raises(UsageError):
        default_name(side.core)
    side.core.set_config({"branch.main.remote": "two"})
    assert default_name(side.core) == "two"
    side.core.set_config({"branch.main.remote": None})
    side.repo.add_remote("origin", "/srv/3")
    assert default_name(side.core) == "origin"


def test_only_hubs_are_shown_a_token(sides, side):
    asked = []
    side.core.settings.token_for = asked.append
    side.repo.fetch()
    assert asked == []
    _, connection = connect(side.core, "http://127.0.0.1:9/ns/name")
    connection.thing.close()
    assert asked == ["http://127.0.0.1:9/ns/name"]


def test_a_path_holds_from_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert full_address("x/../y") == str(tmp_path / "y")
    assert full_address("https://h/ns/n//") == "https://h/ns/n"
