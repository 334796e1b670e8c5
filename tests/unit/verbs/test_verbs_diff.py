"""Work tree, stage and versions against each other, held to plain dicts."""

import os
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oxcore.errors import NotFoundError, UsageError
from oxcore.model.entries import Change, Entry, Mode
from oxcore.model.ids import content_id
from oxcore.repo.changes import summarise, with_renames
from oxcore.verbs.comparing.details import ChunkDiff, ImageDiff, by_chunks, is_text
from oxcore.verbs.comparing.lines import TextDiff

CONTENTS = st.sampled_from([b"", b"1", b"22", b"other 1", b"other 2"])
FOLDERS = st.dictionaries(st.sampled_from([b"a", b"b", b"d/c", b"d/e/f", b"g"]), CONTENTS)


def model(old, new):
    """path -> (old content, new content) of what differs."""
    paths = {path for path, content in old.items() ^ new.items()}
    return {path: (old.get(path), new.get(path)) for path in paths}


def told(difference):
    return {change.path: (change.old, change.new) for change in difference}


def sizes(pairs):
    return {
        path: tuple(
            None if one is None else (one.size if isinstance(one, Entry) else len(one))
            for one in pair
        )
        for path, pair in pairs.items()
    }


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(first=FOLDERS, staged=FOLDERS, work=FOLDERS)
def test_every_pair_of_sides_is_as_with_dicts(desks, first, staged, work):
    desk = desks()
    desk.become(first)
    base = desk.core.commit(desk.core.head()).tree
    for files in (staged, work):
        for path in desk.files():
            desk.write({path: None})
        desk._prune()
        desk.write(files)
        if files is staged:
            desk.repo.add()
    assert desk.committed() == first
    plain = {"renames": False}
    assert sizes(told(desk.repo.diff(staged=True, **plain))) == sizes(model(first, staged))
    tracked = {path: content for path, content in work.items() if path in staged}
    assert sizes(told(desk.repo.diff(**plain))) == sizes(model(staged, tracked))
    assert sizes(told(desk.repo.diff("HEAD", **plain))) == sizes(model(first, tracked))
    assert desk.core.commit(desk.core.head()).tree == base


def test_ranges_and_merge_bases(desk):
    desk.commit({"a": "1"})
    desk.commit({"b": "2"})
    one = desk.commit({"c": "3"}).hex()
    paths = [change.path for change in desk.repo.diff("HEAD~2..HEAD")]
    assert paths == [b"b", b"c"]
    assert [c.path for c in desk.repo.diff("HEAD~2", "HEAD~1")] == [b"b"]
    with desk.repo.transaction("side", message="unrelated") as edit:
        edit.put("z", b"z")
    with pytest.raises(NotFoundError, match="no common ancestor"):
        desk.repo.diff("main...side")
    with desk.core.lock("test"):
        ids = desk.core.view()
        desk.core.operate("branch", "", {"refs/heads/old": (None, ids["refs/heads/main"])})
    with desk.repo.transaction("old", message="on") as edit:
        edit.put("d", b"4")
    desk.commit({"e": "5"})
    assert [c.path for c in desk.repo.diff("main...old")] == [b"d"]
    assert [c.letter for c in desk.repo.diff("main..old")] == ["A", "D"]
    assert [c.path for c in desk.repo.diff(f"{one}..")] == [b"e"]


@pytest.mark.parametrize("wrong", [("a", "b", "c"), ("^HEAD",)])
def test_wrong_revisions(desk, wrong):
    desk.commit({"a": "1"})
    with pytest.raises(UsageError):
        desk.repo.diff(*wrong)
    with pytest.raises(UsageError):
        desk.repo.diff("HEAD", "HEAD", staged=True)


def test_staged_against_a_named_version(desk):
    desk.commit({"a": "1"})
    desk.commit({"b": "2"})
    desk.write({"c": "3"})
    desk.repo.add()
    assert [c.path for c in desk.repo.diff("HEAD~1", staged=True)] == [b"b", b"c"]


def test_paths_folders_and_globs(desk):
    desk.commit({"a.txt": "1", "d/b.txt": "2", "d/c.bin": "3"})
    desk.write({"a.txt": "x", "d/b.txt": "y", "d/c.bin": "z"})
    assert [c.path for c in desk.repo.diff(paths=["d"])] == [b"d/b.txt", b"d/c.bin"]
    assert [c.path for c in desk.repo.diff(paths=["*.txt"])] == [b"a.txt", b"d/b.txt"]
    assert [c.path for c in desk.repo.diff(paths=["nope"])] == []


def test_equal_content_moved_is_a_rename(desk):
    desk.commit({"old/x.png": "picture", "b": "kept", "e": ""})
    desk.become({"new/x.png": "picture", "b": "kept", "f": ""})
    found = [(c.letter, c.path, c.old_path) for c in desk.repo.diff("HEAD~1..HEAD")]
    assert found == [
        ("D", b"e", None),
        ("A", b"f", None),
        ("R", b"new/x.png", b"old/x.png"),
    ]
    change = list(desk.repo.diff("HEAD~1..HEAD"))[-1]
    assert desk.repo.diff("HEAD~1..HEAD").detail(change) is None
    assert len(list(desk.repo.diff("HEAD~1..HEAD", renames=False))) == 4


def entry(content):
    return None if content is None else Entry(Mode.FILE, len(content), content_id(content))


@given(old=FOLDERS, new=FOLDERS)
def test_renames_keep_the_books(old, new):
    pairs = sorted(model(old, new).items())
    changes = [Change(path, entry(a), entry(b)) for path, (a, b) in pairs]
    files = {path: entry(content) for path, content in old.items()}
    found = list(with_renames(lambda: iter(changes)))
    assert [c.path for c in found] == sorted(c.path for c in found)
    for change in found:
        if change.old is not None:
            assert files.pop(change.old_path or change.path) == change.old
    for change in found:
        if change.new is not None:
            files[change.path] = change.new
    assert files == {path: entry(content) for path, content in new.items()}
    added = Counter(c.new for c in found if c.letter == "A")
    removed = Counter(c.old for c in found if c.letter == "D")
    assert not any(one.size for one in added & removed)
    sums = summarise(found)
    assert sums.total == len(found)
    assert sums.added - sums.removed == sum(map(len, new.values())) - sum(map(len, old.values()))


def test_text_is_compared_by_line(desk):
    desk.commit({"a": "one\ntwo\n"})
    desk.write({"a": "one\n2\n"})
    difference = desk.repo.diff()
    (change,) = difference
    found = difference.detail(change)
    assert isinstance(found, TextDiff)
    assert (found.added, found.removed) == (1, 1)
    assert found.hunks[0].lines == (" one", "-two", "+2")


def test_added_removed_and_linked_files_have_an_inside_too(desk):
    desk.commit({"a": "one\n", "b": "gone\n"})
    os.symlink("a", desk.root / "link")
    desk.write({"b": None})
    desk.repo.add()
    difference = desk.repo.diff(staged=True)
    found = {change.path: difference.detail(change) for change in difference}
    assert found[b"link"].hunks[0].lines == ("+a", "\\ No newline at end of file")
    assert found[b"b"].hunks[0].lines == ("-gone",)


def test_others_are_compared_by_chunks_stored_or_not(desk):
    first = os.urandom(600_000)
    desk.commit({"b": first})
    desk.write({"b": first[:300_000] + b"\0" + first[300_000:]})
    difference = desk.repo.diff()
    (change,) = difference
    loose = difference.detail(change)
    desk.repo.add()
    difference = desk.repo.diff(staged=True)
    (change,) = difference
    assert difference.detail(change) == loose
    assert isinstance(loose, ChunkDiff)
    assert loose.shared + loose.added == 600_001
    assert loose.shared + loose.removed == 600_000
    assert 0 < loose.added < 600_000


def test_images_by_facts_and_pixels(desk):
    from io import BytesIO

    from PIL import Image

    def png(colour):
        out = BytesIO()
        image = Image.new("RGB", (8, 4), "red")
        image.putpixel((2, 1), colour)
        image.save(out, "PNG")
        return out.getvalue()

    desk.commit({"i.png": png((255, 0, 0))})
    desk.write({"i.png": png((0, 255, 0))})
    difference = desk.repo.diff()
    (change,) = difference
    found = difference.detail(change)
    assert isinstance(found, ImageDiff)
    assert (found.old.width, found.new.height, found.new.format) == (8, 4, "PNG")
    assert found.pixels.changed == 1
    desk.write({"i.png": b"\0broken"})
    difference = desk.repo.diff()
    (change,) = difference
    found = difference.detail(change)
    assert found.new is None
    assert found.pixels is None


def test_a_mode_alone_has_no_inside(desk):
    desk.commit({"a": "x"})
    (desk.root / "a").chmod(0o755)
    difference = desk.repo.diff()
    (change,) = difference
    assert change.letter == "M"
    assert (change.old.mode, change.new.mode) == (Mode.FILE, Mode.EXEC)


@given(
    st.lists(st.tuples(st.sampled_from(b"abc"), st.just(3)), max_size=6),
    st.lists(st.tuples(st.sampled_from(b"bcd"), st.just(3)), max_size=6),
)
def test_chunks_are_compared_as_sets(old, new):
    found = by_chunks(old, new)
    both = set(old) & set(new)
    assert found == (
        len(set(old)),
        len(set(new)),
        len(both),
        3 * len(both),
        3 * len(set(new) - both),
        3 * len(set(old) - both),
        False,
    )


def test_what_is_text():
    assert is_text(b"")
    assert is_text("gr\u00fc\u00df\n\tx\r\n".encode("latin-1"))
    assert not is_text(b"\x89PNG\r\n\x1a\n")
    assert not is_text(b"a\x1b[31m")
