"""``ox login``: where tokens are kept."""

import stat

import pytest
from support.hubs import serving

from oxcli import config
from oxcore.remote import HubClient

HUB = "http://127.0.0.1:9"  # the discard port: nobody answers


def test_a_token_is_kept_for_its_hub_and_for_the_user_alone(ox, home):
    result = ox("login", f"{HUB}/pets/cats", "--token", "abc123", "--no-check")
    assert f"stored the token of {HUB}" in result.out
    assert config.token_for(f"{HUB}/other/repo") == "abc123"
    assert config.token_for("http://127.0.0.1:8") is None
    assert stat.S_IMODE((home / "credentials").stat().st_mode) == 0o600


def test_the_environment_stands_before_the_file(ox, monkeypatch):
    ox("login", HUB, "--token", "stored", "--no-check")
    monkeypatch.setenv("OX_TOKEN", "given")
    assert config.token_for(HUB) == "given"


def test_a_token_is_read_from_stdin(ox):
    ox("login", HUB, "--no-check", stdin="secret\n")
    assert config.token_for(HUB) == "secret"
    assert ox.fails("login", HUB, stdin="").code == 2


def test_list_and_logout(ox):
    ox("login", HUB, "--token", "one", "--no-check")
    ox("login", "https://Hub.Example.org", "--token", "two", "--no-check")
    assert ox("login", "--list").lines == [HUB, "https://hub.example.org"]
    assert ox("login", "--list", "--json").json["hubs"] == [HUB, "https://hub.example.org"]
    ox("login", "--logout", HUB)
    assert config.tokens() == {"https://hub.example.org": "two"}
    assert ox.fails("login", "--logout", HUB).code == 5


def test_no_output_ever_shows_a_token(ox):
    shown = [ox("login", HUB, "--token", "s3cr3t", "--no-check"), ox("login", "--list", "--json")]
    assert all("s3cr3t" not in result.out + result.err for result in shown)


@pytest.mark.parametrize("token", ["two words", "line\nbreak", "\u00e9"])
def test_what_is_no_token(ox, home, token):
    assert ox.fails("login", HUB, "--token", token).code == 3
    assert not (home / "credentials").exists()


@pytest.mark.parametrize("url", ["/srv/data", "file:///srv", "ftp://host", "http://"])
def test_what_is_no_hub(ox, url):
    assert ox.fails("login", url, "--token", "x").code == 3


@pytest.mark.parametrize("args", [(), ("--list", HUB), (HUB, "--logout", "--token", "x")])
def test_calls_that_make_no_sense(ox, args):
    assert ox.fails("login", *args).code == 2


def test_the_hub_is_asked(ox, tmp_path):
    with serving(tmp_path / "hub") as hub:
        secret = hub.create_token("ann", "write", ["lab-*", "pets"]).secret
        result = ox("login", hub.url, "--token", secret)
        assert "ann may write in lab-*, pets" in result.out
        assert config.token_for(hub.url) == secret
        told = ox("login", f"{hub.url}/pets/cats", "--token", secret, "--json").json
        assert (told["hub"], told["known_as"]["user"]) == (hub.url, "ann")
        result = ox.fails("login", hub.url, "--token", "ox_wrong")
        assert (result.code, "not known" in result.err) == (17, True)
        assert config.token_for(hub.url) == secret


def test_a_hub_that_does_not_answer(ox, home, monkeypatch):
    monkeypatch.setattr(HubClient, "pause", lambda *_: None)
    result = ox.fails("login", HUB, "--token", "x")
    assert (result.code, "--no-check" in result.err) == (16, True)
    assert not (home / "credentials").exists()


def test_what_was_stored_is_used(ox, tmp_path):
    with serving(tmp_path / "hub") as hub:
        ox("login", hub.url, "--token", hub.create_token("ann").secret)
        assert ox.fails("clone", f"{hub.url}/pets/cats").code == 5  # it is known, and not there
        ox("login", "--logout", hub.url)
        assert ox.fails("clone", f"{hub.url}/pets/cats").code == 17
