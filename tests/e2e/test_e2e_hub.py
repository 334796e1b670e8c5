"""Two people and a hub, each a process of its own: the whole way, and both ways."""

import signal

import pytest
from support import dataset
from support.objects import of_version, opened, present
from support.processes import HubProcess, finish, wait_for

LARGE_ROWS = 460_000  # about 20 MB


@pytest.fixture
def a(ox, hub, tmp_path):
    """A dataset of version 1, committed and pushed to lab/shapes."""
    folder = tmp_path / "a"
    ox("init", folder)
    dataset.make(folder)
    ox("add", ".", cwd=folder)
    ox("commit", "-m", "version 1", cwd=folder)
    ox("remote", "add", "origin", f"{hub.url}/lab/shapes", cwd=folder)
    ox("push", cwd=folder)
    return folder


@pytest.fixture
def b(ox, hub, a, tmp_path):
    """A clone of it."""
    folder = tmp_path / "b"
    ox("clone", f"{hub.url}/lab/shapes", folder)
    return folder


def commit(ox, folder, message="change"):
    ox("add", "-A", cwd=folder)
    ox("commit", "-m", message, cwd=folder)


def test_bit_for_bit_there_and_back(ox, a, b):
    first = dataset.snapshot(a)
    assert dataset.snapshot(b) == first
    assert ox("status", "--json", cwd=b).json["clean"]
    dataset.revise(b)
    commit(ox, b, "version 2")
    told = ox("push", "--json", cwd=b).json
    with opened(b) as repo:
        new = of_version(repo, "HEAD", "HEAD~1") - of_version(repo, "HEAD~1")
    assert told["sent"]["objects"] == len(new)  # what version 1 had too does not travel
    assert told["not_sent_again"]["objects"] > 0
    assert ox("pull", "--json", cwd=a).json["result"] == "fast-forward"
    assert dataset.snapshot(a) == dataset.snapshot(b) != first
    ox("switch", "--detach", "HEAD~1", cwd=b)
    assert dataset.snapshot(b) == first


def test_both_change_merge_and_settle(ox, a, b):
    dataset.put(a, "labels.csv", b"of a\n")
    dataset.put(a, "only-a.txt", b"a\n")
    commit(ox, a)
    ox("push", cwd=a)
    dataset.put(b, "labels.csv", b"of b\n")
    dataset.put(b, "only-b.txt", b"b\n")
    commit(ox, b)
    refused = ox("push", cwd=b, code=15)
    assert "hint: ox pull, then push again" in refused.err
    conflict = ox("pull", cwd=b, code=9)
    assert "labels.csv  (both changed it; its rows are not merged: no column" in conflict.err
    assert (b / "only-a.txt").exists()
    ox("resolve", "--both", "labels.csv", cwd=b)
    ox("commit", "-m", "settled", cwd=b)
    ox("push", cwd=b)
    ox("pull", "--ff-only", cwd=a)
    assert dataset.snapshot(a) == dataset.snapshot(b)
    assert {content[2] for path, content in dataset.snapshot(a).items() if b"labels" in path} == {
        b"of a\n",
        b"of b\n",
    }


def test_merges_from_both_sides_end_in_one_history(ox, a, b):
    for number in range(3):
        for folder in (a, b):
            dataset.put(folder, f"{folder.name}/{number}.txt", b"x")
            commit(ox, folder)
            ox("pull", cwd=folder)
            ox("push", cwd=folder)
    ox("pull", cwd=a)
    assert dataset.snapshot(a) == dataset.snapshot(b)
    heads = {ox("show", "--json", cwd=folder).json["id"] for folder in (a, b)}
    assert len(heads) == 1
    assert ox("log", "--oneline", cwd=a).out == ox("log", "--oneline", cwd=b).out


def test_two_pushes_at_once_one_wins(ox, a, b):
    for folder in (a, b):
        dataset.put(folder, f"{folder.name}.bin", dataset.noise(7, 3_000_000))
        commit(ox, folder)
    started = [(folder, ox.start("push", cwd=folder)) for folder in (a, b)]
    done = {folder: finish(process) for folder, process in started}
    assert sorted(one.code for one in done.values()) == [0, 15]
    loser = next(folder for folder, one in done.items() if one.code == 15)
    assert "ox pull, then push again" in done[loser].err
    ox("pull", cwd=loser)
    ox("push", cwd=loser)
    winner = b if loser == a else a
    ox("pull", "--ff-only", cwd=winner)
    assert dataset.snapshot(a) == dataset.snapshot(b)


def test_one_row_of_a_large_table(ox, hub, tmp_path):
    folder = tmp_path / "table"
    ox("init", folder)
    dataset.put(folder, "labels.csv", dataset.table(LARGE_ROWS))
    for number in range(300):
        dataset.put(folder, f"dir{number % 9}/{number}.txt", b"%d\n" % number)
    commit(ox, folder)
    ox("push", f"{hub.url}/lab/table", "main", cwd=folder)
    assert (folder / "labels.csv").stat().st_size > 20_000_000
    dataset.edit_row(folder / "labels.csv", LARGE_ROWS // 2, "another")
    commit(ox, folder)
    told = ox("--stats", "push", "--json", f"{hub.url}/lab/table", "main", cwd=folder).json
    with opened(folder) as repo:
        before = of_version(repo, "HEAD~1")
        after = of_version(repo, "HEAD", "HEAD~1")
    assert told["sent"]["objects"] == len(after - before)  # exactly what is new, each once
    assert told["not_sent_again"]["objects"] >= len(after & before) > 100
    # One commit, one path of nodes, the manifest and a segment of it, and one to three chunks.
    assert len(after - before) <= 9
    assert told["sent"]["bytes"] < 600_000
    assert present(hub.root / "repos/lab/table", after) == len(after)


def test_shallow_and_deep(ox, hub, a, tmp_path):
    for number in range(3):
        dataset.put(a, "meta.json", b"{%d}" % number)
        commit(ox, a, f"number {number}")
    ox("push", cwd=a)
    shallow = tmp_path / "shallow"
    told = ox("clone", "--depth", "1", "--json", f"{hub.url}/lab/shapes", shallow).json
    assert told["received"]["commits"] == 1
    assert dataset.snapshot(shallow) == dataset.snapshot(a)
    dataset.put(shallow, "mine.txt", b"x")
    commit(ox, shallow)
    ox("push", cwd=shallow)
    ox("pull", "--ff-only", cwd=a)
    told = ox("fetch", "--unshallow", "--json", cwd=shallow).json
    assert told["received"]["commits"] == 3
    logs = [ox("log", "--oneline", cwd=folder).out for folder in (shallow, a)]
    assert logs[0] == logs[1]
    assert logs[0].count("\n") == 5
    ox("switch", "--detach", "HEAD~4", cwd=shallow)
    assert ox("status", "--json", cwd=shallow).json["clean"]


def test_paths_and_file_addresses(ox, a, tmp_path):
    bare = tmp_path / "with space"
    ox("clone", "--bare", a, bare)
    c, d = tmp_path / "c", tmp_path / "d"
    ox("clone", f"file://{tmp_path}/with%20space", c)
    ox("clone", bare, d)
    assert dataset.snapshot(c) == dataset.snapshot(d) == dataset.snapshot(a)
    dataset.revise(c)
    commit(ox, c)
    ox("push", cwd=c)
    ox("pull", cwd=d)
    assert dataset.snapshot(d) == dataset.snapshot(c)


def token(ox, hub, *options):
    return ox("-q", "token", "create", "--root", hub.root, *options).out.strip()


def test_what_tokens_allow(ox, hub, a, b, tmp_path):
    url = f"{hub.url}/lab/shapes"
    ox("login", url, "--token", token(ox, hub, "--user", "ro", "--scope", "read"))
    ox("clone", url, tmp_path / "read")
    dataset.put(b, "new.txt", b"x")
    commit(ox, b)
    denied = ox("push", cwd=b, code=17)
    assert "ro may not write to lab" in denied.err
    narrow = token(ox, hub, "--user", "narrow", "--namespace", "pets*")
    ox("login", url, "--token", narrow)
    hidden = ox("clone", url, tmp_path / "hidden", code=17)
    missing = ox("clone", f"{hub.url}/lab/nothing", tmp_path / "hidden", code=17)
    assert hidden.err == missing.err  # whether it exists is not told
    ox("push", f"{hub.url}/pets2/shapes", "main", cwd=b)
    ox("push", f"{hub.url}/lab/other", "main", cwd=b, code=17)
    rows = ox("token", "list", "--root", hub.root, "--json").json
    ox("token", "revoke", "--root", hub.root, rows[-1]["id"])
    gone = ox("push", f"{hub.url}/pets2/again", "main", cwd=b, code=17)
    assert "not valid any more" in gone.err
    ox("login", "--logout", hub.url)
    nobody = ox("fetch", cwd=b, code=17)
    assert "ox login" in nobody.err
    assert ox("hub", "repos", "--root", hub.root).out.split() == ["lab/shapes", "pets2/shapes"]


def test_anonymous_readers(ox, tmp_path, a, hub):
    assert hub.stop()[0] == 0
    with HubProcess(ox, tmp_path / "open", "--anonymous", "read") as open_hub:
        ox("login", open_hub.url, "--token", open_hub.secret)
        url = f"{open_hub.url}/lab/shapes"
        ox("push", url, "main", cwd=a)
        ox("login", "--logout", url)
        ox("clone", url, tmp_path / "c")
        denied = ox("push", url, "main:new", cwd=a, code=17)
        assert "a token is needed to write to lab" in denied.err


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_the_hub_stops_in_good_order(ox, hub, how):
    code, out = hub.stop(how)
    assert (code, out) == (0, "the hub has stopped\n")
    told = ox("clone", f"{hub.url}/lab/x", code=16)
    assert hub.url in told.err
    hub.start()
    ox("hub", "repos", hub.url)
    wait_for(lambda: "admin GET /api/v1/repos 200" in hub.log)
