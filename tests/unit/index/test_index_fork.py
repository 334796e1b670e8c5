"""A forked child has an index of its own, whatever the threads of its parent were doing."""

import os
import threading

from oxcore.index import Index
from oxcore.model.protocols import Location


def rows(start, count):
    return [
        (number.to_bytes(32, "big"), Location(0, number, 10, 10, 1, 0))
        for number in range(start, start + count)
    ]


def in_child(work):
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(pid, 0)[1] == 0


def test_a_child_writes_what_its_parent_reads(tmp_path):
    index = Index.open(str(tmp_path / "index"))
    index.locations.add_pack(b"p" * 32, rows(0, 5))

    def work():
        assert index.locations.find_many([rows(3, 1)[0][0]])[0] is not None  # as inherited
        with_child = Index.open(str(tmp_path / "index"))
        with_child.locations.add_pack(b"q" * 32, rows(5, 5))
        assert index.locations.find_many([rows(8, 1)[0][0]])[0] is not None
        with_child.close()

    in_child(work)
    assert None not in index.locations.find_many([oid for oid, _ in rows(0, 10)])
    index.locations.add_pack(b"r" * 32, rows(10, 5))
    index.close()


def test_children_forked_while_threads_write(tmp_path):
    index = Index.open(str(tmp_path / "index"))
    stop = threading.Event()

    def write(first):
        number = first
        while not stop.is_set():
            index.locations.add_pack(number.to_bytes(32, "big"), rows(number, 3))
            number += 1000

    def work():
        mine = Index.open(str(tmp_path / "index"))
        mine.locations.add_pack(b"c" * 32, rows(7, 3))
        mine.close()

    threads = [threading.Thread(target=write, args=(first,)) for first in (1, 2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(8):
            in_child(work)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    index.close()
