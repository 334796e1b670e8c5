"""Statistics cost what is new: a range reads the nodes and files that differ, each once ever."""

import io

import pytest
from PIL import Image
from support.costs_data import noise, settle

from oxcore.api import Repo
from oxcore.model.commits import Person
from oxcore.model.settings import Settings

FILES, IMAGES, ROWS = 6000, 200, 5000
LEAF = 3  # nodes from the root of this tree to a leaf, and a neighbour


def picture(number):
    out = io.BytesIO()
    Image.new("RGB", (number % 50 + 1, 9), number).save(out, "PNG")
    return out.getvalue()


def labels(rows, label):
    return b"id,label\n" + b"".join(b"%d,%s\n" % (n, label) for n in range(rows))


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What each step took: counters that moved."""
    root, steps = tmp_path_factory.mktemp("stats"), {}
    for number in range(FILES):
        place = root / "raw" / f"{number // 500}" / f"{number}.bin"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(noise(f"{number}", 20))
    (root / "img").mkdir()
    for number in range(IMAGES):
        (root / "img" / f"{number}.png").write_bytes(picture(number))
    for name, label in (("labels.csv", b"cat"), ("same.csv", b"cat"), ("other.csv", b"fox")):
        (root / name).write_bytes(labels(ROWS, label))
    with Repo.init(str(root), settings=Settings(Person("Ann"))) as repo:

        def step(name, call):
            before = repo.counters.as_dict()
            found = call()
            after = repo.counters.as_dict()
            steps[name] = {key: after[key] - before[key] for key in after}
            return found

        settle()
        repo.add()
        repo.commit("one")
        (root / "labels.csv").write_bytes(labels(ROWS, b"dog"))
        (root / "img" / "7.png").write_bytes(picture(77))
        (root / "raw" / "3" / "1700.bin").write_bytes(b"changed")
        settle()
        repo.add()
        repo.commit("two")
        step("range", lambda: repo.stats("HEAD~1", "HEAD"))
        step("range again", lambda: repo.stats("HEAD~1", "HEAD"))
        step("same", lambda: repo.stats("HEAD", "HEAD"))
        step("whole", lambda: repo.stats("HEAD"))
        step("whole again", lambda: repo.stats("HEAD"))
        step("table", lambda: repo.table("other.csv", "HEAD").schema)
    return steps


def test_a_range_reads_the_tables_and_images_that_differ(told):
    step = told["range"]
    # each version of one table: once for its types, once for its columns; and a mark of its end
    assert step["rows"] == 2 * 2 * (ROWS + 1)
    # a leaf of each of three places in both trees, the roots; the totals of two folders
    assert step["nodes_read"] <= 2 * 3 * LEAF
    assert step["objects_read"] - step["nodes_read"] <= 2 + 2 * 3 * 3  # commits, contents
    assert step["files_opened"] == step["bytes_hashed"] == 0


def test_a_range_is_read_once_ever(told):
    step = told["range again"]
    assert (step["rows"], step["files_opened"]) == (0, 0)
    assert step["objects_read"] == step["nodes_read"] <= 2 * 3 * LEAF


def test_what_did_not_change_is_not_read(told):
    assert (told["same"]["nodes_read"], told["same"]["rows"]) == (1, 0)


def test_a_version_reads_each_image_and_table_that_is_not_known(told):
    step = told["whole"]
    assert step["rows"] == ROWS + 1  # of the table that the range did not meet: its types
    assert step["objects_read"] - step["nodes_read"] <= IMAGES + 2
    again = told["whole again"]
    assert (again["rows"], again["objects_read"]) == (0, again["nodes_read"])
    assert told["table"]["rows"] == 0
