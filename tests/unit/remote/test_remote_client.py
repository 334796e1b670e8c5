"""The client retries where that helps, tells where it does not, and gives its token to no other."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from oxcore.errors import (
    BusyError,
    DeniedError,
    InvalidError,
    MissingError,
    NotFoundError,
    OxError,
    RejectedError,
    StorageError,
    UnreachableError,
)
from oxcore.model.counters import Counters
from oxcore.model.run import gathered, objects_of, run_of
from oxcore.remote import Connection, HttpRemote, HubClient
from oxcore.testing.histories import raw
from oxcore.wire.errors import error_record
from oxcore.wire.frames import encode_stream
from oxcore.wire.messages import CommitsRequest, RefsReply, SwapReply, SwapRequest
from oxcore.wire.routes import repo_name


class Script:
    """Answers in turn; each is (status, headers, body) or a length to cut a body at."""

    def __init__(self):
        self.answers = []
        self.seen = []


@pytest.fixture
def script():
    return Script()


@pytest.fixture
def server(script):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            script.seen.append((self.command, self.path, dict(self.headers), body))
            status, headers, data, cut = script.answers.pop(0)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(data)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data[:cut])
            self.close_connection = cut is not None

        do_POST = do_PUT = do_GET  # noqa: N815

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as found:
        found.daemon_threads = True
        thread = threading.Thread(target=found.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{found.server_address[1]}"
        found.shutdown()


@pytest.fixture
def slept():
    return []


@pytest.fixture
def remote(server, slept):
    found = HttpRemote(
        server,
        repo_name("ns", "name"),
        "ox_secret",
        Counters(),
        Connection(connect=2, answer=5, tries=4, sleep=slept.append),
    )
    yield found
    found.close()


def answer(body=b"", status=200, cut=None, **headers):
    return status, {name.replace("_", "-"): value for name, value in headers.items()}, body, cut


def told(error, status):
    return answer(json.dumps(error_record(error)).encode(), status)


REFS = RefsReply("ref:refs/heads/main", {})


def test_requests_carry_token_and_version(script, remote):
    script.answers = [answer(REFS.encode())]
    assert remote.refs() == REFS
    method, path, headers, _ = script.seen[0]
    assert (method, path) == ("GET", "/api/v1/repos/ns/name/refs")
    assert headers["Authorization"] == "Bearer ox_secret"
    assert headers["Ox-Protocol"] == "1"


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_hub_that_is_busy_is_asked_again_later(script, remote, slept, status):
    script.answers = [answer(b"<html>", status)] * 3 + [answer(REFS.encode())]
    assert remote.refs() == REFS
    assert len(slept) == 3
    assert slept[0] < slept[1] < slept[2] < 5
    assert remote.client.counters.requests == 4


def test_it_waits_as_long_as_the_hub_says(script, remote, slept):
    refusal = (503, {"Retry-After": "7"}, json.dumps(error_record(BusyError("x"))).encode(), None)
    absurd = (503, {"Retry-After": "99999"}, b"", None)
    script.answers = [refusal, absurd, answer(REFS.encode())]
    remote.refs()
    assert slept == [7, 30]


def test_it_gives_up(script, remote, slept):
    script.answers = [told(BusyError("writing"), 503)] * 4
    with pytest.raises(BusyError, match="writing"):
        remote.refs()
    assert len(slept) == 3


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (DeniedError("no"), 403),
        (NotFoundError("no"), 404),
        (RejectedError("moved", items=["a b"]), 409),
        (MissingError("gone", items=["00"]), 422),
        (StorageError("full"), 507),
        (OxError("fault"), 500),
    ],
)
def test_errors_come_back_as_they_were(script, remote, slept, error, status):
    script.answers = [told(error, status)]
    with pytest.raises(type(error), match=error.message) as caught:
        remote.refs()
    assert type(caught.value) is type(error)
    assert caught.value.items == error.items
    assert slept == []


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, DeniedError), (403, DeniedError), (404, NotFoundError), (301, UnreachableError)],
)
def test_answers_of_other_servers_are_told(script, remote, status, kind):
    script.answers = [answer(b"<html>", status, Location="/elsewhere")] * 4
    with pytest.raises(kind):
        remote.refs()
    assert {path for _, path, _, _ in script.seen} == {"/api/v1/repos/ns/name/refs"}


def test_nobody_there():
    remote = HttpRemote(
        "http://127.0.0.1:1", repo_name("a", "b"), None, None, Connection(sleep=lambda _: None)
    )
    with pytest.raises(UnreachableError, match=r"http://127\.0\.0\.1:1 does not answer"):
        remote.refs()
    remote.close()


def test_a_stream_that_is_cut_is_taken_up(script, remote):
    items = [raw(b"%d" % n * (1 << 20)) for n in range(4)]
    whole = b"".join(encode_stream(gathered(items)))
    rest = b"".join(encode_stream(gathered(items[2:])))
    # What is read together, 1 MiB, is lost where it is cut.
    script.answers = [answer(whole, cut=3 << 20), answer(rest, cut=16), answer(rest)]
    assert list(objects_of(remote.fetch([item.id for item in items]))) == items
    assert [len(body) // 32 for *_, body in script.seen] == [4, 2, 2]


def test_commits_are_given_once(script, remote):
    items = [raw(b"%d" % n * (1 << 20)) for n in range(3)]
    whole = b"".join(encode_stream(gathered(items)))
    script.answers = [answer(whole, cut=2 << 20), answer(whole)]
    assert list(objects_of(remote.commits(CommitsRequest((bytes(32),))))) == items


def test_a_stream_that_breaks_at_the_same_place_gives_up(script, remote, slept):
    whole = b"".join(encode_stream([run_of([raw(b"a")])]))
    script.answers = [answer(whole, cut=20)] * 4
    with pytest.raises(UnreachableError):
        list(remote.fetch([raw(b"a").id]))
    assert len(slept) == 3


def test_missing_ids_are_told_at_the_end(script, remote):
    script.answers = [answer(b"".join(encode_stream([run_of([raw(b"a")])], lambda: [b"\1" * 32])))]
    stream = remote.fetch([raw(b"a").id, b"\1" * 32])
    assert list(next(stream).objects()) == [raw(b"a")]
    with pytest.raises(MissingError):
        next(stream)


def test_a_swap_keeps_its_write_id(script, remote):
    script.answers = [answer(b"", 502), answer(SwapReply(3, True).encode())]
    assert remote.swap(SwapRequest((), "the-same-id")).repeated
    assert script.seen[0][3] == script.seen[1][3]


def test_a_put_is_not_repeated_by_itself(script, remote):
    script.answers = [answer(b"", 502)]
    with pytest.raises(UnreachableError):
        remote.put(iter([]))
    assert len(script.seen) == 1


def test_has_checks_the_answer(script, remote):
    script.answers = [answer(b"\x01\x00")]
    with pytest.raises(InvalidError):
        remote.has([bytes(32)])


def test_the_environment_is_not_read(script, server, monkeypatch, tmp_path):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login a password b")
    script.answers = [answer(b'{"user":"","scope":"none"}')]
    client = HubClient(server)
    assert client.whoami().scope == "none"
    assert "Authorization" not in script.seen[0][2]
    client.close()
