"""Sizes: held to sums over plain dicts."""

import os
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oxcore.errors import NotFoundError
from oxcore.store import content

BLOCKS = [Random(seed).randbytes(80_000) for seed in range(3)]
CONTENTS = st.lists(st.sampled_from(BLOCKS), max_size=3).map(b"".join) | st.sampled_from(
    [b"", b"x", b"text " * 100]
)
FOLDERS = st.dictionaries(st.sampled_from(["a", "b", "d/c", "d/e/f"]), CONTENTS, min_size=1)


def expected(desk, contents):
    """Logical, unique, chunked and stored bytes by brute force."""
    store, chunks = desk.core.store, {}
    for data in set(contents):
        from oxcore.model.ids import content_id

        chunks.update(dict(content.chunks(store, content_id(data))))
    stored = sum(where.stored for where in store.locate(list(chunks)))
    return (
        sum(map(len, contents)),
        sum(map(len, set(contents))),
        sum(chunks.values()),
        stored,
    )


def layers(usage):
    return usage.logical, usage.unique, usage.chunked, usage.stored


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(FOLDERS)
def test_each_layer_is_the_sum_that_it_says(desks, files):
    desk = desks()
    desk.commit(files)
    found = {row.path: row.usage for row in desk.repo.du(depth=5)}
    for path, usage in found.items():
        inside = [data for name, data in files.items() if name.startswith(os.fsdecode(path))]
        assert layers(usage) == expected(desk, inside)
        assert usage.files == len(inside)
        assert usage.unique_files == len(set(inside))
        assert usage.missing == 0
    folders = {b""} | {b"d/" for name in files if name[:2] == "d/"}
    folders |= {b"d/e/" for name in files if name[:4] == "d/e/"}
    assert set(found) == folders


def test_one_file_and_what_is_not_there(desk):
    desk.commit({"a": BLOCKS[0] * 6, "b": "b"})
    ((path, usage),) = desk.repo.du("a")
    assert (path, usage.logical) == (b"a", 480_000)
    assert usage.chunked < 480_000
    assert usage.saved_by_chunks == 480_000 - usage.chunked
    assert usage.manifests > 0
    with pytest.raises(NotFoundError):
        desk.repo.du("nope")


def test_an_empty_stage_costs_nothing(desk):
    ((path, usage),) = desk.repo.du(rev=":")
    assert (path, layers(usage)) == (b"", (0, 0, 0, 0))


def test_versions_add_what_was_not_there(desk):
    desk.commit({"a": BLOCKS[0], "b": BLOCKS[0]}, "first")
    desk.commit({"a": BLOCKS[0] + BLOCKS[1]}, "second")
    desk.commit({"c": BLOCKS[0]}, "third")
    desk.commit({"a": None}, "fourth")
    rows = list(desk.repo.du_history())
    assert [row.commit.title for row in rows] == ["first", "second", "third", "fourth"]
    assert [row.adds.files for row in rows] == [2, 1, 1, 0]
    assert [row.adds.unique for row in rows] == [80_000, 160_000, 0, 0]
    assert rows[0].adds.chunked == 80_000
    assert 80_000 <= rows[1].adds.chunked < 160_000
    assert [row.total[0] for row in rows] == [2, 2, 3, 2]
    whole = desk.repo.du_history("HEAD~3..HEAD")
    assert [row.adds.stored for row in whole] == [row.adds.stored for row in rows[1:]]


def test_all_refs(desk):
    desk.commit({"a": "1"}, "first")
    with desk.repo.transaction("side", message="side") as edit:
        edit.put("s", b"side!")
    assert [row.commit.title for row in desk.repo.du_history()] == ["first"]
    rows = list(desk.repo.du_history(everything=True))
    assert sorted(row.commit.title for row in rows) == ["first", "side"]
    assert sum(row.adds.unique for row in rows) == 6


def test_a_repository_without_commits(desk):
    assert list(desk.repo.du_history()) == []
