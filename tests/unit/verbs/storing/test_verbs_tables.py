"""Second versions of large files: what they cost, and that every verb gives the same bytes back."""

import io
import os
import random
import signal
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from oxcore.api import Repo
from oxcore.codec.manifest import encode_manifest
from oxcore.model.ids import Kind, content_id
from oxcore.model.protocols import How
from oxcore.store import content
from oxcore.testing.stores import noise
from oxcore.verbs.storing import deposit

ROWS = 120_000


def table(rows=ROWS, seed=0):
    """The lines of a CSV of about 80 bytes each."""
    source = random.Random(seed)
    words = [f"{a}{b}" for a in ("ba", "ko", "lu", "mi") for b in ("lan", "mor", "nit", "pex")]
    line = "{},2024-05-{:02},{},{:.4f},{:.2f},{},{} {} {},{}\n".format
    return [
        line(
            1_000_000 + n,
            n * 28 // rows + 1,
            source.randrange(10**6),
            source.gauss(0, 100),
            source.expovariate(0.02),
            source.choice(words),
            *source.choices(words, k=3),
            source.random() < 0.5,
        ).encode()
        for n in range(rows)
    ]


def edited(lines, count=40, seed=1):
    """As many lines changed, and half as many put in and left out, spread evenly."""
    source, out = random.Random(seed), list(lines)
    step = len(out) // count
    for at in reversed(range(0, len(out) - step, step)):
        out[at] = out[at].replace(b",", b",%d" % source.randrange(10), 1)
        if at // step % 2:
            out.insert(at + step // 3, b"new," + out[at])
        else:
            del out[at + step // 2]
    return out


@pytest.fixture(scope="module")
def versions():
    first = table()
    found = [first]
    for seed in range(3):
        found.append(edited(found[-1], seed=seed))
    return [b"".join(lines) for lines in found]


def stored(desk):
    return sum(pack.size for pack in desk.core.store.packs())


def deltas(repo):
    return sum(where.how == How.DELTA for _, where in repo.index.locations.ids())


def test_a_second_version_of_a_table_takes_little(desk, versions):
    desk.commit({"t.csv": versions[0]})
    first, counters = stored(desk), desk.core.counters
    chunks = counters.chunks_hashed
    assert counters.chunks_stored == chunks
    for version in versions[1:]:
        before, read, made = stored(desk), counters.objects_read, counters.chunks_stored
        desk.commit({"t.csv": version})
        made = counters.chunks_stored - made
        assert 20 < made < 90
        assert counters.objects_read - read <= made + 10  # a base each, and the old manifest
        assert stored(desk) - before < 0.01 * first
    assert desk.committed() == {b"t.csv": versions[-1]}
    assert desk.committed("HEAD~3") == {b"t.csv": versions[0]}


def parquet(version):
    """The table of these lines as Parquet whose pages do not compress and follow the content, with
    dictionaries for text only: packed codes of numbers would shift by bits at each new row."""
    rows = list(zip(*(line.split(",") for line in version.decode().splitlines()), strict=True))
    kinds = [pa.int64(), pa.string(), pa.int64(), pa.float64(), pa.float64(), *[pa.string()] * 3]
    columns = [pa.array(column).cast(kind) for column, kind in zip(rows, kinds, strict=False)]
    names = [f"c{number}" for number in range(len(columns))]
    texts = [name for name, kind in zip(names, kinds, strict=False) if kind == pa.string()]
    out = io.BytesIO()
    pq.write_table(
        pa.table(columns, names),
        out,
        compression="none",
        use_dictionary=texts,
        use_content_defined_chunking=True,
    )
    return out.getvalue()


def test_a_second_version_of_a_parquet_file_takes_little(desk, versions):
    lines = versions[0].splitlines(keepends=True)
    step = len(lines) // 48
    changed = list(lines)
    for number, at in enumerate(reversed(range(step // 2, len(lines), step))):
        if number % 4 == 0:
            del changed[at]
        elif number % 4 == 1:
            changed.insert(at, changed[at].replace(b"1", b"2"))
        else:
            changed[at] = changed[at].replace(b".1", b".7").replace(b".2", b".5")
    desk.commit({"t.parquet": parquet(versions[0])})
    first = stored(desk)
    desk.commit({"t.parquet": parquet(b"".join(changed))})
    assert 0 < stored(desk) - first < 0.15 * first
    assert desk.committed()[b"t.parquet"] == parquet(b"".join(changed))


def test_a_few_spots_of_a_large_file_take_their_chunks_differences(desk):
    data = bytearray(noise(1, 24 << 20))
    desk.commit({"large": bytes(data)})
    before = stored(desk)
    data[5000:5000] = noise(2, 1024)
    for at in range(100_000, len(data), len(data) // 50):
        data[at : at + 64] = noise(at, 64)
    desk.commit({"large": bytes(data)})
    assert stored(desk) - before < 64_000
    assert desk.committed() == {b"large": bytes(data)}


@pytest.mark.parametrize("size", [20_000, 300_000, 2_000_000])
def test_files_of_few_chunks_have_deltas_too(desk, size):
    data = noise(1, size)
    desk.commit({"f": data})
    before = stored(desk)
    desk.commit({"f": data[: size // 2] + b"edit" + data[size // 2 :]})
    assert stored(desk) - before < 1500 + 60 * (size >> 16)
    assert deltas(desk.core) == 1


def test_a_new_or_a_replaced_file_has_none(desk):
    desk.commit({"f": noise(1, 500_000)})
    desk.commit({"f": noise(2, 500_000), "g": noise(3, 500_000)})
    assert deltas(desk.core) == 0


def test_a_link_is_no_predecessor(desk):
    (desk.root / "f").symlink_to("nowhere")
    desk.commit()
    (desk.root / "f").unlink()
    desk.commit({"f": noise(1, 100_000)})
    assert desk.committed() == {b"f": noise(1, 100_000)}


def test_a_damaged_predecessor_is_no_trouble(desk, monkeypatch):
    data = noise(1, 300_000)
    desk.commit({"f": data})
    (pack,) = [p for p in desk.core.store.packs() if p.size > 200_000]
    desk.core.store.close()
    place = desk.core.store.files.path(pack.name)
    os.chmod(place, 0o644)
    with open(place, "r+b") as file:
        file.seek(100)
        file.write(bytes(250_000))
    new = data[:150_000] + b"edit" + data[150_000:]
    desk.commit({"g": noise(4, 10), "f": new})
    assert deltas(desk.core) <= 1


def test_transactions_make_deltas(desk, versions):
    for version in versions[:2]:
        with desk.repo.transaction("main", message="x") as edits:
            edits.put("t.csv", io.BytesIO(version))
            edits.put("small.csv", version[:300_000])
        before = stored(desk)
    with desk.repo.transaction("main", message="x") as edits:
        edits.put("t.csv", io.BytesIO(versions[2]))
        edits.put("small.csv", versions[2][:300_000])
    assert stored(desk) - before < 60_000
    assert desk.committed()[b"t.csv"] == versions[2]


class TestStream:
    def test_it_stores_what_the_whole_stores(self, desk, versions):
        data = versions[0]
        with desk.core.batch() as batch:
            oid, size = deposit.put_stream(desk.core, batch, io.BytesIO(data).readinto)
        assert (oid, size) == (content_id(data), len(data))
        manifest = desk.core.store.get(oid, Kind.FILE)
        chunks = list(content.chunks(desk.core.store, oid))
        with desk.core.batch() as batch:
            pieces = deposit.Pieces(desk.core, batch)
            pieces.take([one for one, _ in chunks], [bytes(size) for _, size in chunks])
        assert manifest == encode_manifest(pieces._manifest())

    @pytest.mark.parametrize("length", [0, 1, 16384, 16385, deposit.WINDOW, deposit.WINDOW + 1])
    def test_edges(self, desk, length):
        data = noise(7, length)
        with desk.core.batch() as batch:
            oid, size = deposit.put_stream(desk.core, batch, io.BytesIO(data).readinto)
        assert (oid, size) == (content_id(data), length)
        assert b"".join(content.read(desk.core.store, oid)) == data

    def test_an_error_of_the_source_reaches_the_caller(self, desk):
        source = io.BytesIO(noise(1, 20 << 20))

        def fill(view):
            if source.tell() > 9 << 20:
                raise OSError("the disk is gone")
            return source.readinto(view)

        with pytest.raises(OSError, match="the disk is gone"), desk.core.batch() as batch:
            deposit.put_stream(desk.core, batch, fill)
        assert stored(desk) == 0

    def test_chunks_lie_in_the_order_of_the_file(self, desk):
        data = noise(1, 20 << 20)
        with desk.core.batch() as batch:
            oid, _ = deposit.put_stream(desk.core, batch, io.BytesIO(data).readinto)
        ids = [one for one, _ in content.chunks(desk.core.store, oid)]
        places = [where.offset for where in desk.core.store.locate(ids)]
        assert places == sorted(places)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_stores_large_bytes(desk):
    """BLAKE3's own threads do not survive a fork: who asked for them there would wait for ever."""
    data = noise(3, 4 << 20)
    with desk.core.batch() as batch:
        deposit.put_bytes(desk.core, batch, data)
    pid = os.fork()
    if pid == 0:
        os._exit(deposit._whole_id(data) != content_id(data))
    deadline = time.monotonic() + 30
    while (done := os.waitpid(pid, os.WNOHANG))[0] == 0 and time.monotonic() < deadline:
        time.sleep(0.01)
    if done[0] == 0:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    assert done == (pid, 0)


class TestEveryVerb:
    """Add, edit rows, add, then this: the same bytes, and no more of them than must be."""

    @pytest.fixture
    def history(self, desk, versions):
        for n, version in enumerate(versions[:3]):
            desk.commit({"t.csv": version, f"other{n}": noise(n, 40_000)})
        assert deltas(desk.core) > 40
        return desk

    def test_fsck_and_verify(self, history):
        assert not history.repo.fsck().problems
        history.repo.verify()

    def test_switching_back_and_forth(self, history, versions):
        history.repo.switch("HEAD~2", detach=True)
        assert history.files()[b"t.csv"] == versions[0]
        history.repo.switch("main")
        assert history.files()[b"t.csv"] == versions[2]

    def test_gc_keeps_the_bases_of_what_stays(self, history, versions):
        with history.repo.transaction("lone", message="x") as edits:
            edits.put("t.csv", versions[2])
        history.repo.switch("lone")
        history.repo.delete_branches(["main"], force=True)
        before = sum(1 for _ in history.core.index.locations.ids())
        done = history.repo.gc(grace=0, keep_operations=0)
        assert done.objects > 40
        assert sum(1 for _ in history.core.index.locations.ids()) == before - done.objects
        assert deltas(history.core) > 40
        assert history.committed() == {b"t.csv": versions[2]}
        assert not history.repo.fsck().problems

    def test_a_clone_from_a_path(self, history, tmp_path_factory, versions):
        place = tmp_path_factory.mktemp("clone") / "c"
        with Repo.clone(str(history.root), str(place)):
            assert (place / "t.csv").read_bytes() == versions[2]
