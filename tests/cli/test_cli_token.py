"""``ox token`` as typed."""

import re
import time

import pytest
from support.hubs import serving

from oxcore.api.hub import whoami
from oxcore.errors import DeniedError


def test_made_listed_revoked(ox, tmp_path):
    made = ox("token", "create", "--root", "hub", "--user", "ann")
    secret = made.lines[-1]
    assert re.fullmatch(r"ox_[A-Za-z0-9_-]{43}", secret)
    assert "ann: write in *" in made.out
    assert ox("-q", "token", "create", "--root", "hub", "--user", "bob").out.startswith("ox_")
    listed = ox("token", "list", "--root", "hub")
    assert [line.split()[1:] for line in listed.lines] == [
        ["ann", "write", "*", "valid"],
        ["bob", "write", "*", "valid"],
    ]
    token_id = listed.lines[0].split()[0]
    assert token_id in made.out
    assert token_id in ox("token", "revoke", "--root", "hub", token_id[:6]).out
    assert ox("token", "list", "--root", "hub").lines[0].endswith("revoked")
    kept = (tmp_path / "hub" / "tokens.json").read_text()
    assert secret not in kept
    assert secret not in listed.out


def test_json_and_expiry(ox, tmp_path):
    made = ox(
        *("token", "create", "--root", "hub", "--user", "bot", "--scope", "read"),
        *("--namespace", "lab-*", "--namespace", "pets", "--expires", "30", "--json"),
    ).json
    assert made.pop("token").startswith("ox_")
    assert (made["user"], made["scope"]) == ("bot", "read")
    assert made["namespaces"] == ["lab-*", "pets"]
    assert made["valid"]
    assert not made["revoked"]
    day = time.strftime("%Y-%m-%d", time.localtime(time.time() + 30 * 86400))
    assert f"until {day}" in ox("token", "list", "--root", "hub").out
    assert ox("token", "list", "--root", "hub", "--json").json == [made]


def test_a_running_hub_takes_notice(ox, tmp_path):
    with serving(tmp_path / "hub") as hub:
        secret = ox("-q", "token", "create", "--root", "hub", "--user", "ann").out.strip()
        assert whoami(hub.url, secret).user == "ann"
        (row,) = ox("token", "list", "--root", "hub", "--json").json
        ox("token", "revoke", "--root", "hub", row["id"])
        with pytest.raises(DeniedError):
            whoami(hub.url, secret)


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (("create", "--user", "ann"), 2),
        (("create", "--root", "hub"), 2),
        (("create", "--root", "hub", "--user", ""), 3),
        (("create", "--root", "hub", "--user", "x", "--scope", "all"), 2),
        (("create", "--root", "hub", "--user", "x", "--namespace", "a/b"), 3),
        (("create", "--root", "hub", "--user", "x", "--expires", "0"), 2),
        (("create", "--root", "hub", "--user", "x", "--scope", "capture"), 3),
        (("create", "--root", "hub", "--user", "x", "--repo", "a/b"), 3),
        (("list", "--root", "nowhere"), 5),
        (("revoke", "--root", "nowhere", "x"), 5),
        (("revoke", "--root", "hub", "x"), 5),
        (("revoke", "--root", "hub"), 2),
    ],
)
def test_what_is_refused_changes_nothing(ox, tmp_path, args, code):
    ox("token", "create", "--root", "hub", "--user", "ann")
    before = ox("token", "list", "--root", "hub").out
    assert ox.fails("token", *args).code == code
    assert ox("token", "list", "--root", "hub").out == before
    assert not (tmp_path / "nowhere").exists()


def test_a_token_for_one_folder_of_a_branch(ox):
    place = ("--repo", "lab/speech", "--branch", "deployed", "--folder", "wild")
    told = ox("token", "create", "--root", "hub", "--user", "app", "--scope", "capture", *place)
    assert "of app: capture to wild of deployed of lab/speech\n" in told.out
    assert (
        "app  capture  lab/speech deployed wild  valid" in ox("token", "list", "--root", "hub").out
    )
    (row,) = ox("token", "list", "--root", "hub", "--json").json
    assert row["place"] == {"repo": "lab/speech", "branch": "deployed", "folder": "wild"}
