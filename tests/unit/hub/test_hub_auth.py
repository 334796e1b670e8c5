"""Tokens: what is kept, who is let in, and what a damaged file does."""

import json
import os
import stat

import pytest

from oxcore.errors import CorruptError, DeniedError, InvalidError, NotFoundError
from oxcore.hub.auth import Caller, Tokens, Unknown


@pytest.fixture
def clock():
    return [1_000_000]


@pytest.fixture
def tokens(tmp_path, clock):
    return Tokens(str(tmp_path), now=lambda: clock[0])


def test_a_token_is_shown_once_and_kept_as_a_hash(tokens, tmp_path):
    grant = tokens.create("ann", "write", ["lab-*"])
    assert len(grant.secret) == 46
    assert grant.secret.startswith("ox_")
    text = (tmp_path / "tokens.json").read_text()
    assert grant.secret not in text
    assert grant.info.hash in text
    assert stat.S_IMODE(os.stat(tmp_path / "tokens.json").st_mode) == 0o600
    assert tokens.caller(grant.secret) == Caller("ann", "write", ("lab-*",))


def test_namespaces_are_patterns(tokens):
    caller = tokens.caller(tokens.create("ann", "write", ["lab-*", "pets"]).secret)
    allowed = [caller.may_write(name) for name in ("lab-1", "lab-", "pets", "lab", "Pets", "x")]
    assert allowed == [True, True, True, False, False, False]


@pytest.mark.parametrize(
    ("scope", "read", "write"),
    [("read", True, False), ("write", True, True), ("admin", True, True), ("none", False, False)],
)
def test_scopes(scope, read, write):
    caller = Caller("ann", scope, ("*",))
    assert (caller.may_read("x"), caller.may_write("x")) == (read, write)


def test_what_is_denied_says_why():
    with pytest.raises(DeniedError, match="ann may not write to lab"):
        Caller("ann", "read", ("*",)).require("lab", write=True)
    with pytest.raises(Unknown, match="a token is needed to read lab"):
        Caller("", "none").require("lab", write=False)


def test_tokens_expire_and_can_be_revoked(tokens, clock):
    short = tokens.create("ann", "read", expires=clock[0] + 10)
    long = tokens.create("bob", "read")
    assert tokens.caller(short.secret).user == "ann"
    clock[0] += 10
    with pytest.raises(Unknown, match="not valid any more"):
        tokens.caller(short.secret)
    tokens.revoke(long.info.id)
    with pytest.raises(Unknown, match="not valid any more"):
        tokens.caller(long.secret)
    assert [row.user for row in tokens.all()] == ["ann", "bob"]


def test_another_process_sees_them_at_once(tokens, tmp_path):
    other = Tokens(str(tmp_path))
    assert other.all() == ()
    grant = tokens.create("ann", "read")
    assert other.caller(grant.secret).user == "ann"
    tokens.revoke(grant.info.id)
    with pytest.raises(Unknown):
        other.caller(grant.secret)


def test_who_is_not_known_is_not_let_in(tokens):
    grant = tokens.create("ann", "read")
    for secret in ("", "ox_", grant.secret[:-1], grant.secret + "x", grant.info.hash, "\udcff"):
        with pytest.raises(Unknown):
            tokens.caller(secret)


@pytest.mark.parametrize("allowed", ["none", "read", "write"])
def test_without_a_token(tokens, allowed):
    caller = tokens.caller(None, allowed)
    assert caller.user == ""
    assert caller.may_read("x") == (allowed != "none")
    assert caller.may_write("x") == (allowed == "write")


@pytest.mark.parametrize(
    ("user", "scope", "names"),
    [
        ("", "read", ["*"]),
        ("a\nb", "read", ["*"]),
        ("a", "root", ["*"]),
        ("a", "read", []),
        ("a", "read", ["a/b"]),
        ("a", "read", [""]),
        ("a" * 201, "read", ["*"]),
    ],
)
def test_odd_grants_are_refused(tokens, user, scope, names):
    with pytest.raises(InvalidError):
        tokens.create(user, scope, names)
    assert tokens.all() == ()


def test_revoking_names_one_token(tokens):
    for _ in range(20):
        tokens.create("ann", "read")
    for name in ("", "zz", "0" * 64):
        with pytest.raises(NotFoundError):
            tokens.revoke(name)


@pytest.mark.parametrize("damage", [b"", b"{}", b"[]", b'{"ox":"tokens 2","tokens":[]}', b"x"])
def test_a_damaged_file_lets_nobody_in(tokens, tmp_path, damage):
    grant = tokens.create("ann", "read")
    (tmp_path / "tokens.json").write_bytes(damage)
    with pytest.raises(CorruptError):
        tokens.caller(grant.secret)


def test_a_scope_from_the_future_is_refused(tokens, tmp_path):
    tokens.create("ann", "read")
    record = json.loads((tmp_path / "tokens.json").read_bytes())
    record["tokens"][0]["scope"] = "all"
    (tmp_path / "tokens.json").write_text(json.dumps(record))
    with pytest.raises(CorruptError):
        tokens.all()
