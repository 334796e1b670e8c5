"""Records on their way to a hub on a true socket: many writers, a hub that is gone, tokens."""

import os
import time

import pytest
from support.captures import in_child, killed, moment, records, waited
from support.hubs import serving

import oxcore as ox
from oxcore.api import Hub
from oxcore.api.capturing import recorder
from oxcore.capturing import REGISTRY, Spool
from oxcore.errors import DeniedError, InvalidError, RejectedError, UnreachableError
from oxcore.hub.auth import Place
from oxcore.model.ids import content_id
from oxcore.model.protocols import RefUpdate
from oxcore.remote import Connection
from oxcore.transfer import open_remote
from oxcore.wire.append import Appended, AppendRequest
from oxcore.wire.messages import CommitsRequest, SwapRequest


@pytest.fixture
def hub(tmp_path):
    with serving(tmp_path / "hub") as hub:
        yield hub


@pytest.fixture
def url(hub):
    return f"{hub.url}/lab/speech"


@pytest.fixture
def token(hub, monkeypatch):
    secret = hub.create_token("ann", "write").secret
    monkeypatch.setenv("OX_TOKEN", secret)
    return secret


def there(hub, tmp_path):
    """The repository on the hub, opened by its path."""
    return ox.Repo.open(os.path.join(hub.root, "repos", "lab", "speech"))


def test_the_first_save_makes_repository_and_branch(hub, url, token, tmp_path):
    data = os.urandom(600_000)
    calm = {"seal_seconds": 1000}
    made = [ox.save(url, "deployed", "wild", data, {"label": "cat"}, **calm) for _ in range(3)]
    assert ox.flush().commits == 1
    with there(hub, tmp_path) as repo:
        rows = records(repo)
        assert [row["record_id"] for row in rows] == made
        assert repo.read(f"wild/{rows[0]['input']['path']}", "deployed") == data
        [logged] = repo.log("deployed")
        assert logged.commit.message == "capture: 3 records in 1 shard for wild"
        assert logged.commit.author.name == "ann"
        repo.verify("deployed")


def test_what_is_there_is_not_sent_again(hub, url, token, tmp_path):
    data = os.urandom(100_000)
    ox.save(url, "deployed", "wild", data, {})
    ox.flush()
    with there(hub, tmp_path) as repo:
        before = sum(file.stat().st_size for file in os.scandir(os.path.join(repo.folder, "packs")))
        ox.save(url, "deployed", "wild", data, {})
        ox.flush()
        after = sum(file.stat().st_size for file in os.scandir(os.path.join(repo.folder, "packs")))
        assert after - before < 30_000
        assert len(records(repo)) == 2


def test_many_processes_on_one_branch_of_a_hub(hub, url, token, tmp_path):
    def work(tell):
        for _ in range(60):
            tell(ox.save(url, "deployed", "wild", os.urandom(20), {}, seal_records=20))
            time.sleep(moment(0.005))
        REGISTRY.close()

    children = [in_child(work) for _ in range(4)]
    saved = [one for child in children for one in waited(*child)]
    ox.save(url, "deployed", "wild", b"x", {})
    ox.flush()
    with there(hub, tmp_path) as repo:
        assert {row["record_id"] for row in records(repo)} > set(saved)
        assert len(records(repo)) == 241
        assert len(list(repo.log("deployed"))) <= 21
        repo.verify("deployed")


def test_a_hub_that_is_gone_is_waited_for(tmp_path, monkeypatch):
    with serving(tmp_path / "hub") as hub:
        url, port = f"{hub.url}/lab/speech", int(hub.url.rpartition(":")[2])
        monkeypatch.setenv("OX_TOKEN", hub.create_token("ann", "write").secret)
    saved = [ox.save(url, "deployed", "wild", b"x", {}, seal_seconds=0.05) for _ in range(5)]
    with pytest.raises(UnreachableError):
        ox.flush()
    REGISTRY.close()  # as a process that ends: the next one sends what is left
    [folder] = os.scandir(tmp_path / "state" / "capture")
    assert len(Spool.found(folder.path).writers()) == 1
    assert [one.kind for one in Spool.found(folder.path).trouble.all()] == ["unreachable"]
    with serving(tmp_path / "hub", port=port) as hub:
        saved.append(ox.save(url, "deployed", "wild", b"x", {}))
        ox.flush()
        with there(hub, tmp_path) as repo:
            assert [row["record_id"] for row in records(repo)] == saved


def test_a_hub_that_refuses_keeps_the_records_waiting(hub, url, tmp_path, monkeypatch):
    monkeypatch.setenv("OX_TOKEN", hub.create_token("ann", "read").secret)
    ox.save(url, "deployed", "wild", b"x", {})
    with pytest.raises(DeniedError):
        ox.flush()
    told = recorder(url, "deployed", "wild").spool.trouble.all()
    assert told[-1].kind == "denied"
    assert told[-1].times in {1, 2}, "the thread in the background may have asked as well"
    monkeypatch.setenv("OX_TOKEN", hub.create_token("ann", "write").secret)
    ox.flush()
    with there(hub, tmp_path) as repo:
        assert len(records(repo)) == 1


def test_a_round_takes_three_requests(tmp_path, monkeypatch):
    visits = []
    with serving(tmp_path / "hub", visited=visits.append) as hub:
        monkeypatch.setenv("OX_TOKEN", hub.create_token("ann", "write").secret)
        url = f"{hub.url}/lab/speech"
        for _ in range(2):
            for _ in range(3000):
                whole = {"seal_seconds": 1000, "seal_records": 10_000}
                ox.save(url, "deployed", "wild", os.urandom(8), {}, **whole)
            ox.flush()
    told = [visit.path.rpartition("/")[2] for visit in visits]
    assert told == ["has", "repos", "push", "append", "has", "push", "append"]


@pytest.mark.parametrize("rounds", [6, pytest.param(200, marks=pytest.mark.deep)])
def test_kills_lose_nothing_that_is_on_its_way_to_a_hub(hub, url, token, tmp_path, rounds):
    def work(tell):
        while True:
            made = ox.save(url, "deployed", "wild", os.urandom(99), {}, seal_seconds=0.02)
            tell(made)
            time.sleep(0.002)

    saved = set()
    for _ in range(rounds):
        saved.update(killed(*in_child(work), 0.1 + moment(0.3)))
    ox.save(url, "deployed", "wild", b"last", {})
    ox.flush()
    with there(hub, tmp_path) as repo:
        found = [row["record_id"] for row in records(repo)]
        assert len(found) == len(set(found))
        assert saved <= set(found)
        assert len(found) <= len(saved) + rounds + 1


def test_the_token_that_was_stored_is_found(hub, url, tmp_path):
    secret = hub.create_token("ann", "write").secret
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "credentials").write_text(f"{hub.url} {secret}\n", encoding="utf-8")
    (tmp_path / "config" / "config").write_text("user.name = Bo\n", encoding="utf-8")
    ox.save(url, "deployed", "wild", b"x", {})
    ox.flush()
    with there(hub, tmp_path) as repo:
        [logged] = repo.log("deployed")
        assert logged.commit.author.name == "Bo"


# -- tokens that may only append


@pytest.fixture
def narrow(hub, url, token, monkeypatch):
    """The repository is there; from now on we hold a token for wild of deployed alone."""
    ox.save(url, "deployed", "wild", b"first", {})
    ox.save(url, "main", "wild", b"first", {})
    ox.flush()
    REGISTRY.close()
    place = Place("lab/speech", "deployed", "wild/")
    secret = hub.create_token("app", "capture", place=place).secret
    monkeypatch.setenv("OX_TOKEN", secret)
    remote = open_remote(url, token=secret, connection=Connection(tries=1))
    yield remote
    remote.close()


def test_a_capture_token_appends_below_its_folder(hub, url, narrow, tmp_path):
    ox.save(url, "deployed", "wild", os.urandom(300_000), {})
    ox.flush()
    ox.save(url, "deployed", "wild/night", b"x", {})
    ox.flush()
    with there(hub, tmp_path) as repo:
        assert len(records(repo)) == 2
        assert len(records(repo, directory="wild/night")) == 1
        repo.verify("deployed")


@pytest.mark.parametrize(
    ("branch", "directory"), [("main", "wild"), ("deployed", "wilder"), ("other", "wild")]
)
def test_a_capture_token_appends_nowhere_else(url, narrow, branch, directory):
    ox.save(url, branch, directory, b"x", {})
    with pytest.raises(DeniedError, match="app may not append"):
        ox.flush()


def test_a_capture_token_does_nothing_else(hub, url, narrow, tmp_path):
    oid = content_id(b"first")
    tip = "11" * 32
    other = open_remote(f"{hub.url}/lab/other", token=os.environ["OX_TOKEN"])
    swap = SwapRequest((RefUpdate("refs/heads/deployed", tip, None),), "0123456789abcdef")
    sly = AppendRequest("deployed", "m", (Appended("wild/../x", oid, 5),))
    for act in (
        narrow.refs,
        lambda: narrow.has([oid]),
        lambda: list(narrow.fetch([oid])),
        lambda: list(narrow.commits(CommitsRequest((oid,)))),
        lambda: narrow.swap(swap),
        lambda: other.put(iter(())),
        other.create,
    ):
        with pytest.raises(DeniedError):
            act()
    other.close()
    with pytest.raises(InvalidError):
        narrow.append(sly)
    with pytest.raises(RejectedError):
        narrow.append(AppendRequest("deployed", "m", (Appended(first(hub, tmp_path), oid, 5),)))
    assert narrow.client.repos() == []
    assert narrow.client.whoami().scope == "capture"


def first(hub, tmp_path):
    """The path of a shard on the branch."""
    with there(hub, tmp_path) as repo:
        return next(path.decode() for path, _ in repo.walk("deployed") if b"parquet" in path)


def test_capture_tokens_are_made_for_a_place(hub):
    for place in (
        None,
        Place("nonsense", "b", "d"),
        Place("a/b", "b", "../d"),
        Place("a/b", "", "d"),
    ):
        with pytest.raises(InvalidError):
            hub.create_token("app", "capture", place=place)
    with pytest.raises(InvalidError):
        hub.create_token("app", "write", place=Place("a/b", "b", "d"))
    hub.create_token("app", "capture", place=Place("a/b", "b", "d"))
    assert [(one.namespaces, one.place) for one in Hub(hub.root).tokens()] == [
        (("a",), Place("a/b", "b", "d"))
    ]


def test_a_hub_that_refuses_is_told_to_who_is_strict(hub, url, token):
    only = hub.create_token("app", "capture", place=Place("lab/speech", "deployed", "wild"))
    ox.save(url, "deployed", "wild", b"x", {})
    ox.flush()
    place = (url, "deployed", "other", b"x", {})
    ox.save(*place, token=only.secret, strict=True)
    with pytest.raises(DeniedError):
        ox.flush()
    ox.save(*place, strict=False)
    with pytest.raises(DeniedError, match="takes nothing, so records wait: app may not append"):
        ox.save(*place, strict=True)
    [spool] = [one for one in REGISTRY.unlocked() if one.spool.where.directory == "other"]
    assert spool.writer.next_seq() == 4, "all three are kept"
