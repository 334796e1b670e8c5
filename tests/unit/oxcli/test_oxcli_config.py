"""The environment, the user's settings, tokens."""

import io

import pytest

from oxcli import config
from oxcore.errors import InvalidError
from oxcore.model.commits import Moment, Person


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    for name in ("OX_AUTHOR_NAME", "OX_AUTHOR_EMAIL", "OX_DATE", "OX_TOKEN", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OX_CONFIG_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_where_the_user_s_files_are(monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", "/x")
    monkeypatch.setenv("HOME", "/h")
    assert config.config_home().endswith("/home")
    monkeypatch.delenv("OX_CONFIG_HOME")
    assert config.config_home() == "/x/ox"
    monkeypatch.delenv("XDG_CONFIG_HOME")
    assert config.config_home() == "/h/.config/ox"


SECOND = 1_000_000


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("0", Moment(0)),
        ("1700000000", Moment(1700000000 * SECOND)),
        ("@1700000000 +0130", Moment(1700000000 * SECOND, 90)),
        ("1700000000 -0800", Moment(1700000000 * SECOND, -480)),
        ("1970-01-02T00:00:00Z", Moment(86400 * SECOND)),
        ("1970-01-01T01:00:00.000001+01:00", Moment(1, 60)),
        ("1970-01-02", Moment(86400 * SECOND)),
        ("1969-12-31T23:59:59", Moment(-SECOND)),
    ],
)
def test_dates(text, moment):
    assert config.parse_date(text) == moment


@pytest.mark.parametrize("text", ["now", "12:00", "1700000000 01:00", "2026-13-01", "1 +2500"])
def test_what_is_no_date(text):
    with pytest.raises(InvalidError, match="OX_DATE"):
        config.parse_date(text)


def test_the_author_of_the_environment_stands_before_the_settings(monkeypatch):
    defaults = {"user.name": "Set", "user.email": "set@example.org"}
    assert config.author(defaults) is None
    monkeypatch.setenv("OX_AUTHOR_NAME", "Env")
    assert config.author(defaults) == Person("Env", "set@example.org")
    monkeypatch.setenv("OX_AUTHOR_EMAIL", "env@example.org")
    assert config.author({}) == Person("Env", "env@example.org")


def test_the_user_s_own_ignore_patterns(home):
    assert config.excludes({}) == ()
    home.mkdir()
    (home / "ignore").write_text("*.tmp\n.DS_Store\n")
    (home / "other").write_text("*.bak\n")
    assert config.excludes({}) == ("*.tmp", ".DS_Store")
    assert config.excludes({"core.excludesFile": str(home / "other")}) == ("*.bak",)


@pytest.mark.parametrize(
    ("url", "hub"),
    [
        ("http://host:8000/pets/cats", "http://host:8000"),
        ("https://HOST/", "https://host"),
        ("https://ann:pw@host/x", "https://host"),
        ("http://[::1]:80/x", "http://[::1]:80"),
    ],
)
def test_the_hub_of_a_url(url, hub):
    assert config.hub_of(url) == hub


def test_tokens_are_forgotten_one_by_one():
    config.store_token("http://a", "1")
    config.store_token("http://b", "2")
    config.store_token("http://a", "3")
    config.store_token("http://b/x/y", None)
    assert config.tokens() == {"http://a": "3"}


def test_colours_are_for_terminals(monkeypatch):
    stream = io.StringIO()
    assert not config.wants_color(stream)
    monkeypatch.setattr(stream, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    assert config.wants_color(stream)
    monkeypatch.setenv("NO_COLOR", "1")
    assert not config.wants_color(stream)
