"""``Hub``: a server and its tokens from Python, and what a client asks one."""

import time

import pytest

import oxcore as ox
from oxcore.api.hub import hub_repos, whoami
from oxcore.errors import DeniedError, InvalidError, NotFoundError, UnreachableError
from oxcore.model.commits import Person
from oxcore.model.settings import Settings
from oxcore.remote import HubClient


@pytest.fixture
def hub(tmp_path):
    seen = []
    with ox.Hub(str(tmp_path / "hub"), visited=seen.append) as made:
        made.seen = seen
        yield made


def test_the_main_job_from_python(hub, tmp_path):
    secret = hub.create_token("ann", "write", ["pets"]).secret
    settings = Settings(Person("Ann"), token_for=lambda _: secret)
    with ox.Repo.init(str(tmp_path / "a"), settings=settings) as repo:
        (tmp_path / "a" / "f.txt").write_text("hello\n")
        repo.add()
        repo.commit("first")
        repo.add_remote("origin", f"{hub.url}/pets/cats")
        assert repo.push().report.created
    with ox.Repo.clone(f"{hub.url}/pets/cats", str(tmp_path / "b"), settings=settings) as copy:
        assert (tmp_path / "b" / "f.txt").read_text() == "hello\n"
        assert copy.cloned.report.commits == 1
        assert copy.counters.requests > 3  # those before there was a repository too
    assert hub.repos() == ["pets/cats"]
    assert [one.name for one in hub_repos(hub.url, secret)] == ["cats"]


def test_tokens(hub):
    made = hub.create_token("ann")
    assert hub.tokens() == [made.info]
    assert (made.info.scope, made.info.namespaces) == ("write", ("*",))
    who = whoami(f"{hub.url}/pets/cats", made.secret)
    assert (who.user, who.scope, who.namespaces) == ("ann", "write", ("*",))
    assert hub.revoke_token(made.info.id).revoked
    with pytest.raises(DeniedError):
        whoami(hub.url, made.secret)
    with pytest.raises(NotFoundError):
        hub.revoke_token("nope")
    past = hub.create_token("bob", expires=time.time_ns() // 1000 - 1)
    with pytest.raises(DeniedError):
        whoami(hub.url, past.secret)


def test_every_request_is_told(hub):
    secret = hub.create_token("ann").secret
    whoami(hub.url, secret)
    with pytest.raises(DeniedError):
        whoami(hub.url, "ox_wrong")
    end = time.monotonic() + 10
    while len(hub.seen) < 2 and time.monotonic() < end:
        time.sleep(0.01)
    first, second = hub.seen
    assert first[:4] == ("ann", "GET", "/api/v1/whoami", 200)
    assert first.sent > 10
    assert 0 <= first.seconds < 10
    assert second[:4] == ("", "GET", "/api/v1/whoami", 401)
    assert secret not in repr(hub.seen)


def test_it_needs_not_serve_to_make_tokens(tmp_path):
    hub = ox.Hub(str(tmp_path / "hub"))
    hub.create_token("ann")
    hub.stop()
    assert [one.user for one in ox.Hub(hub.root, make=False).tokens()] == ["ann"]


def test_it_listens_from_the_first_look_and_starts_again(tmp_path, monkeypatch):
    monkeypatch.setattr(HubClient, "pause", lambda *_: None)
    hub = ox.Hub(str(tmp_path / "hub"), anonymous="read")
    assert hub.url == hub.url
    hub.stop()  # it never ran
    with hub:
        first = hub.url
        assert hub_repos(first) == []
    with pytest.raises(UnreachableError):
        whoami(first)
    with hub:
        assert whoami(hub.url).scope == "read"


def test_what_cannot_be(tmp_path):
    with pytest.raises(InvalidError):
        ox.Hub(str(tmp_path), anonymous="all")
    with pytest.raises(NotFoundError):
        ox.Hub(str(tmp_path / "nowhere"), make=False)
    assert not (tmp_path / "nowhere").exists()
    with pytest.raises(InvalidError):
        _ = ox.Hub(str(tmp_path / "hub"), host="no such host").url
