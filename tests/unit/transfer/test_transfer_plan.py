"""What a transfer costs: requests, objects, reads; and what it refuses."""

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oxcore import tree
from oxcore.codec.commit import encode_commit
from oxcore.codec.node import Leaf, decode, encode_inner
from oxcore.errors import CorruptError, InvalidError, MissingError, NotFoundError, RejectedError
from oxcore.model.entries import Entry
from oxcore.model.ids import Kind, content_id, object_id
from oxcore.model.protocols import How
from oxcore.model.run import gathered, objects_of
from oxcore.repo import Repository
from oxcore.store import MemoryStore, bases, content
from oxcore.testing.histories import (
    MAIN,
    commit_files,
    commit_line,
    files_of,
    many_files,
    raw,
    set_ref,
    update,
)
from oxcore.testing.stores import noise
from oxcore.transfer import LocalRemote, fetch, inflow, open_remote, push
from oxcore.transfer.check import check_history
from oxcore.transfer.levels import new_nodes, read_from
from oxcore.transfer.remote import REQUEST_BYTES
from oxcore.wire.messages import SwapRequest

MIB64 = 64 << 20


class Counting:
    """A remote that counts the calls and the bytes of each."""

    def __init__(self, inner):
        self.inner = inner
        self.calls = []
        self.puts = []

    def __getattr__(self, name):
        def call(*args):
            self.calls.append(name)
            return getattr(self.inner, name)(*args)

        return call

    def put(self, runs):
        self.calls.append("put")
        lots = list(runs)
        self.puts.append(sum(len(run.blob) for run in lots))
        return self.inner.put(iter(lots))


@pytest.fixture
def here(tmp_path):
    with Repository.init(str(tmp_path / "here"), bare=True) as repo:
        yield repo


@pytest.fixture
def there(tmp_path):
    with Repository.init(str(tmp_path / "there"), bare=True) as repo:
        yield repo


@pytest.fixture
def remote(tmp_path):
    Repository.init(str(tmp_path / "remote"), bare=True).close()
    found = LocalRemote(str(tmp_path / "remote"))
    yield found
    found.close()


def test_a_small_push_takes_four_requests(here, remote):
    one = commit_files(here, many_files(50))
    counting = Counting(remote)
    push(here, counting, [update(MAIN, None, one)])
    assert counting.calls == ["refs", "has", "put", "swap"]


def test_a_large_push_takes_less_than_three_requests_for_64_mib(here, remote):
    names = {b"f%d" % n: noise(n, 9_000_000) for n in range(24)}
    one = commit_files(here, {**names, **many_files(3000)})
    counting = Counting(remote)
    report = push(here, counting, [update(MAIN, None, one)])
    assert report.nbytes > 3 * MIB64
    assert len(counting.calls) < 3 * report.nbytes / MIB64
    assert counting.calls.count("put") == 1 < report.nbytes / REQUEST_BYTES + 1


def test_a_clone_takes_few_requests(here, there, remote):
    names = {b"f%d" % n: noise(n, 1_000_000) for n in range(90)}
    one = commit_files(here, {**names, **many_files(3000)})
    push(here, remote, [update(MAIN, None, one)])
    counting = Counting(remote)
    report = fetch(there, counting, [one])
    assert report.nbytes > 90_000_000
    # refs, commits, two levels of nodes and their root, files, then two rounds of chunks
    assert len(counting.calls) <= 9
    assert files_of(there, one)[b"f7"] == names[b"f7"]


def test_a_clone_of_a_folder_links_packs(here, there, remote):
    one = commit_files(here, {**many_files(100), b"big": noise(1, 1_000_000)})
    push(here, remote, [update(MAIN, None, one)])
    report = fetch(there, remote, [one])
    assert report.linked == len(remote.repo.store.files.names())
    assert there.counters.bytes_stored == 0
    assert report.nbytes < 10_000
    assert len(files_of(there, one)) == 101


def test_a_fetch_reads_what_differs(here, there, remote):
    files = many_files(20_000)
    one = commit_files(here, files)
    push(here, remote, [update(MAIN, None, one)])
    fetch(there, remote, [one])
    set_ref(there, MAIN, one)
    two = commit_files(here, {**files, b"dir0/new": b"new"}, [one])
    push(here, remote, [update(MAIN, one, two)])
    before = there.counters.nodes_read
    report = fetch(there, remote, [two])
    assert report.objects <= 6
    assert there.counters.nodes_read - before < 20
    before = remote.repo.counters.nodes_read
    three = commit_files(here, {**files, b"dir0/new": b"newer"}, [two])
    push(here, remote, [update(MAIN, two, three)])
    assert remote.repo.counters.nodes_read - before < 20


def test_nothing_to_fetch_asks_nothing(here, there, remote):
    one = commit_files(here, {b"a": b"1"})
    push(here, remote, [update(MAIN, None, one)])
    fetch(there, remote, [one])
    set_ref(there, MAIN, one)
    counting = Counting(remote)
    assert fetch(there, counting, [one], refs=remote.refs()).commits == 0
    assert counting.calls == []


def test_what_an_interrupted_fetch_left_is_not_trusted(here, there, remote):
    """A commit and a root that are here without what is below them."""
    line = commit_line(here, 3)
    tip = commit_files(here, many_files(3000), line[-1:])
    push(here, remote, [update(MAIN, None, tip)])
    with there.store.batch() as batch:
        for oid in (line[-1], tip, here.commit(tip).tree, here.commit(line[-1]).tree):
            batch.put_stored(here.store.get_stored(oid))
    fetch(there, Counting(remote), [tip])
    assert files_of(there, tip) == many_files(3000)
    assert files_of(there, line[0]) == {b"n": b"0"}
    other = commit_files(here, {b"n": b"2", b"m": b""}, [line[-1]])
    push(here, remote, [update("refs/heads/x", None, other)])
    with Repository.init(f"{there.folder}-3", bare=True) as third:
        with third.store.batch() as batch:
            for oid in (line[-1], here.commit(line[-1]).tree):
                batch.put_stored(here.store.get_stored(oid))
        fetch(third, Counting(remote), [other], depth=1)
        assert files_of(third, other) == {b"n": b"2", b"m": b""}


def test_a_checked_out_branch_is_not_moved(here, tmp_path):
    Repository.init(str(tmp_path / "work")).close()
    one = commit_files(here, {b"a": b"1"})
    remote = open_remote(str(tmp_path / "work"))
    with pytest.raises(RejectedError, match="main is checked out"):
        push(here, remote, [update(MAIN, None, one)])
    push(here, remote, [update("refs/heads/other", None, one)])
    assert remote.refs().refs == {"refs/heads/other": one.hex()}
    remote.close()


def test_head_of_a_bare_repository_follows_the_first_branch(here, remote):
    one = commit_files(here, {b"a": b"1"})
    push(here, remote, [update("refs/heads/trunk", None, one)])
    assert remote.refs().head == "ref:refs/heads/trunk"
    push(here, remote, [update(MAIN, None, one)])
    assert remote.refs().head == "ref:refs/heads/trunk"


def test_addresses(tmp_path):
    Repository.init(str(tmp_path / "a b")).close()
    for address in (str(tmp_path / "a b"), f"file://{tmp_path}/a%20b", f"{tmp_path}/a b/.ox"):
        open_remote(address).close()
    with pytest.raises(NotFoundError):
        open_remote(str(tmp_path / "nothing"))
    for bad in ("ftp://h/x", "file://elsewhere/x", "http://h/", "http://h/only", "ssh://h/a/b"):
        with pytest.raises(InvalidError):
            open_remote(bad)
    remote = open_remote("http://127.0.0.1:1/ns/name", token="ox_x")
    assert remote.address == "http://127.0.0.1:1/ns/name"
    remote.close()


def test_a_push_of_what_is_not_here_says_so(here, remote):
    one = commit_files(here, {b"a": b"1"})
    with here.store.batch() as batch:
        root = tree.build(batch, [(b"lost", Entry(1, 3, content_id(b"abc")))])
        data = encode_commit(here.commit(one)._replace(tree=root, parents=(one,)))
        two = object_id(Kind.COMMIT, data)
        batch.put(two, Kind.COMMIT, data)
    with pytest.raises(MissingError):
        push(here, remote, [update(MAIN, None, two)])
    with pytest.raises(MissingError):
        push(here, remote, [update(MAIN, None, b"\1" * 32)])
    assert remote.refs().refs == {}


class Liar:
    """A remote whose ``fetch`` and ``commits`` give what the test says."""

    def __init__(self, inner, **given):
        self.inner = inner
        self.given = given

    def __getattr__(self, name):
        if name in self.given:
            return lambda *_: gathered(self.given[name])
        return getattr(self.inner, name)


def test_a_remote_that_lies_is_not_believed(here, there, remote):
    one = commit_files(here, {b"a": b"1"})
    push(here, remote, [update(MAIN, None, one)])
    get = here.store.get_stored
    root = here.commit(one).tree
    commit = get(one)
    lies = [
        {"commits": [raw(b"x")]},
        {"commits": [commit._replace(id=b"\1" * 32)]},
        {"fetch": [raw(b"not asked for")]},
        {"fetch": [get(root)._replace(payload=get(root).payload[:-1] + b"b")]},
        {"fetch": []},
        {"fetch": [get(root), get(root)]},
        {"fetch": [get(root), raw(b"not asked for")]},
        {"fetch": [get(root)]},
    ]
    for lie in lies:
        with pytest.raises((CorruptError, InvalidError, MissingError)):
            fetch(there, Liar(remote, **lie), [one])
    extra = [content_id(b"x"), b"\1" * 32, content_id(b"not asked for")]
    assert there.store.has_many(extra) == [False] * 3
    fetch(there, remote, [one])


def test_a_tree_that_never_ends_is_refused():
    store = MemoryStore()
    leaf = tree.build(store, [(b"a", Entry(1, 1, b"\1" * 32))])
    inner = encode_inner(9, [b"a"], leaf, [1], [1])
    root = object_id(Kind.TREE, inner)
    store.put(root, Kind.TREE, inner)
    with pytest.raises(CorruptError, match="wrong level"):
        list(new_nodes([root], [], read_from(store), read_from(store)))


def entries(names):
    return [(name, Entry(1, len(name), content_id(name + b"%d" % n))) for name, n in sorted(names)]


NAMES = st.dictionaries(st.integers(0, 3000), st.integers(0, 2), max_size=60)


@settings(max_examples=40, deadline=None)
@given(NAMES, NAMES, NAMES)
def test_new_nodes_are_those_that_no_base_has(a, b, c):
    """Against the plain way: all nodes of one tree less all nodes of the others."""
    store = MemoryStore()
    base = dict.fromkeys(range(3000), 0)
    roots = [
        tree.build(store, entries([(b"file%05d" % n, v) for n, v in {**base, **edit}.items()]))
        for edit in (a, b, c)
    ]
    read = read_from(store)
    runs = list(new_nodes(roots[:2], roots[2:], read, read))
    found = [oid for run in runs for oid in run.ids]
    wanted = (all_nodes(store, roots[0]) | all_nodes(store, roots[1])) - all_nodes(store, roots[2])
    assert set(found) == wanted
    assert len(found) == len(set(found))
    assert [run.level for run in runs] == sorted((run.level for run in runs), reverse=True)


def all_nodes(store, oid):
    node = decode(store.get(oid, Kind.TREE))
    below = [] if isinstance(node, Leaf) else node.children()
    return {oid}.union(*(all_nodes(store, child) for child in below))


def test_a_push_mends_what_is_there_without_its_parts(here, remote, monkeypatch):
    """A tree that is asked about and there, but not what it names; a manifest without chunks."""
    monkeypatch.setattr(sys.modules["oxcore.transfer.push"], "_ASK_FROM", 1)
    data = noise(1, 900_000)
    one = commit_files(here, {**many_files(500), b"big": data})
    root, big = here.commit(one).tree, content_id(data)
    with remote.repo.store.batch() as batch:
        for oid in (one, root, big):
            batch.put_stored(here.store.get_stored(oid))
    counting = Counting(remote)
    push(here, counting, [update(MAIN, None, one)])
    assert counting.calls.count("swap") == 2
    assert files_of(remote.repo, one)[b"big"] == data


def test_a_hole_in_a_file_is_seen_before_a_ref_moves(here, remote):
    data = noise(1, 900_000)
    one = commit_files(here, {b"big": data})
    chunks = [oid for oid, _ in content.chunks(here.store, content_id(data))]
    get = here.store.get_stored
    with remote.repo.store.batch() as batch:
        for oid in (one, here.commit(one).tree, content_id(data), *chunks[1:]):
            batch.put_stored(get(oid))
    with pytest.raises(MissingError) as caught:
        remote.swap(SwapRequest((update(MAIN, None, one),), "with-a-hole"))
    assert caught.value.items == (chunks[0].hex(),)


def test_what_arrived_is_durable_before_the_end(here, there, remote, monkeypatch):
    """So that even a client that is killed need not ask for it again."""
    monkeypatch.setattr(inflow, "REQUEST_BYTES", 1 << 20)
    monkeypatch.setattr(inflow, "_SEAL_BYTES", 1 << 19)
    one = commit_files(here, {b"f%d" % n: noise(n, 200_000) for n in range(40)})
    push(here, remote, [update(MAIN, None, one)])
    sealed = []

    class Watching(Counting):
        def __getattr__(self, name):
            sealed.append(len(there.store.files.names()))
            return super().__getattr__(name)

    fetch(there, Watching(remote), [one])
    assert sealed[-1] >= 4


def test_an_answer_that_keeps_something_back_is_seen(here, there, remote):
    one = commit_files(here, many_files(9))
    push(here, remote, [update(MAIN, None, one)])
    honest = remote.fetch
    liar = Liar(remote)
    liar.fetch = lambda oids: gathered(
        item for item in objects_of(honest(oids)) if item.kind == Kind.TREE
    )
    with pytest.raises(MissingError, match="kept back 9 objects"):
        fetch(there, liar, [one])


def test_a_swap_to_deltas_whose_bases_are_gone_is_refused(here):
    """As garbage collection could bring about before the pack of the deltas is sealed."""
    old = noise(1, 30_000)
    large = noise(2, 500_000)
    first = commit_files(here, {b"one chunk": old, b"large": large})
    packs = {pack.name for pack in here.store.packs()}
    new = {b"one chunk": old[:9_000] + b"edit" + old[9_000:], b"large": large[:-9] + b"edit"}
    second = commit_files(here, new, [first])
    ids = [oid for oid, where in here.index.locations.ids() if where.how == How.DELTA]
    needed = bases(here.store, ids)
    assert len(needed) == len(ids) == 2
    check_history(here, [second], [first])
    for name in packs:
        here.store.files.remove(name)
    here.store.refresh()
    with pytest.raises(MissingError) as caught:
        check_history(here, [second], [first])
    assert {oid.hex() for oid in needed.values()} <= set(caught.value.items)
