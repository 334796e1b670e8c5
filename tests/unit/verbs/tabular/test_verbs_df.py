"""Tables of the work tree and of versions, through ``Repo.table``."""

import os

import pyarrow as pa
import pytest
from pyarrow import parquet

from oxcore.api import Repo
from oxcore.errors import InvalidError, NotFoundError
from oxcore.tables import Part


@pytest.fixture
def repo(tmp_path):
    with Repo.init(str(tmp_path), author="Ann <ann@example.org>") as made:
        (tmp_path / "labels.csv").write_bytes(b"photo,label\ntom.png,cat\n")
        made.add()
        made.commit("one")
        (tmp_path / "labels.csv").write_bytes(b"photo,label\ntom.png,tabby\n")
        made.add()
        (tmp_path / "labels.csv").write_bytes(b"photo,label\ntom.png,lion\n")
        yield made


@pytest.mark.parametrize(
    ("rev", "label", "name"),
    [
        (None, "lion", "labels.csv"),
        (":", "tabby", "labels.csv@:"),
        ("HEAD", "cat", "labels.csv@HEAD"),
        ("main", "cat", "labels.csv@main"),
    ],
)
def test_a_table_of_any_version(repo, rev, label, name):
    table = repo.table("labels.csv", rev)
    assert table.name == name
    assert table.to_arrow().to_pylist() == [{"photo": "tom.png", "label": label}]


def test_what_is_no_file(repo, tmp_path):
    with pytest.raises(NotFoundError, match=r"other.csv is not in the work tree") as caught:
        repo.table("other.csv")
    assert caught.value.hint == "see what is there: ox ls, ox status"
    (tmp_path / "labels.csv").unlink()
    with pytest.raises(NotFoundError, match=r"labels.csv is not in the work tree") as caught:
        repo.table("labels.csv")
    assert caught.value.hint == "of a version: labels.csv@HEAD"
    with pytest.raises(NotFoundError):
        repo.table("labels.csv", "nope")
    (tmp_path / "folder").mkdir()
    with pytest.raises(InvalidError, match="folder is not a file"):
        repo.table("folder")


def test_a_link_is_followed_in_the_work_tree_only(repo, tmp_path):
    os.symlink("labels.csv", tmp_path / "link.csv")
    repo.add()
    assert len(repo.table("link.csv")) == 1
    with pytest.raises(InvalidError, match=r"link.csv@: is a symbolic link"):
        repo.table("link.csv", ":")


def test_of_a_bare_repository_head_is_read(repo, tmp_path_factory):
    folder = str(tmp_path_factory.mktemp("bare") / "bare")
    with Repo.clone(repo.path, folder, bare=True) as bare:
        assert bare.table("labels.csv").to_arrow()["label"].to_pylist() == ["cat"]


def test_of_a_large_version_only_the_chunks_that_are_asked_for_are_read(repo, tmp_path):
    table = pa.table({"id": range(400_000), "noise": [os.urandom(8) for _ in range(400_000)]})
    parquet.write_table(table, tmp_path / "big.parquet", row_group_size=20_000)
    repo.add()
    repo.commit("big")
    everything = len(list(repo.cat("big.parquet")))
    assert everything > 40
    read, before = repo.table("big.parquet", "HEAD"), repo.counters.objects_read
    assert len(read) == 400_000
    with read.pick(part=Part("tail", 1)) as rows:
        assert [batch["id"].to_pylist() for batch in rows.batches()] == [[399_999]]
    assert repo.counters.objects_read - before < everything / 4
