"""What the benchmark of capture runs in processes of their own: one tool, or one case, each."""

from __future__ import annotations

import base64
import json
import os
import resource
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from pathlib import Path

from benches import harness
from benches.results import Row

OUTPUT = {"label": "cat", "score": 0.61, "scores": {"cat": 0.61, "dog": 0.39}}
DEAD = "http://127.0.0.1:9/lab/speech"

Save = Callable[[bytes], object]


def latency(folder: Path, *, peer: str, size: int, count: int) -> None:
    """Time `count` calls of one tool."""
    datas = [os.urandom(size) for _ in range(64)]
    times = []
    with SAVERS[peer](folder) as save:
        for n in range(count + 20):
            data = datas[n % 64]
            begun = time.perf_counter_ns()
            save(data)
            times.append(time.perf_counter_ns() - begun)
            if n % 100 == 0:
                time.sleep(0.001)
        times = sorted(times[20:])
        _out(folder, {name: times[int(count * share)] / 1000 for name, share in SHARES.items()})
    os._exit(0)  # what is left in queues is not what is measured


SHARES = {"p50 us": 0.5, "p95 us": 0.95, "p99 us": 0.99}


def _out(folder: Path, row: Row) -> None:
    rounded = {key: round(value, 1) for key, value in row.items() if not isinstance(value, str)}
    (folder / "out.json").write_text(json.dumps(rounded), encoding="utf-8")


# -- what saves


@contextmanager
def with_ox(folder: Path) -> Iterator[Save]:
    """`ox.save` to a repository at a path."""
    import oxcore as ox

    place = str(folder / "repo")
    ox.Repo.init(place, bare=True, author="Ann").close()
    yield lambda data: ox.save(place, "deployed", "wild", data, OUTPUT, model="resnet@3f2c")


@contextmanager
def with_ox_power(folder: Path) -> Iterator[Save]:
    """The same, on the disk when it returns."""
    import oxcore as ox

    place = str(folder / "repo")
    ox.Repo.init(place, bare=True, author="Ann").close()
    yield lambda data: ox.save(place, "deployed", "wild", data, OUTPUT, durability="power")


@contextmanager
def with_append(folder: Path) -> Iterator[Save]:
    """A line of JSON and the bytes, appended to a file: no hash, no id, no bound."""
    handle = os.open(folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def save(data: bytes) -> None:
        record = {"time": time.time(), "output": OUTPUT, "model": "resnet@3f2c", "size": len(data)}
        os.writev(handle, [json.dumps(record).encode() + b"\n", data])

    yield save


@contextmanager
def with_hugging_face(folder: Path) -> Iterator[Save]:
    """A file an input and a line a record, under the lock of a CommitScheduler that never runs."""
    hub = import_module("huggingface_hub")

    class Offline:
        def create_repo(self, *_: object, **__: object) -> object:
            return type("Made", (), {"repo_id": "lab/speech"})()

    scheduler = hub.CommitScheduler(
        repo_id="lab/speech", folder_path=folder / "hf", every=1000, hf_api=Offline()
    )

    def save(data: bytes) -> None:
        name = os.urandom(16).hex()
        record = {"id": name, "time": time.time(), "output": OUTPUT, "model": "resnet@3f2c"}
        with scheduler.lock:
            (folder / "hf" / name).write_bytes(data)
            with (folder / "hf" / "log.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps(record) + "\n")

    yield save


@contextmanager
def with_mlflow(folder: Path) -> Iterator[Save]:
    """A trace with the input as text, into a store of files."""
    mlflow = import_module("mlflow")

    mlflow.set_tracking_uri((folder / "mlruns").as_uri())

    def save(data: bytes) -> None:
        with mlflow.start_span("predict") as span:
            span.set_inputs({"input": base64.b64encode(data).decode()})
            span.set_outputs(OUTPUT)

    yield save


@contextmanager
def with_langfuse(_: Path) -> Iterator[Save]:
    """A span with the input as text, queued for a server that does not answer."""
    langfuse = import_module("langfuse")
    client = langfuse.Langfuse(public_key="pk", secret_key="sk", host=DEAD)  # noqa: S106

    def save(data: bytes) -> None:
        text = base64.b64encode(data).decode()
        with client.start_as_current_observation(name="predict", input=text) as span:
            span.update(output=OUTPUT)

    yield save


SAVERS = {
    "ox": with_ox,
    "ox, power": with_ox_power,
    "append": with_append,
    "huggingface_hub": with_hugging_face,
    "mlflow": with_mlflow,
    "langfuse": with_langfuse,
}
PEERS: dict[str, str | None] = {
    "ox": None,
    "ox, power": None,
    "append": None,
    "huggingface_hub": "huggingface_hub",
    "mlflow": "mlflow",
    "langfuse": "langfuse",
}
"""Tool -> the module that must be there."""


def threads(folder: Path, *, count: int) -> None:
    """Saves of eight threads."""
    data = os.urandom(1000)
    with with_ox(folder) as save:
        save(data)

        def work() -> None:
            for _ in range(count):
                save(data)

        running = [threading.Thread(target=work) for _ in range(8)]
        begun = time.perf_counter()
        for one in running:
            one.start()
        for one in running:
            one.join()
        _out(folder, {"a second": 8 * count / (time.perf_counter() - begun)})
    check(folder, 8 * count + 1)


def check(folder: Path, count: int) -> None:
    """All of them are on the branch."""
    import oxcore as ox

    ox.flush()
    with ox.Repo.open(str(folder / "repo")) as repo:
        names = [p for p, _ in repo.walk("deployed") if p.endswith(b".parquet")]
        found = sum(len(repo.table(name, "deployed")) for name in names)
    if found != count:
        raise RuntimeError(f"{found} records arrived, of {count}")


def one_process(folder: Path, *, count: int) -> None:
    """Saves of one process of several."""
    import oxcore as ox

    for _ in range(count):
        ox.save(str(folder / "repo"), "deployed", "wild", os.urandom(1000), OUTPUT)


# -- a hub that does not answer


def dead_hub(folder: Path, *, seconds: int) -> None:
    """2,000 saves a second, with a spool that is bounded to 64 MiB."""
    import oxcore as ox

    data, worst, saved = os.urandom(1000), 0, 0
    save = partial(ox.save, DEAD, "deployed", "wild", max_bytes=64 << 20, spool=str(folder / "s"))
    for _ in range(100):
        save(data, OUTPUT)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begun = time.perf_counter()
    while (passed := time.perf_counter() - begun) < seconds:
        while saved < 2000 * passed:
            start = time.perf_counter_ns()
            save(data, OUTPUT)
            worst = max(worst, time.perf_counter_ns() - start)
            saved += 1
        time.sleep(0.001)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    spool = sum(os.path.getsize(path) for path in harness.walk(folder / "s"))
    row: Row = {"saved": saved, "RSS grew MB": grown / 1024, "spool MiB": spool / harness.MIB}
    _out(folder, {**row, "worst ms": worst / 1e6})
    os._exit(0)
