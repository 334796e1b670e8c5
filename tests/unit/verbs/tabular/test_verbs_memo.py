"""Facts about files, kept by the id of their content: once read, never again."""

import os
import shutil

import pytest

from oxcore.api import Repo
from oxcore.index import Index
from oxcore.tables.formats.csv import CsvReader

LABELS = b"photo,label\n" + b"".join(b"%d.png,cat\n" % n for n in range(1000))


@pytest.fixture
def labels(desk):
    desk.commit({b"labels.csv": LABELS, b"copy.csv": LABELS})
    return desk


def read(repo, path, rev=None):
    """How many rows it takes to know a table."""
    before = repo.counters.rows
    table = repo.table(path, rev)
    assert len(table) == 1000
    assert table.schema.names == ["photo", "label"]
    return repo.counters.rows - before


def test_a_version_is_read_once_ever(labels):
    assert read(labels.repo, "labels.csv", "HEAD") >= 1000
    assert read(labels.repo, "labels.csv", "HEAD") == 0
    assert read(labels.repo, "copy.csv", "HEAD") == 0  # the same content
    with Repo.open(str(labels.root)) as again:
        assert read(again, "labels.csv", "HEAD") == 0
        assert read(again, "labels.csv", ":") == 0


def test_a_file_of_the_work_tree_is_known_while_it_is_as_staged(labels):
    assert read(labels.repo, "labels.csv") >= 1000
    assert read(labels.repo, "labels.csv") == 0
    assert read(labels.repo, "labels.csv", "HEAD") == 0
    labels.write({b"labels.csv": LABELS.replace(b"cat", b"dog")})
    for _ in range(2):
        assert read(labels.repo, "labels.csv") >= 1000
    os.symlink("labels.csv", labels.root / "link.csv")
    labels.repo.add()
    labels.write({b"labels.csv": LABELS.replace(b"cat", b"fox")})
    assert read(labels.repo, "link.csv") >= 1000


def test_nothing_is_kept_of_a_file_that_changes_while_it_is_read(labels, monkeypatch):
    find = CsvReader._find

    def meanwhile(reader):
        (labels.root / "labels.csv").write_bytes(LABELS.replace(b"cat", b"1.5"))
        return find(reader)

    monkeypatch.setattr(CsvReader, "_find", meanwhile)
    assert str(labels.repo.table("labels.csv").schema.field("label").type) == "double"
    monkeypatch.undo()
    assert str(labels.repo.table("labels.csv", "HEAD").schema.field("label").type) == "string"


def test_collecting_garbage_forgets_what_is_gone(labels):
    read(labels.repo, "labels.csv", "HEAD")
    oid = labels.repo.table("labels.csv", "HEAD")._source.id
    fresh = b"a\n1\n"
    labels.write({b"fresh.csv": fresh})
    labels.repo.add()
    gone = labels.repo.table("fresh.csv", ":")
    assert len(gone) == 1
    facts = labels.core.index.facts
    assert facts.get(gone._source.id, "table 1 csv")
    labels.write({b"fresh.csv": None})
    labels.repo.add()
    labels.repo.gc(grace=0, keep_operations=0)
    assert facts.get(gone._source.id, "table 1 csv") is None
    assert facts.get(oid, "table 1 csv")


def test_without_a_place_to_keep_it_all_goes_on(labels, monkeypatch, tmp_path):
    monkeypatch.setattr(Index, "open", classmethod(refusing(Index.open, str(labels.root))))
    monkeypatch.setattr(os, "access", lambda *_: False)
    for _ in range(2):
        with Repo.open(str(labels.root)) as repo:
            assert repo._repo.readable_only
            assert read(repo, "labels.csv", "HEAD") >= 1000


def refusing(call, root):
    from oxcore.errors import StorageError

    def opening(cls, folder, **how):
        if folder.startswith(root):
            raise StorageError("read-only")
        return call(folder, **how)

    return opening


def test_the_cache_may_go_at_any_time(labels):
    read(labels.repo, "labels.csv", "HEAD")
    labels.repo.close()
    shutil.rmtree(labels.root / ".ox" / "index" / "facts")
    with Repo.open(str(labels.root)) as repo:
        assert read(repo, "labels.csv", "HEAD") >= 1000
        assert read(repo, "labels.csv", "HEAD") == 0
