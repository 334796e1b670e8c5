"""``ox hub`` as typed; as a process of its own it is tested end to end."""

import os

import pytest
from support.hubs import serving

from oxcli.commands import hub as module
from oxcore.hub import HubServer, Visit


@pytest.fixture
def served(ox, monkeypatch):
    """``served("--port", "0")`` runs ox hub serve, and stops it when it would listen."""

    def run(*args, options=()):
        monkeypatch.setattr(HubServer, "run", lambda _: None)
        return ox(*options, "hub", "serve", "--root", "hub", "--port", "0", *args)

    return run


def test_the_first_start_makes_an_admin_token(served, ox, tmp_path):
    first = served()
    assert first.lines[0].startswith("hub at http://127.0.0.1:")
    assert first.lines[0].endswith(str(tmp_path / "hub"))
    assert "ox login http://127.0.0.1:" in first.lines[2]
    secret = first.lines[2].split()[-1]
    rows = ox("token", "list", "--root", "hub", "--json").json
    assert [(row["user"], row["scope"]) for row in rows] == [("admin", "admin")]
    second = served(options=("-q",))
    assert "ox_" not in second.out
    assert len(second.lines) == 1
    assert secret not in (tmp_path / "hub" / "tokens.json").read_text()


def test_an_address_for_all_is_shown_as_one_to_call(served):
    assert "ox login http://127.0.0.1:" in served("--host", "0.0.0.0").out


def test_one_plain_line_a_request(capsys):
    module._log(Visit("ann b", "PUT", "/api/v1/repos/a/b/push", 200, 2048, 17, 0.25))
    module._log(Visit("", "GET", "/", 0, 0, 0, 0.001))
    lines = capsys.readouterr().err.splitlines()
    assert lines[0][20:] == "ann_b PUT /api/v1/repos/a/b/push 200 2.0 KiB in, 17 B out, 250 ms"
    assert lines[1][20:] == "- GET / broken off 0 B in, 0 B out, 1 ms"


def test_a_port_that_is_taken(ox, tmp_path):
    with serving(tmp_path / "other") as hub:
        port = hub.url.rpartition(":")[2]
        result = ox.fails("hub", "serve", "--root", "hub", "--port", port)
        assert (result.code, "another port" in result.err) == (18, True)
    assert ox("token", "list", "--root", "hub").out == ""


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (("serve",), 2),
        (("serve", "--root", "hub", "--port", "70000"), 2),
        (("serve", "--root", "hub", "--anonymous", "all"), 2),
        (("serve", "--root", "hub", "--port", "0", "--host", "no such host"), 3),
        (("repos",), 2),
        (("repos", "http://h", "--root", "hub"), 2),
        (("repos", "--root", "nowhere"), 5),
        (("repos", "/srv/hub"), 3),
    ],
)
def test_what_is_refused(ox, args, code):
    assert ox.fails("hub", *args).code == code


def test_which_repositories_there_are(ox, repo, tmp_path, monkeypatch):
    root = tmp_path.parent / f"{tmp_path.name}-hub"
    with serving(root) as hub:
        monkeypatch.setenv("OX_TOKEN", hub.create_token("ann").secret)
        ox("push", f"{hub.url}/pets/cats", "main")
        ox("push", f"{hub.url}/lab/mice", "main")
        assert ox("hub", "repos", hub.url).lines == ["lab/mice", "pets/cats"]
        monkeypatch.setenv("OX_TOKEN", hub.create_token("bob", "read", ["lab"]).secret)
        assert ox("hub", "repos", f"{hub.url}/pets/cats", "--json").json == ["lab/mice"]
    assert ox("hub", "repos", "--root", os.fspath(root)).lines == ["lab/mice", "pets/cats"]
