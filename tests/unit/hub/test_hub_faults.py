"""Lines that break and hubs that die lose nothing, and nothing is sent twice without need."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from oxcore.errors import UnreachableError
from oxcore.model.counters import Counters
from oxcore.remote import Connection, HttpRemote
from oxcore.repo import Repository
from oxcore.testing.histories import MAIN, commit_files, files_of, many_files, set_ref, update
from oxcore.testing.proxy import CuttingProxy
from oxcore.testing.stores import noise
from oxcore.transfer import fetch, push, send
from oxcore.wire.routes import repo_name

SIZE = 24_000_000


@pytest.fixture(autouse=True)
def short_waiting(monkeypatch):
    # Long enough for the hub to notice the break and to seal what came before it.
    monkeypatch.setattr(send, "pause", lambda attempt: time.sleep(0.4))


@pytest.fixture
def here(tmp_path):
    with Repository.init(str(tmp_path / "here"), bare=True) as repo:
        yield repo


@pytest.fixture
def there(tmp_path):
    with Repository.init(str(tmp_path / "there"), bare=True) as repo:
        yield repo


@pytest.fixture
def proxy(hub):
    host, port = hub.url.removeprefix("http://").split(":")
    with CuttingProxy((host, int(port))) as found:
        yield found


def files():
    return {**many_files(400), b"big": noise(1, SIZE)}


def test_a_push_over_a_line_that_breaks_sends_the_rest_only(here, hub, proxy, remote):
    direct = remote("cut-push")
    size = 48_000_000
    one = commit_files(here, {**many_files(400), b"big": noise(1, size)})
    proxy.cuts.upload = [size * 3 // 4]
    far = remote("cut-push", create=False, url=f"http://127.0.0.1:{proxy.port}")
    report = push(here, far, [update(MAIN, None, one)])
    assert proxy.made >= 2
    whole = size + 400 * 200
    # What was in buffers when the line broke is sent again: some MB, not the 36 that got through.
    assert whole < report.nbytes < whole + 20_000_000
    assert direct.refs().refs == {MAIN: one.hex()}


def test_a_push_that_fails_is_taken_up_by_the_next(here, hub, proxy, remote):
    direct = remote("dead-push")
    one = commit_files(here, files())
    far = remote("dead-push", create=False, url=f"http://127.0.0.1:{proxy.port}")
    far.refs()
    proxy.cuts.upload = [SIZE // 2] + [0] * 20
    far.close()
    with pytest.raises(UnreachableError):
        push(here, far, [update(MAIN, None, one)], refs=direct.refs())
    assert here.counters.bytes_sent > SIZE // 2
    report = push(here, direct, [update(MAIN, None, one)])
    assert report.nbytes < 0.7 * SIZE
    assert direct.refs().refs == {MAIN: one.hex()}


def test_a_fetch_over_a_line_that_breaks_asks_for_the_rest_only(here, there, proxy, remote):
    direct = remote("cut-fetch")
    content = files()
    one = commit_files(here, content)
    push(here, direct, [update(MAIN, None, one)])
    counters = Counters()
    url = f"http://127.0.0.1:{proxy.port}"
    far = remote("cut-fetch", create=False, url=url, counters=counters)
    proxy.cuts.download = [3_000_000, 8_000_000, None]
    report = fetch(there, far, [one])
    assert files_of(there, one) == content
    assert report.nbytes < SIZE + 2_000_000
    assert proxy.made == 3


def test_an_interrupted_clone_goes_on_where_it_stopped(here, there, proxy, remote):
    direct = remote("dead-fetch")
    content = {**files(), b"large": noise(2, 70_000_000)}
    one = commit_files(here, content)
    push(here, direct, [update(MAIN, None, one)])
    far = remote("dead-fetch", create=False, url=f"http://127.0.0.1:{proxy.port}")
    far.refs()
    far.close()
    proxy.cuts.download = [72_000_000] + [0] * 20
    with pytest.raises(UnreachableError):
        fetch(there, far, [one])
    report = fetch(there, direct, [one])
    assert report.nbytes < 40_000_000
    assert files_of(there, one) == content


def test_a_lost_answer_to_a_swap_is_no_conflict(here, proxy, remote):
    direct = remote("lost-swap")
    one = commit_files(here, {b"a": b"1"})
    far = remote("lost-swap", create=False, url=f"http://127.0.0.1:{proxy.port}")
    proxy.cuts.lose = b"/swap HTTP"
    report = push(here, far, [update(MAIN, None, one)])
    assert proxy.cuts.lose == b""
    assert report.swap.repeated
    assert direct.refs().refs == {MAIN: one.hex()}


SERVE = """
import sys
from oxcore.hub import ServeOptions, serve
options = ServeOptions(port=int(sys.argv[2]), anonymous="write")
serve(sys.argv[1], options, listening=lambda url: print(url, flush=True))
"""


def start_hub(root, port):
    done = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(root), str(port)], stdout=subprocess.PIPE, text=True
    )
    url = done.stdout.readline().strip()
    return done, url


def stop_hub(process):
    process.stdout.close()
    process.send_signal(signal.SIGINT)
    return process.wait(20)


def test_a_hub_that_is_killed_in_a_push_loses_nothing(tmp_path, here, there, monkeypatch):
    process, url = start_hub(tmp_path / "root", 0)
    quick = Connection(connect=2, answer=20, tries=50, sleep=lambda _: time.sleep(0.1))
    monkeypatch.setattr(send, "pause", lambda attempt: time.sleep(0.1))
    port = int(url.rsplit(":", 1)[1])
    with CuttingProxy(("127.0.0.1", port)) as proxy:
        name = repo_name("lab", "killed")
        remote = HttpRemote(f"http://127.0.0.1:{proxy.port}", name, connection=quick)
        one = commit_files(here, files())
        push(here, remote, [update(MAIN, None, one)])
        two = commit_files(here, {**files(), b"second": noise(9, SIZE)}, [one])
        before = proxy.up
        pushed = []
        thread = threading.Thread(
            target=lambda: pushed.append(push(here, remote, [update(MAIN, one, two)]))
        )
        thread.start()
        while proxy.up < before + SIZE // 3:
            time.sleep(0.001)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
        process, url = start_hub(tmp_path / "root", port)
        thread.join(60)
        assert pushed
        assert remote.refs().refs == {MAIN: two.hex()}
        fetch(there, remote, [two])
        assert files_of(there, two)[b"second"] == noise(9, SIZE)
        assert files_of(there, one) == files()
        remote.close()
    assert stop_hub(process) == 0


def test_two_pushes_at_once_one_wins(tmp_path, here, remote):
    first = remote("race")
    base = commit_files(here, {b"a": b"0"})
    push(here, first, [update(MAIN, None, base)])
    repos = [Repository.init(str(tmp_path / f"racer{n}"), bare=True) for n in range(4)]
    lines = [remote("race", create=False) for _ in repos]
    results = []

    def race(repo, line, n):
        fetch(repo, line, [base])
        set_ref(repo, MAIN, base)
        new = commit_files(repo, {b"a": b"%d" % n, **many_files(50, n * 1000)}, [base])
        ready.wait()
        try:
            push(repo, line, [update(MAIN, base, new)])
            results.append(("won", new))
        except Exception as error:  # noqa: BLE001
            results.append((getattr(error, "kind", repr(error)), new))

    ready = threading.Barrier(len(repos))
    threads = [
        threading.Thread(target=race, args=(repo, line, n))
        for n, (repo, line) in enumerate(zip(repos, lines, strict=True))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winners = [new for what, new in results if what == "won"]
    assert sorted(what for what, _ in results) == ["rejected"] * 3 + ["won"]
    assert first.refs().refs == {MAIN: winners[0].hex()}
    for repo in repos:
        repo.close()
