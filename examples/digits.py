"""A model fails in service; its failures are found, mended and proved to be mended.

    python examples/digits.py [--small] [--keep FOLDER] [--html FILE]

A small model that reads digits (those of scikit-learn) is served by uvicorn on loopback. A second
camera is put up, and it hangs on its side. All that the model does is captured (ASGI middleware);
people say what some of the pictures are; a report shows where the errors are; these become a slice,
the slice a request to who owns the model and training data, and a second model learns from it. ox
compare proves what was fixed, and what broke, and the request is closed. Every step is a commit. It
ends with an error unless the second model is better.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import csv
import http.client
import io
import json
import os
import shlex
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import uvicorn
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import oxcore as ox
from oxcli.main import run
from oxcore.capturing import REGISTRY
from oxcore.capturing.asgi import App, Message, Receive, Send

SHOWN = 26  # lines of a command's output
SPLIT = "0.4"  # of what was captured, for the test
CAMERAS = ("camera-1", "camera-2")  # the second hangs on its side


class Picture(NamedTuple):
    """What a camera sees: a PNG of 8 x 8 pixels, and the digit that it is."""

    name: str
    camera: str
    png: bytes
    digit: str


class Seen(NamedTuple):
    """A picture that was sent to the model: its record, and the answer."""

    picture: Picture
    record: str
    answer: str


class Model:
    """A forest that tells digits apart, and how sure it is."""

    def __init__(self, pngs: Sequence[bytes], digits: Sequence[str]) -> None:
        self._forest = RandomForestClassifier(60, random_state=0, n_jobs=1)
        self._forest.fit(np.stack([pixels(png) for png in pngs]), digits)

    def predict(self, pngs: Sequence[bytes]) -> list[tuple[str, float]]:
        """Digit and confidence of each picture."""
        shares = self._forest.predict_proba(np.stack([pixels(png) for png in pngs]))
        best = shares.argmax(axis=1)
        names = self._forest.classes_[best]
        return [
            (str(name), float(row[at])) for name, row, at in zip(names, shares, best, strict=True)
        ]


def pixels(png: bytes) -> np.ndarray[Any, Any]:
    """A picture as 64 numbers."""
    with Image.open(io.BytesIO(png)) as image:
        return np.asarray(image, dtype=np.float32).ravel() / 255


def pictures(*, small: bool) -> tuple[list[Picture], list[Picture], list[Picture]]:
    """For the first model; what the cameras see (a third of it the second one); for the proof."""
    data = load_digits()
    order = np.random.RandomState(0).permutation(len(data.images))
    first, last = (300, 750) if small else (700, 1450)

    def made(at: int, camera: str) -> Picture:
        turned = np.rot90(data.images[at]) if camera == CAMERAS[1] else data.images[at]
        out = io.BytesIO()
        Image.fromarray((turned * 15).astype(np.uint8)).save(out, "PNG")
        return Picture(f"digit-{at:04}", camera, out.getvalue(), str(data.target[at]))

    wild = [made(at, CAMERAS[n % 3 == 2]) for n, at in enumerate(order[first:last])]
    base = [made(at, CAMERAS[0]) for at in order[:first]]
    return base, wild, [made(at, CAMERAS[0]) for at in order[last : last + 300]]


# -- in service


def service(model: Model, repo: Path) -> App:
    """The model as an ASGI application: a picture is posted, JSON comes back. Each camera has its
    path, and its tag on what is captured."""

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        label, score = model.predict([body])[0]
        answer = json.dumps({"label": label, "score": round(score, 4)}).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    wrapped: App = app
    for camera in CAMERAS:
        wrapped = ox.CaptureMiddleware(
            wrapped,
            repo=str(repo),
            branch="deployed",
            directory="wild",
            model="digits@1",
            tags=[camera],
            paths=[f"/{camera}"],
        )
    return wrapped


@contextlib.contextmanager
def served(app: App) -> Iterator[int]:
    """The application behind uvicorn on loopback, in a thread of its own; gives the port."""
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()))
    thread.start()
    try:
        while not server.started:
            if not thread.is_alive():
                sys.exit("the server did not start")
            time.sleep(0.01)
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()


def ask(port: int, seen: Sequence[Picture]) -> list[Seen]:
    """Post each picture as its camera would."""
    link = http.client.HTTPConnection("127.0.0.1", port)
    answers = []
    for one in seen:
        link.request("POST", f"/{one.camera}/predict", one.png, {"Content-Type": "image/png"})
        reply = link.getresponse()
        label = json.loads(reply.read())["label"]
        answers.append(Seen(one, reply.headers["ox-record-id"], label))
    link.close()
    return answers


# -- the shell


def step(text: str) -> None:
    """Say what comes now."""
    print(f"\n== {text}", flush=True)


def shell(*words: str, shown: int = SHOWN, code: int = 0) -> None:
    """Run ``ox`` as if it were typed, and show it; ends this program unless it ends so."""
    home = str(Path.cwd().parent)
    print(f"\n$ ox {shlex.join(words)}".replace(home, ".."))
    out, start = io.StringIO(), time.perf_counter()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        ended = run(list(words))
    lines = out.getvalue().replace(home, "..").rstrip().splitlines()
    print(*(f"  {line}" for line in lines[:shown]), sep="\n")
    if len(lines) > shown:
        print(f"  ... {len(lines) - shown} lines more")
    told = f", exit code {ended}" if ended else ""
    print(f"  ({time.perf_counter() - start:.2f} s{told})", flush=True)
    if ended != code:
        sys.exit(f"that ended with {ended}")


def table(path: Path, head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Write a CSV."""
    with path.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([head, *rows])


# -- the story


def begin(base: Sequence[Picture]) -> None:
    """A repository with what the first model learns from."""
    step("a dataset, and a first model")
    shell("init")
    folder = Path("base")
    folder.mkdir()
    for one in base:
        (folder / f"{one.name}.png").write_bytes(one.png)
    rows = [(f"{one.name}.png", one.digit) for one in base]
    table(folder / "train.csv", ("path", "label"), rows)
    shell("add", ".")
    shell("commit", "-m", "digits to begin with")


def capture(model: Model, wild: Sequence[Picture]) -> list[Seen]:
    """The model in service: what it is asked and answers lands on the branch deployed."""
    step("the model in service; the second camera hangs on its side, and nobody knows")
    with served(service(model, Path.cwd())) as port:
        start = time.perf_counter()
        seen = ask(port, wild)
        spent = time.perf_counter() - start
    ox.flush()
    print(f"  {len(seen)} requests in {spent:.1f} s, each of them captured")
    shell("report", "deployed", "wild", shown=8)
    return seen


def find(seen: Sequence[Seen], html: Path) -> None:
    """People say what pictures are; the report shows where the errors lie; that is a slice."""
    step("one visitor corrects an answer; then two thirds of the pictures are looked at")
    wrong = next(one for one in seen if one.answer != one.picture.digit)
    ox.feedback(wrong.record, "correction", {"label": wrong.picture.digit}, source="user")
    ox.flush()
    REGISTRY.close()  # out of service: nothing writes to the folder from here on
    looked = [(one.record, one.picture.digit) for n, one in enumerate(seen) if n % 9 < 6]
    truth = Path.cwd().parent / "truth.csv"
    table(truth, ("record", "digit"), looked)
    shell("label", "import", str(truth), "--key", "record", "--value", "digit", "deployed", "wild")
    step("where are the errors?")
    shell("report", "deployed", "wild", "--by", "tags")
    shell("failures", "deployed", "wild", "-n", "5")
    step("the second camera: a slice, kept beside the records")
    shell("switch", "deployed")
    shell("slice", "add", "sideways", "--tag", CAMERAS[1], "--about", "the camera on its side")
    shell("commit", "-m", "slice: sideways")
    shell("report", "deployed", "wild", "--by", "tags", "--html", str(html), "-f")
    shell("switch", "main")
    step("who owns the model is asked for better, on what will be kept for the test")
    words = ("--slice", "sideways", "--split", SPLIT, "--at-least", "0.6", "--owner", "Grace")
    shell("request", "open", "sideways", "deployed", "wild", *words)


def mend() -> tuple[list[Picture], Model]:
    """The slice becomes data, split for good; a second model learns of it as well."""
    step("the slice becomes training data, and a test that is kept apart")
    shell("promote", "deployed", "wild", "--slice", "sideways", "--to", "both", "--split", SPLIT)
    shell("commit", "-m", "digits of the second camera")
    out = Path.cwd().parent / "captured"
    shell("export", "main", "data", "--format", "imagefolder", "-o", str(out))
    with Path("base/train.csv").open(newline="") as file:
        base = [
            (Path("base", row["path"]).read_bytes(), row["label"]) for row in csv.DictReader(file)
        ]
    new = [(one.png, one.digit) for one in exported(out / "train")]
    step(f"a second model, of {len(base)} digits as before and {len(new)} that were captured")
    pngs, digits = zip(*base, *new, strict=True)
    return exported(out / "test"), Model(pngs, digits)


def exported(folder: Path) -> list[Picture]:
    """The pictures of a folder as ``ox export --format imagefolder`` writes it."""
    rows = map(json.loads, (folder / "metadata.jsonl").read_text(encoding="utf-8").splitlines())
    return [
        Picture(
            row["record_id"], CAMERAS[1], (folder / row["file_name"]).read_bytes(), row["label"]
        )
        for row in rows
    ]


def prove(old: Model, new: Model, kept: Sequence[Picture]) -> None:
    """Both models on the same truth; what was fixed and what broke."""
    step("the proof: both models on pictures that neither has seen")
    rows = [(one.name, one.digit, one.camera) for one in kept]
    table(Path("gold.csv"), ("picture", "label", "camera"), rows)
    shell("add", "gold.csv")
    shell("commit", "-m", "what is true")
    pngs = [one.png for one in kept]
    for name, model in (("old", old), ("new", new)):
        said = [(row[0], *answer) for row, answer in zip(rows, model.predict(pngs), strict=True)]
        file = Path.cwd().parent / f"{name}.csv"
        table(file, ("picture", "prediction", "confidence"), said)
        words = ("--on", "main:gold.csv", "--key", "picture", "--by", "camera")
        shell("eval", "--pred", str(file), *words)
    shell("compare", "old", "new", "-n", "5", shown=40)
    step("the request that was opened: the second model meets it, and that closes it")
    words = ("--pred", str(Path.cwd().parent / "new.csv"), "--key", "picture")
    shell("request", "test", "sideways", *words, "--model", "digits@2", "--head", "0")
    shell("request", "list", "--all")
    step("as a gate: the other way round it is a regression")
    shell("compare", "new", "old", "-n", "0", code=1)
    shell("log", "--oneline")


def main() -> None:
    """Read the arguments and run the story in a folder that goes when it is done."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="work here, and leave it")
    parser.add_argument("--html", type=Path, default=Path("report.html"), metavar="FILE")
    parser.add_argument("--small", action="store_true", help="fewer pictures")
    args = parser.parse_args()
    html = args.html.resolve()
    with tempfile.TemporaryDirectory(prefix="ox-digits-") as scratch:
        home = Path(args.keep or scratch).resolve()
        work = home / "digits"
        work.mkdir(parents=True)
        known = {"CONFIG_HOME": home / "config", "STATE_HOME": home / "state"}
        os.environ.update({f"OX_{name}": str(path) for name, path in known.items()})
        os.environ.update({"OX_AUTHOR_NAME": "Ada", "OX_AUTHOR_EMAIL": "ada@example.org"})
        here = Path.cwd()
        os.chdir(work)
        try:
            tell(html, small=args.small)
        finally:
            os.chdir(here)


def tell(html: Path, *, small: bool) -> None:
    """The whole story, in the present folder."""
    start = time.perf_counter()
    base, wild, kept = pictures(small=small)
    begin(base)
    old = Model([one.png for one in base], [one.digit for one in base])
    seen = capture(old, wild)
    find(seen, html)
    test, new = mend()
    prove(old, new, [*kept, *test])
    print(f"\nthe report: {html}\n{time.perf_counter() - start:.0f} s in all")


if __name__ == "__main__":
    main()
