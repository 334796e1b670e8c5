"""What a version holds, and how it drifted: right, and at the cost of what is new."""

import io
import os

import pytest
from PIL import Image

from oxcore.api import Repo
from oxcore.errors import InvalidError, NotFoundError, UsageError
from oxcore.verbs.statistics import pictures
from oxcore.verbs.statistics.census import Span
from oxcore.verbs.statistics.drifted import Sum
from oxcore.verbs.statistics.tabulated import Column


def picture(width=8, height=6, mode="RGB", kind="PNG", seed=0):
    out = io.BytesIO()
    Image.new(mode, (width, height), seed).save(out, kind)
    return out.getvalue()


def csv(rows, label="cat"):
    return b"id,label\n" + b"".join(b"%d,%s\n" % (n, label.encode()) for n in range(rows))


FILES = {
    b"readme.md": b"hello",
    b"labels.csv": csv(10),
    b"img/a/1.png": picture(8, 6),
    b"img/a/2.png": picture(8, 6, "L"),
    b"img/b/3.jpg": picture(16, 12, kind="JPEG"),
    b"img/b/4.png": b"no image",
    b"img/b/5.png": b"no image",
    b"img/notes": b"x",
}


@pytest.fixture
def pets(desk):
    desk.commit(FILES)
    return desk


def cost(repo, call):
    """What ``call`` gives, and what it took."""
    before = repo.counters.as_dict()
    found = call()
    after = repo.counters.as_dict()
    return found, {key: after[key] - before[key] for key in after}


def test_a_version(pets):
    found = pets.repo.stats()
    assert (found.total.files, found.total.size) == (8, sum(map(len, FILES.values())))
    assert [one.path for one in found.folders] == [b"", b"img/"]
    top, img = (one.content for one in found.folders)
    assert (top.files, top.images) == (2, None)
    assert [(kind.suffix, kind.files) for kind in img.kinds] == [("jpg", 1), ("png", 4), ("", 1)]
    images = img.images
    assert (images.files, images.broken, images.animated) == (3, 2, 0)
    assert (images.width, images.height) == (Span(8, 8, 16), Span(6, 6, 12))
    assert images.modes == (("RGB", 2), ("L", 1))
    assert images.formats == (("PNG", 2), ("JPEG", 1))
    assert found.total.images == images
    (labels,) = found.tables
    assert (labels.path, labels.format, labels.rows) == (b"labels.csv", "csv", 10)
    assert labels.columns == (Column("id", "int64", 0), Column("label", "string", 0))


@pytest.mark.parametrize(
    ("depth", "paths"),
    [
        (0, [b""]),
        (1, [b"", b"img/"]),
        (2, [b"", b"img/", b"img/a/", b"img/b/"]),
        (9, [b"", b"img/", b"img/a/", b"img/b/"]),
    ],
)
def test_folders_as_deep_as_asked(pets, depth, paths):
    found = pets.repo.stats(depth=depth)
    assert [one.path for one in found.folders] == paths
    assert sum(one.content.files for one in found.folders) == 8


def test_chosen_paths(pets):
    found = pets.repo.stats(paths=["img/b", "*.csv"], depth=2)
    assert [one.path for one in found.folders] == [b"", b"img/b/"]
    assert found.total.files == 4
    with pytest.raises(NotFoundError, match=r"no file fits 'nope'"):
        pets.repo.stats(paths=["nope"])
    with pytest.raises(UsageError):
        pets.repo.stats(depth=-1)
    with pytest.raises(InvalidError):
        pets.repo.stats("HEAD..HEAD", "HEAD")


def test_the_stage_and_an_empty_repository(desk):
    assert desk.repo.stats(":").total.files == 0
    desk.write({b"a.csv": b"x\n1\n"})
    desk.repo.add()
    assert [one.rows for one in desk.repo.stats(":").tables] == [1]
    with pytest.raises(NotFoundError):
        desk.repo.stats()


def test_everything_is_looked_at_once_ever(pets):
    first, took = cost(pets.repo, pets.repo.stats)
    assert took["rows"] >= 10
    again, took = cost(pets.repo, pets.repo.stats)
    assert again == first
    assert (took["rows"], took["objects_read"] - took["nodes_read"]) == (0, 0)
    with Repo.open(str(pets.root)) as other:
        found, took = cost(other, other.stats)
        assert found == first
        assert (took["rows"], took["objects_read"] - took["nodes_read"]) == (0, 1)  # the commit


def test_a_damaged_or_older_fact_is_made_anew(pets):
    first = pets.repo.stats()
    facts = pets.core.index.facts
    oids = [one.entry.id for one in pets.repo.ls(recursive=True)]
    for bad in (b"", b"[]", b'"x"', b'["PNG", 1]', b"{", b'[1, "a", 2, 3, 4, 5]'):
        facts.put_many("image 1", [(oid, bad) for oid in oids])
        assert pets.repo.stats() == first


def test_links_are_no_images_and_no_tables(desk):
    desk.write({b"a.csv": b"x\n1\n", b"a.png": picture()})
    os.symlink("a.csv", desk.root / "b.csv")
    os.symlink("a.png", desk.root / "b.png")
    desk.commit()
    found = desk.repo.stats()
    assert [one.path for one in found.tables] == [b"a.csv"]
    assert (found.total.images.files, found.total.images.broken) == (1, 0)


def test_tables_that_are_none(desk):
    desk.commit(
        {
            b"ragged.csv": b"a,b\n1,2\n3\n",
            b"records.json": b'[{"a": 1}]',
            b"config.json": b'{"a": 1,\n "b": [2]}',
            b"numbers.json": b"[1, 2]",
            b"document.json": b'{"name": "pets", "size": 3}',
            b"lines.json": b'{"a": 1}\n{"a": 2}\n',
            b"empty.tsv": b"",
            b"cut.parquet": b"PAR1",
        }
    )
    found, _ = cost(desk.repo, desk.repo.stats)
    told = {one.path: one.problem or one.rows for one in found.tables}
    assert (told[b"records.json"], told[b"lines.json"]) == (1, 2)
    assert told[b"ragged.csv"] == "row 3: 1 fields, and the first row has 2"
    assert told[b"empty.tsv"] == "it is empty, so it has no columns"
    assert told[b"cut.parquet"].startswith("broken Parquet")
    assert len(told) == 5
    again, took = cost(desk.repo, desk.repo.stats)
    assert again == found
    assert (took["rows"], took["objects_read"] - took["nodes_read"]) == (0, 0)


# ------------------------------------------------------------------------------------------- drift


def test_what_came_and_went(pets):
    pets.commit(
        {
            b"img/a/1.png": picture(32, 6),
            b"img/a/2.png": None,
            b"img/b/6.png": picture(4, 4, "RGBA"),
            b"img/b/7.png": picture(4, 8, "RGBA"),
            b"labels.csv": csv(20, "dog"),
        }
    )
    found = pets.repo.stats("HEAD~1", "HEAD")
    assert found == pets.repo.stats("HEAD~1..HEAD")
    assert [total.files for total in found.total] == [8, 9]
    top, img = found.folders
    assert (top.path, top.changed.files, top.total) == (b"", 1, None)
    assert (img.added.files, img.removed.files, img.changed.files) == (2, 1, 1)
    assert img.added.size == len(picture(4, 4, "RGBA")) + len(picture(4, 8, "RGBA"))
    assert img.total == (
        Sum(6, sum(len(data) for path, data in FILES.items() if path[:4] == b"img/")),
        Sum(7, img.total[0].size + img.new.size - img.old.size),
    )
    assert (img.old.images.width, img.new.images.width) == (Span(8, 8, 8), Span(4, 4, 32))
    assert (img.old.images.modes, img.new.images.modes) == (
        (("L", 1), ("RGB", 1)),
        (("RGBA", 2), ("RGB", 1)),
    )
    (labels,) = found.tables
    assert labels.path == b"labels.csv"
    assert labels.drift.rows == (10, 20)
    assert [one.name for one in labels.drift.columns] == ["label", "id"]
    label = labels.drift.columns[0]
    assert (label.drift, label.measure) == (1, "total variation")
    assert [tuple(one) for one in label.shares] == [("dog", 0, 1), ("cat", 1, 0)]
    back = pets.repo.stats("HEAD", "HEAD~1")
    assert back.tables[0].drift.drift == labels.drift.drift
    assert (back.folders[1].added, back.folders[1].removed) == (img.removed, img.added)


def test_nothing_differs(pets):
    found, took = cost(pets.repo, lambda: pets.repo.stats("HEAD", "HEAD"))
    assert (found.folders, found.tables, found.added, found.removed) == ((), (), (), ())
    assert (took["rows"], took["objects_read"], took["nodes_read"]) == (0, 2, 1)  # and the commit


def test_tables_that_came_and_went_and_were_renamed(pets):
    pets.commit({b"labels.csv": None, b"new name.csv": FILES[b"labels.csv"], b"more.csv": csv(3)})
    pets.commit({b"more.csv": None, b"bad.csv": b"a,b\n1\n"})
    found = pets.repo.stats("HEAD~2", "HEAD~1")
    assert [(one.path, one.rows) for one in found.added] == [(b"more.csv", 3)]
    assert (found.tables, found.removed) == ((), ())
    found = pets.repo.stats("HEAD~1", "HEAD")
    assert [one.path for one in found.removed] == [b"more.csv"]
    assert [one.problem[:5] for one in found.added] == ["row 2"]


def test_a_table_of_which_only_the_mode_changed(pets):
    (pets.root / "labels.csv").chmod(0o755)
    pets.commit()
    found = pets.repo.stats("HEAD~1", "HEAD")
    assert (found.folders[0].changed.files, found.tables) == (1, ())


def test_what_is_not_here_is_told(pets):
    for pack in pets.core.store.packs():
        pets.core.store.rewrite(drop=[pack.name], keep=lambda oid: oid not in gone(pets))
    found = pets.repo.stats()
    assert found.total.images.broken == 3
    assert found.tables[0].problem.endswith("is not in the store")


def gone(desk):
    """The contents of a table and of an image."""
    return {one.entry.id for one in desk.repo.ls(recursive=True) if one.path in LOST}


LOST = {b"labels.csv", b"img/a/1.png"}


def test_a_table_that_broke_is_told_of_last(pets):
    pets.commit({b"a.csv": csv(5), b"z.csv": csv(5)})
    pets.commit({b"a.csv": b"a,b\n1\n", b"z.csv": csv(5, "dog"), b"labels.csv": csv(11)})
    found = pets.repo.stats("HEAD~1", "HEAD")
    assert [one.path for one in found.tables] == [b"z.csv", b"labels.csv", b"a.csv"]
    assert found.tables[-1].drift is None
    assert found.tables[-1].problem.startswith("now: row 2")


def test_chosen_paths_have_no_totals(pets):
    pets.commit({b"img/a/9.png": picture(9, 9), b"labels.csv": csv(11)})
    found = pets.repo.stats("HEAD~1", "HEAD", paths=["img"], depth=2)
    assert [(one.path, one.total) for one in found.folders] == [(b"img/a/", None)]
    assert (found.total, found.tables) == (None, ())


def test_images_are_looked_at_by_the_batch(desk, monkeypatch):
    seen = []
    facts = pictures.facts
    monkeypatch.setattr(pictures, "facts", lambda data: seen.append(1) or facts(data))
    monkeypatch.setattr("oxcore.verbs.statistics.census._AT_ONCE", 7)
    monkeypatch.setattr(pictures, "_SMALL", 120)
    files = {b"%d/%d.png" % (n % 3, n): picture(n + 1, 5, seed=n) for n in range(40)}
    desk.commit({**files, b"copy.png": files[b"0/0.png"]})
    images = desk.repo.stats().total.images
    assert (images.files, images.width) == (41, Span(1, 20, 40))
    assert len(seen) == 40
    desk.repo.stats()
    assert len(seen) == 40
