"""What a hub answers to browsers, curl and people who mean no good."""

import base64
import http.client
import json
import os
import socket
from pathlib import Path

import pytest

from oxcore.errors import DeniedError, FormatError, InvalidError, NotFoundError, UnreachableError
from oxcore.model.ids import content_id
from oxcore.model.run import run_of
from oxcore.remote import HttpRemote, HubClient
from oxcore.repo import Repository
from oxcore.testing.histories import (
    MAIN,
    commit_files,
    commit_line,
    many_files,
    raw,
    tag_commit,
    update,
)
from oxcore.testing.stores import noise
from oxcore.transfer import push
from oxcore.wire import routes
from oxcore.wire.frames import FRAME, HEADER, encode_stream
from oxcore.wire.routes import repo_name

BIG = noise(4, 1_500_000)
FILES = {
    b"readme.txt": b"hello\n",
    b"dir/<b>&'\"": b"odd",
    b"dir/\xff name.bin": b"not UTF-8",
    b"page.html": b"<script>alert(1)</script>",
    b"photo.png": b"\x89PNG",
    b"big": BIG,
    b"empty": b"",
}


@pytest.fixture(scope="module")
def site(hub, token, tmp_path_factory):
    """A hub with one repository: namespace lab, name site."""
    with Repository.init(str(tmp_path_factory.mktemp("site")), bare=True) as here:
        one = commit_files(here, FILES, message="<i>first</i> & only")
        tag = tag_commit(here, one, "v1")
        remote = HttpRemote(hub.url, repo_name("lab", "site"), token)
        updates = [update(MAIN, None, one), update("refs/heads/a/b", None, one)]
        push(here, remote, [*updates, update("refs/tags/v1", None, tag)])
        remote.close()
    return one


@pytest.fixture
def ask(hub, token):
    def ask(method, path, body=None, *, secret=token, **headers):
        host = hub.url.removeprefix("http://")
        line = http.client.HTTPConnection(host, timeout=20)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if secret:
            sent.setdefault("Authorization", f"Bearer {secret}")
        line.request(method, path, body, sent)
        answer = line.getresponse()
        data = answer.read()
        line.close()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, data

    return ask


def test_health_needs_no_token(ask):
    status, headers, body = ask("GET", "/healthz", secret=None)
    assert (status, body) == (200, b"ok\n")
    assert headers["ox-protocol"] == "1"


@pytest.mark.parametrize("revision", ["main", "HEAD", "v1", "a%2Fb", "ID", "SHORT"])
def test_a_file_at_a_revision(ask, site, revision):
    name = revision.replace("ID", site.hex()).replace("SHORT", site.hex()[:9])
    status, headers, body = ask("GET", f"/lab/site/raw/{name}/readme.txt")
    assert (status, body) == (200, b"hello\n")
    assert headers["etag"] == f'"{content_id(body).hex()}"'
    assert headers["x-ox-commit"] == site.hex()
    assert headers["content-length"] == "6"


def test_every_name_can_be_read(ask, site):
    for path, data in FILES.items():
        status, headers, body = ask("GET", routes.raw_path(repo_name("lab", "site"), "main", path))
        assert (status, body) == (200, data)
        assert headers["content-security-policy"].startswith("sandbox")
        assert headers["x-content-type-options"] == "nosniff"
        assert "html" not in headers["content-type"]


@pytest.mark.parametrize(
    ("asked", "span"),
    [
        ("bytes=0-0", (0, 1)),
        ("bytes=10-19", (10, 20)),
        ("bytes=1400000-", (1_400_000, 1_500_000)),
        ("bytes=-5", (1_499_995, 1_500_000)),
        ("bytes=-9999999", (0, 1_500_000)),
        ("bytes=100-99999999", (100, 1_500_000)),
    ],
)
def test_a_range_of_a_file(ask, site, asked, span):
    status, headers, body = ask("GET", "/lab/site/raw/main/big", Range=asked)
    start, stop = span
    assert status == 206
    assert body == BIG[start:stop]
    assert headers["content-range"] == f"bytes {start}-{stop - 1}/{len(BIG)}"


@pytest.mark.parametrize("asked", ["bytes=5-2", "bytes=", "bytes=-", "lines=1-2", "bytes=0-1,4-5"])
def test_a_range_that_says_nothing_gives_the_whole(ask, site, asked):
    assert ask("GET", "/lab/site/raw/main/readme.txt", Range=asked)[::2] == (200, b"hello\n")


@pytest.mark.parametrize("asked", ["bytes=6-", "bytes=99-100", "bytes=-0"])
def test_a_range_that_is_not_there_is_told(ask, site, asked):
    status, headers, _ = ask("GET", "/lab/site/raw/main/readme.txt", Range=asked)
    assert (status, headers["content-range"]) == (416, "bytes */6")


def test_a_file_that_is_known_is_not_sent(ask, site):
    tag = f'"{content_id(FILES[b"readme.txt"]).hex()}"'
    path = "/lab/site/raw/main/readme.txt"
    assert ask("GET", path, If_None_Match=f'"x", {tag}')[::2] == (304, b"")
    assert ask("GET", path, If_None_Match='"x"')[0] == 200
    assert ask("GET", path, If_Range='"x"', Range="bytes=0-1")[::2] == (200, b"hello\n")
    status, headers, body = ask("HEAD", path)
    assert (status, body, headers["content-length"]) == (200, b"", "6")


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        ("/lab/site/raw/main/nothing", 404, "not-found"),
        ("/lab/site/raw/nothing/readme.txt", 404, "not-found"),
        ("/lab/site/raw/0000/readme.txt", 404, "not-found"),
        ("/lab/nothing/raw/main/readme.txt", 404, "not-found"),
        ("/lab/site/raw/main/../../../tokens.json", 404, "not-found"),
        ("/lab/site/raw/main/%2e%2e%2f%2e%2e%2ftokens.json", 404, "not-found"),
        ("/lab/..%2f..%2f/raw/main/x", 400, "invalid"),
        ("/../lab/raw/main/x", 400, "invalid"),
        ("/lab/%00/raw/main/x", 400, "invalid"),
        ("/lab/%ff/raw/main/x", 400, "invalid"),
        ("/api/v1/repos/lab/../refs", 400, "invalid"),
        ("/api/v1/repos/lab/..%2f/refs", 400, "invalid"),
        ("/api/v1/repos/lab/nothing/refs", 404, "not-found"),
        ("/api/v2/repos", 404, "invalid"),
        ("/a/b/c", 404, "invalid"),
        ("/" + "a" * 17_000, 414, "invalid"),
    ],
)
def test_what_is_not_there(ask, site, path, status, kind):
    found, headers, body = ask("GET", path)
    assert (found, json.loads(body)["kind"]) == (status, kind)
    assert headers["content-type"] == "application/json"


def test_a_wrong_method_is_told(ask):
    status, headers, _ = ask("DELETE", "/api/v1/repos/lab/site/refs")
    assert (status, headers["allow"]) == (405, "GET")


def test_another_protocol_is_refused(ask):
    status, _, body = ask("GET", "/api/v1/whoami", Ox_Protocol="2")
    assert (status, json.loads(body)["kind"]) == (400, FormatError.kind)


HAS = "/api/v1/repos/lab/site/has"
PUSH = "/api/v1/repos/lab/site/push"


def test_a_body_of_another_type_is_refused(ask, site):
    assert ask("POST", HAS, bytes(32), Content_Type=routes.IDS_TYPE)[0] == 200
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        assert ask("POST", HAS, bytes(32), Content_Type=kind)[0] == 415
        assert ask("POST", "/api/v1/repos/lab/site/swap", b"{}", Content_Type=kind)[0] == 415
        assert ask("PUT", PUSH, b"", Content_Type=kind)[0] == 415


def test_bodies_have_an_end(ask, site):
    over = [
        (HAS, bytes(32 * 65_537), routes.IDS_TYPE, 400),
        (HAS, bytes((1 << 24) + 32), routes.IDS_TYPE, 413),
        ("/api/v1/repos/lab/site/commits", b" " * ((1 << 24) + 1), routes.JSON_TYPE, 413),
    ]
    for path, body, kind, status in over:
        assert ask("POST", path, body, Content_Type=kind)[0] == status


def test_a_stream_without_end_is_refused(hub, token, site):
    """Chunks that never stop: refused at 512 MiB, whatever the header said."""
    item = raw(noise(1, 1 << 20))
    head = FRAME.pack(item.kind, item.how, item.id, item.raw, item.raw) + item.payload

    def endless():
        yield HEADER
        while True:
            yield head

    client = HubClient(hub.url, token)
    with pytest.raises((InvalidError, UnreachableError)):
        client.send_stream(PUSH, endless())
    client.close()


@pytest.mark.parametrize("length", [0, 10, 16, 40, 100, 190, 198, 205, -1])
def test_a_stream_that_is_cut_keeps_what_was_whole(ask, hub, token, site, length):
    items = [raw(b"part %d %d" % (n, length)) for n in range(3)]
    data = b"".join(encode_stream([run_of(items)]))[: length or None] if length else b""
    status, _, body = ask("PUT", PUSH, data, Content_Type=routes.STREAM_TYPE)
    assert (status, json.loads(body)["kind"]) == (502, "unreachable")
    remote = HttpRemote(hub.url, repo_name("lab", "site"), token)
    head, size = 16 + 42 + 3 * 42, len(items[0].payload)
    whole = 3 if length == -1 else max(0, length - head) // size
    assert remote.has([item.id for item in items]) == [n < whole for n in range(3)]
    remote.close()


def test_a_client_that_goes_away_hurts_nobody(hub, ask, token):
    host, port = hub.url.removeprefix("http://").split(":")
    for data in (b"GET", b"PUT " + PUSH.encode() + b" HTTP/1.1\r\nContent-Length: 99\r\n\r\nOX"):
        with socket.create_connection((host, int(port))) as line:
            line.sendall(data)
    assert ask("GET", "/healthz")[0] == 200


def test_pages_show_what_is_there_and_escape_it(ask, site):
    status, headers, body = ask("GET", "/")
    assert status == 200
    assert b"lab/site" in body
    assert "default-src 'none'" in headers["content-security-policy"]
    page = ask("GET", "/lab/site")[2].decode()
    assert "&lt;i&gt;first&lt;/i&gt; &amp; only" in page
    assert "<i>" not in page
    assert site.hex()[:12] in page
    assert "readme.txt" in page
    assert "7 files" in page
    assert 'href="/lab/site?rev=a%2Fb"' in page
    folder = ask("GET", "/lab/site?rev=main&path=dir")[2].decode()
    assert "&lt;b&gt;&amp;&#x27;&quot;" in folder
    assert "/lab/site/raw/main/dir/%FF%20name.bin" in folder
    status, headers, body = ask("GET", "/lab/site?path=nothing", Accept="text/html")
    assert (status, headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert ask("GET", "/lab/site?rev=<x>", Accept="text/html")[2].count(b"<x>") == 0


def test_a_page_of_an_empty_repository(hub, token, ask):
    client = HubClient(hub.url, token)
    client.create(repo_name("lab", "fresh"))
    assert b"Nothing has been pushed" in ask("GET", "/lab/fresh")[2]
    client.close()


def test_a_large_folder_has_a_page(hub, token, ask, tmp_path):
    with Repository.init(str(tmp_path / "r"), bare=True) as here:
        remote = HttpRemote(hub.url, repo_name("lab", "many"), token)
        line = commit_line(here, 12)
        tip = commit_files(here, {b"n%05d" % n: b"" for n in range(1500)}, line[-1:])
        push(here, remote, [update("refs/heads/work", None, tip)])
        remote.close()
    page = ask("GET", "/lab/many")[2]
    assert page.count(b"<tr>") == 1010
    assert b"and more" in page


def test_who_may_do_what(hub, site):
    tokens = {
        "reader": hub.tokens.create("bob", "read", ["lab"]).secret,
        "writer": hub.tokens.create("eve", "write", ["own-*"]).secret,
        "nobody": None,
    }
    clients = {name: HubClient(hub.url, secret) for name, secret in tokens.items()}
    refs = routes.action_path(repo_name("lab", "site"), "refs")
    assert json.loads(clients["reader"].call("GET", refs))["write"] is False
    assert [one.name for one in clients["writer"].repos()] == []
    assert "site" in [one.name for one in clients["reader"].repos()]
    assert clients["reader"].whoami().user == "bob"
    assert clients["nobody"].whoami().scope == "none"
    for name, path in (("writer", refs), ("nobody", refs)):
        with pytest.raises(DeniedError):
            clients[name].call("GET", path)
    for name, namespace in (("reader", "lab"), ("writer", "lab"), ("nobody", "own-x")):
        with pytest.raises(DeniedError):
            clients[name].create(repo_name(namespace, "new"))
    clients["writer"].create(repo_name("own-x", "new"))
    with pytest.raises(DeniedError):
        clients["reader"].call("PUT", PUSH, b"", routes.STREAM_TYPE)
    # Who may not read a namespace does not learn what is in it.
    with pytest.raises(DeniedError):
        clients["writer"].call("GET", routes.action_path(repo_name("lab", "nothing"), "refs"))
    for client in clients.values():
        client.close()


def test_a_push_makes_the_repository_if_it_may(hub, tmp_path):
    writer = hub.tokens.create("eve", "write", ["own"]).secret
    with Repository.init(str(tmp_path / "r"), bare=True) as here:
        one = commit_files(here, many_files(3))
        remote = HttpRemote(hub.url, repo_name("own", "made"), writer)
        with pytest.raises(NotFoundError):
            remote.refs()
        assert push(here, remote, [update(MAIN, None, one)]).created
        remote.close()
        other = HttpRemote(hub.url, repo_name("lab", "not-mine"), writer)
        with pytest.raises(DeniedError):
            push(here, other, [update(MAIN, None, one)])
        other.close()


def test_tokens_travel_as_bearer_or_as_password(ask, token, site):
    basic = base64.b64encode(f"any:{token}".encode()).decode()
    assert ask("GET", "/lab/site", Authorization=f"Basic {basic}")[0] == 200
    for bad in ("Basic !!", "Basic " + base64.b64encode(b"a:b").decode(), "Bearer x", "Bearer"):
        status, headers, _ = ask("GET", "/lab/site", Authorization=bad)
        assert status == 401
        assert headers["www-authenticate"].startswith("Basic")
    assert ask("GET", "/lab/site", secret=None)[0] == 401
    assert ask("GET", "/lab/site/raw/main/readme.txt", secret=None)[0] == 401
    assert ask("GET", "/", secret=None)[0] == 401


def test_the_name_of_who_pushed_is_in_the_log(hub, site):
    with hub.shelf.use(repo_name("lab", "site")) as repo:
        assert {op.who for op in repo.state.operations() if op.verb == "push"} == {"ann"}


def test_nothing_leaves_the_root(hub, site):
    for name in ("../x", "x/../../y", "", ".", "..", "a\0b"):
        with pytest.raises(InvalidError):
            hub.shelf.create(routes.RepoName("lab", name))
    assert sorted(os.listdir(hub.shelf.root)) == ["repos", "tokens.json", "tokens.json.lock"]
    assert not list(Path(hub.shelf.root).parent.glob("x"))
