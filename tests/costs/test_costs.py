"""What each step costs, counted: bounds that may be lowered, and lifted with a reason only.

``synced`` are the calls of fsync that were truly made, ``index_writes`` the transactions of LMDB,
ours and those of the other side; the rest is what `Counters` tell, and ``--stats`` prints.
"""

import builtins
import os

import pytest
from support.costs_data import FILES, HUNDRED, LARGE, SIZE, noise, settle

from oxcore.api import Repo
from oxcore.model.commits import Person
from oxcore.model.settings import Settings

NODES = 139  # of the tree of 20,000 files: about 145 to a leaf, one inner level
CHUNKS = 226  # of 16 MiB: 72 KiB in the mean


def at_most(step, **bounds):
    over = {name: (step[name], most) for name, most in bounds.items() if step[name] > most}
    assert not over, f"(is, may be): {over}"


# ------------------------------------------------------------------------- adding and committing


def test_add_reads_hashes_and_stores_each_file_once(story):
    step = story["add"]
    assert step["files_opened"] == step["chunks_stored"] == FILES
    assert step["bytes_hashed"] == FILES * SIZE
    at_most(step, nodes_written=NODES, nodes_read=0, objects_read=0, chunks_hashed=0)


def test_what_a_small_file_takes_beside_its_bytes(story):
    # about 34 of a record in a pack and 8 in its table; a tree entry without what compresses in it
    at_most(story["add"], bytes_stored=FILES * (SIZE + 42))


def test_what_a_large_file_takes_beside_its_bytes(large):
    # as much for each chunk, its id in the manifest, and the tree
    at_most(large["add"], bytes_stored=LARGE + CHUNKS * 44)


def test_syncs_of_an_add_are_as_many_for_one_file_as_for_all(story, large):
    # pack, its folder; operation, its file's folder, view: whatever the number of files
    for step in (story["add"], story["add one"], story["add hundred"], large["add"]):
        at_most(step, synced=5)


def test_a_commit_writes_one_object_and_reads_what_differs(story):
    # and a leaf, to see that no table has a schema to be held against
    for name, nodes in (("commit", 2), ("commit one", 5), ("commit hundred", 2 * HUNDRED + 3)):
        at_most(story[name], bytes_stored=230, synced=3, nodes_written=0, nodes_read=nodes)


def test_the_index_is_written_a_few_times_whatever_the_number_of_files(story, large):
    # packs, stat cache and root for an add, two more where there was none; one for all the rest
    for step in (story["add"], large["add"]):
        at_most(step, index_writes=5)
    for step in (story["add one"], story["add hundred"], large["add again"]):
        at_most(step, index_writes=3)
    for name in ("commit", "commit hundred", "push path", "push again", "switch", "push hub"):
        at_most(story[name], index_writes=1)
    for name in ("clone path", "clone hub"):
        at_most(story[name], index_writes=4)
    for name in ("status", "diff"):
        at_most(story[name], index_writes=0)


@pytest.mark.parametrize("name", ["add", "commit", "add one", "commit one"])
def test_the_counter_of_syncs_tells_the_truth(story, name):
    assert story[name]["fsyncs"] == story[name]["synced"]


# ---------------------------------------------------------------------------------- small changes


def test_one_changed_file_costs_a_path_through_the_tree(story):
    step = story["add one"]
    assert step["nodes_written"] == 2  # its leaf and the root
    at_most(step, nodes_read=2, files_opened=1, bytes_hashed=SIZE, chunks_stored=1)
    at_most(step, bytes_stored=11_000)  # a leaf of 145 ids and a root of as many do not compress


def test_a_hundred_changed_files_cost_a_leaf_each(story):
    step = story["add hundred"]
    at_most(step, nodes_written=HUNDRED + 1, nodes_read=HUNDRED + 1, files_opened=HUNDRED)
    at_most(step, chunks_stored=HUNDRED, bytes_hashed=HUNDRED * SIZE)


def test_a_clean_status_opens_nothing_and_reads_no_tree(story):
    at_most(story["status"], files_opened=0, bytes_hashed=0, nodes_read=0, objects_read=1, synced=0)


def test_a_diff_reads_the_leaves_that_differ_on_either_side(story):
    at_most(story["diff"], nodes_read=2 * (HUNDRED + 1), files_opened=0, synced=0)


def test_a_switch_reads_what_differs_and_no_file(story, large):
    nodes = 2 * (HUNDRED + 1)
    step = story["switch"]
    at_most(step, nodes_read=nodes, objects_read=nodes + HUNDRED, files_opened=0, synced=3)
    at_most(step, bytes_hashed=0, nodes_written=0, bytes_stored=0)
    at_most(large["switch"], nodes_read=2, objects_read=CHUNKS + 3, synced=3)


# ------------------------------------------------------------------------------------ large files


def test_a_large_file_is_cut_once(large):
    step = large["add"]
    assert step["files_opened"] == 1
    assert step["chunks_hashed"] == step["chunks_stored"] == CHUNKS
    assert step["bytes_hashed"] == LARGE


def test_an_insertion_makes_one_new_chunk_and_stores_a_difference(large):
    step = large["add again"]
    at_most(step, chunks_stored=1, nodes_written=1, chunks_hashed=CHUNKS, objects_read=3)
    at_most(step, bytes_stored=10_500)  # 1 KiB inserted, a manifest of 226 ids, a node


# ---------------------------------------------------------------------------------------- sharing


def test_a_push_sends_each_object_once_as_it_is_stored(story):
    stored = sum(story[name]["bytes_stored"] for name in ("add", "commit"))
    step = story["push path"]
    at_most(step, objects_sent=FILES + NODES + 1, bytes_sent=stored, nodes_read=NODES + 1)
    at_most(step, objects_read=NODES + 1, files_opened=0, synced=6)


def test_a_push_of_a_change_sends_what_is_new(story):
    step = story["push again"]
    # files and nodes of two commits, and the commits
    at_most(step, objects_sent=(1 + 2 + 1) + (HUNDRED + HUNDRED + 1 + 1), synced=4)
    at_most(step, objects_read=HUNDRED + 7)


def test_a_push_of_a_changed_large_file_sends_the_new_chunk(large):
    at_most(large["push again"], objects_sent=4, bytes_sent=10_600, objects_read=6, synced=4)


def test_requests_do_not_grow_with_the_number_of_files(story):
    at_most(story["push hub"], requests=6)
    at_most(story["clone hub"], requests=5)


def test_what_travels_is_what_is_stored(story):
    sent, received = story["push hub"], story["clone hub"]
    assert received["bytes_received"] == sent["bytes_sent"] == received["bytes_stored"]
    assert received["objects_received"] == sent["objects_sent"]


def test_a_clone_reads_each_file_once_and_proves_each_node(story):
    # every node twice at most: when it is proved, and when the folder is written
    at_most(story["clone path"], nodes_read=2 * NODES + 1, objects_read=FILES + 2 * NODES + 2)
    at_most(story["clone path"], bytes_received=200, files_opened=0, synced=13)
    at_most(story["clone hub"], objects_read=FILES + 385, files_opened=0, synced=14)


# --------------------------------------------------------------------------- truly opened, by call


def test_each_file_is_truly_opened_once_and_a_clean_one_never(tmp_path, monkeypatch):
    opened = []

    def counted(call):
        def opening(path, *args, **keywords):
            if isinstance(path, str | bytes) and os.fspath(path)[-4:] in (".bin", b".bin"):
                opened.append(path)
            return call(path, *args, **keywords)

        return opening

    (tmp_path / "sub").mkdir()
    for number in range(60):
        (tmp_path / "sub" / f"{number}.bin").write_bytes(noise(f"open {number}", 5000))
    with Repo.init(str(tmp_path), settings=Settings(Person("Ann"))) as repo:
        monkeypatch.setattr(os, "open", counted(os.open))
        monkeypatch.setattr(builtins, "open", counted(builtins.open))
        settle()
        repo.add()
        assert len(opened) == 60
        repo.commit("all")
        assert repo.status().clean
        repo.add()
        assert len(opened) == 60
