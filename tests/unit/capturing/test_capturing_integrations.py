"""Where models are served: ASGI on a true server, clients of the shape of OpenAI's, Gradio."""

import asyncio
import http.client
import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest
import uvicorn
from support.captures import records, shards

import oxcore as ox


@pytest.fixture
def place(repo):
    return {"repo": repo.path, "branch": "deployed", "directory": "wild"}


@pytest.fixture
def rows(repo):
    def sent():
        ox.flush()
        found = []
        for row in records(repo):
            asked = row["input"] and repo.read(f"wild/{row['input']['path']}", "deployed")
            told = None if row["output"] is None else json.loads(row["output"])
            params = None if row["params"] is None else json.loads(row["params"])
            found.append({**row, "asked": asked, "output": told, "params": params})
        return found

    return sent


# -- ASGI


async def model(scope, receive, send):
    """An application with an answer for each path."""
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    asked, more = b"", True
    while more:
        message = await receive()
        asked += message.get("body", b"")
        more = message.get("more_body", False)
    if scope["path"] == "/breaks":
        raise ValueError("the model broke")
    status = 503 if scope["path"] == "/busy" else 200
    kinds = {"/stream": b"text/event-stream", "/image": b"image/png"}
    kind = kinds.get(scope["path"], b"application/json")
    head = {"type": "http.response.start", "status": status, "headers": [(b"content-type", kind)]}
    await send(head)
    if scope["path"] == "/stream":
        for word in (b"one ", b"two"):
            await send({"type": "http.response.body", "body": word, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    else:
        body = b"\x89PNG" if scope["path"] == "/image" else json.dumps({"n": len(asked)}).encode()
        await send({"type": "http.response.body", "body": body})


@contextmanager
def running(app):
    config = uvicorn.Config(app, port=0, log_level="critical", lifespan="on")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()


def ask(port, path, body=b"", method="POST", kind="application/json"):
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    line.request(method, path, body, {"Content-Type": kind})
    answer = line.getresponse()
    data = answer.read()
    line.close()
    return answer.status, data, answer.headers.get("ox-record-id")


def test_requests_and_answers_of_a_server_are_records(place, rows):
    app = ox.CaptureMiddleware(model, most=1000, model="m@1", **place)
    with running(app) as port:
        told = [
            ask(port, "/predict?k=1", b'{"x":1}'),
            ask(port, "/predict", b"y" * 5000, kind="image/jpeg"),
            ask(port, "/breaks", b"bad"),
            ask(port, "/busy", b"busy"),
            ask(port, "/stream", b"s", kind="text/plain; charset=utf-8"),
            ask(port, "/image", b"i"),
            ask(port, "/predict", method="GET"),
        ]
    assert [status for status, _, _ in told] == [200, 200, 500, 503, 200, 200, 200]
    assert told[0][1] == b'{"n": 7}'
    assert told[4][1] == b"one two"
    plain, large, broken, busy, stream, image = rows()
    assert plain["record_id"] == told[0][2]
    assert (plain["asked"], plain["output"], plain["input"]["mime"]) == (
        b'{"x":1}',
        {"n": 7},
        "application/json",
    )
    assert plain["params"] == {
        "method": "POST",
        "path": "/predict",
        "http_status": 200,
        "query": "k=1",
    }
    assert plain["model"]["name"] == "m"
    assert large["input"] is None
    assert large["params"]["input_left_out_bytes"] == 5000
    assert (broken["status"], broken["error"]) == ("error", "ValueError: the model broke")
    assert broken["asked"] == b"bad"
    assert (busy["status"], busy["error"], busy["output"]) == ("error", "HTTP 503", {"n": 4})
    assert (stream["output"], stream["input"]["mime"]) == ("one two", "text/plain")
    assert image["output"] == {"content_type": "image/png", "size": 4}
    assert told[6][2] is None


def test_paths_choose_what_is_captured(place, rows):
    app = ox.CaptureMiddleware(model, paths=["/predict"], methods=["post"], **place)
    with running(app) as port:
        ask(port, "/other", b"a")
        ask(port, "/predict/cats", b"b")
        ask(port, "/predict", b"c", method="PUT")
    assert [row["asked"] for row in rows()] == [b"b"]


def test_under_starlette(place, rows):
    applications = pytest.importorskip("starlette.applications")
    responses = pytest.importorskip("starlette.responses")
    routing = pytest.importorskip("starlette.routing")

    async def predict(request):
        return responses.JSONResponse({"got": await request.json()})

    app = applications.Starlette(routes=[routing.Route("/predict", predict, methods=["POST"])])
    app.add_middleware(ox.CaptureMiddleware, **place)
    with running(app) as port:
        assert ask(port, "/predict", b"[1]")[1] == b'{"got":[1]}'
    assert rows()[0]["output"] == {"got": [1]}


# -- clients of the shape of OpenAI's


def chunk(text=None, reason=None):
    return {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": reason}]}


WHOLE = {
    "id": "c1",
    "object": "chat.completion",
    "created": 1,
    "model": "small",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Hello"},
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4},
}
MESSAGES = [{"role": "user", "content": "Say hello"}]


class Completions:
    def create(self, *, model, messages, stream=False, temperature=1.0):
        if model == "broken":
            raise RuntimeError("no such model")
        return iter([chunk("Hel"), chunk("lo"), chunk(reason="stop")]) if stream else WHOLE


class AsyncCompletions:
    async def create(self, *, model, messages, stream=False):
        async def parts():
            for part in (chunk("Hel"), chunk("lo", "stop")):
                yield part

        return parts() if stream else WHOLE


def client_of(completions):
    return SimpleNamespace(chat=SimpleNamespace(completions=completions), base_url="here")


KEPT = {
    "role": "assistant",
    "content": "Hello",
    "finish_reason": "stop",
    "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4},
}


def test_completions_are_records(place, rows):
    client = ox.wrap_client(client_of(Completions()), **place, tags=["chat"])
    assert client.base_url == "here"
    create = client.chat.completions.create
    assert create(model="small", messages=MESSAGES, temperature=0.2) is WHOLE
    told = list(create(model="small", messages=MESSAGES, stream=True))
    assert [part["choices"][0]["delta"]["content"] for part in told] == ["Hel", "lo", None]
    with pytest.raises(RuntimeError, match="no such model"):
        create(model="broken", messages=MESSAGES)
    half = create(model="small", messages=MESSAGES, stream=True)
    next(half)
    del half
    whole, streamed, broken, half = rows()
    assert (half["output"]["content"], half["status"]) == ("Hel", "error")
    assert half["error"] == "RuntimeError: the stream was not read to its end"
    assert (whole["output"], whole["params"]) == (KEPT, {"temperature": 0.2})
    assert json.loads(whole["asked"]) == MESSAGES
    assert (whole["model"]["name"], whole["tags"]) == ("small", ["chat"])
    assert streamed["output"] == {"role": "assistant", "content": "Hello", "finish_reason": "stop"}
    assert streamed["params"] == {"stream": True}
    assert (broken["status"], broken["error"]) == ("error", "RuntimeError: no such model")


def test_async_completions(place, rows):
    create = ox.wrap_client(client_of(AsyncCompletions()), **place).chat.completions.create

    async def work():
        assert await create(model="small", messages=MESSAGES) is WHOLE
        stream = await create(model="small", messages=MESSAGES, stream=True)
        return [part async for part in stream]

    assert len(asyncio.run(work())) == 2
    whole, streamed = rows()
    assert whole["output"] == KEPT
    assert streamed["output"]["content"] == "Hello"


class Completer(BaseHTTPRequestHandler):
    """What answers a true client: whole, or as events."""

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        lines = [json.dumps({**WHOLE, "object": "chat.completion.chunk", **one}) for one in PARTS]
        events = "".join(f"data: {line}\n\n" for line in [*lines, "[DONE]"])
        body = events if asked.get("stream") else json.dumps(WHOLE)
        self.send_response(200)
        self.send_header(
            "content-type", "text/event-stream" if asked.get("stream") else "application/json"
        )
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *args):
        pass


PARTS = [{**chunk("Hel"), "usage": None}, {**chunk("lo", "stop"), "usage": None}]


def test_the_client_of_openai_itself(place, rows):
    openai = pytest.importorskip("openai")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Completer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_address[1]}/v1"
    try:
        with openai.OpenAI(api_key="k", base_url=base) as true:
            client = ox.wrap_client(true, **place)
            told = client.chat.completions.create(model="small", messages=MESSAGES)
            assert told.choices[0].message.content == "Hello"
            with client.chat.completions.create(
                model="small", messages=MESSAGES, stream=True
            ) as stream:
                text = "".join(part.choices[0].delta.content for part in stream)
            assert text == "Hello"
    finally:
        server.shutdown()
        server.server_close()
    whole, streamed = rows()
    assert (whole["output"]["content"], streamed["output"]["content"]) == ("Hello", "Hello")
    assert whole["output"]["usage"]["total_tokens"] == 4


# -- Gradio


def test_what_is_flagged_is_saved_with_a_vote(place, rows, repo):
    flags = ox.gradio_flags(**place, model="m@1")
    parts = [SimpleNamespace(label="image"), SimpleNamespace(label="label")]
    flags.setup(parts, "flagged")
    assert flags.flag([b"\x89PNG\r\n\x1a\n", {"label": "cat"}], "wrong", "ann") == 1
    assert flags.flag(["text", "dog"]) == 2
    one, two = rows()
    assert (one["asked"], one["output"]) == (b"\x89PNG\r\n\x1a\n", {"label": {"label": "cat"}})
    assert (two["asked"], two["output"], two["model"]["version"]) == (
        b"text",
        {"label": "dog"},
        "1",
    )
    [event] = shards(repo, "deployed", "wild", "feedback/")
    assert (event["record_id"], event["kind"], event["value"]) == (
        one["record_id"],
        "vote",
        '"wrong"',
    )
    assert (event["source"], event["author"]) == ("gradio", "ann")


def test_files_that_are_flagged_are_read(place, rows, tmp_path):
    flags = ox.gradio_flags(**place)
    (tmp_path / "a.png").write_bytes(b"picture")
    shown = {"path": str(tmp_path / "a.png"), "meta": {"_type": "gradio.FileData"}}
    flags.flag([shown, "cat"], "right")
    [row] = rows()
    assert (row["asked"], row["input"]["mime"]) == (b"picture", "image/png")
    assert row["output"] == {"component 1": "cat"}


@pytest.mark.filterwarnings("ignore")  # Gradio's own: loops and sockets that it leaves open
def test_an_interface_of_gradio_itself(place, rows, repo, monkeypatch):
    monkeypatch.setenv("GRADIO_ANALYTICS_ENABLED", "False")
    gradio = pytest.importorskip("gradio")
    demo = gradio.Interface(
        lambda text: text.upper(),
        gradio.Textbox(label="asked"),
        gradio.Textbox(label="told"),
        flagging_mode="manual",
        flagging_options=["wrong", "right"],
        flagging_callback=ox.gradio_flags(**place),
    )
    demo.launch(prevent_thread_lock=True, server_name="127.0.0.1", quiet=True)
    buttons = [found.fn for found in demo.fns.values() if type(found.fn).__name__ == "FlagMethod"]
    wrong = next(button for button in buttons if button.value == "wrong")
    wrong(SimpleNamespace(username="ann"), "hello", "HELLO")
    demo.close()
    [row] = rows()
    assert (row["asked"], row["output"]) == (b"hello", {"told": "HELLO"})
    [event] = shards(repo, "deployed", "wild", "feedback/")
    assert (event["value"], event["author"]) == ('"wrong"', "ann")
