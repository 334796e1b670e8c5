"""Helper processes take the same files that this process would; their deaths cost nothing."""

from __future__ import annotations

import os
import signal
import threading
import time
from itertools import accumulate
from pathlib import Path

import pytest

from oxcore.chunk import ChunkParams
from oxcore.testing.stores import noise
from oxcore.verbs.add import add
from oxcore.verbs.storing import crew as crews
from oxcore.verbs.storing import ingest, intake, processes
from oxcore.verbs.storing.crew import Crew, Helper
from oxcore.verbs.storing.deposit import put_bytes
from oxcore.verbs.storing.intake import ROOM, Seen, take
from oxcore.worktree import PREFIX, pack_stat

TEXT = b"label,width,height\n" * 90
PARAMS = ChunkParams()


@pytest.fixture
def files(tmp_path):
    """Files of every sort that goes as one chunk, older than any tick of the clock."""
    datas = [b"", b"a", TEXT, noise(1, 9000), noise(2, 40), TEXT + noise(3, 900)] * 18
    datas += [noise(4, 200_000), TEXT * 90, noise(5, 17_000), TEXT * 20 + noise(6, 99_000)] * 3
    for number, data in enumerate(datas):
        path = tmp_path / f"file {number}"
        path.write_bytes(data + b"%d" % number)
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and racy(tmp_path):
        time.sleep(0.01)
    return [os.fsencode(tmp_path / f"file {number}") for number in range(len(datas))]


def racy(folder):
    stats = [pack_stat(path.stat()) for path in folder.iterdir()]
    return bool(intake.racy_rows(stats, time.time_ns()))


def seen(places):
    stats = [pack_stat(os.stat(place)) for place in places]
    return Seen(places, stats, [PREFIX.unpack(stat)[0] for stat in stats])


def groups(files, size=7):
    return [seen(files[at : at + size]) for at in range(0, len(files), size)]


def frozen(taken):
    at, parts, run = taken
    columns = run.ids, bytes(run.kinds), bytes(run.hows), list(run.raws), list(run.stored)
    return list(at), list(parts), columns, bytes(run.blob)


def here(group):
    return frozen(take(group, memoryview(bytearray(ROOM)), 1, PARAMS))


def through(crew, asked, started=False):
    if started:
        wait_for_start(crew)
    done = []
    for number, group in enumerate(asked):
        done += [(tag, frozen(taken)) for tag, taken in crew.put(number, group)]
    return done + [(tag, frozen(taken)) for tag, taken in crew.rest()]


def wait_for_start(crew):
    """Until each helper has answered once: then it is at work, not still loading."""
    for one in crew._helpers:
        one.ask(Seen([b"/"], [bytes(32)], [0]))
        assert list(one.answer().at) == []
        one.release()


@pytest.mark.parametrize("count", [0, 1, 3])
def test_results_are_those_of_one_process_in_the_order_asked(files, count):
    asked = groups(files)
    crew = Crew(count, 1, PARAMS)
    try:
        found = through(crew, asked, started=True)
    finally:
        crew.close()
    assert found == [(number, here(group)) for number, group in enumerate(asked)]
    assert sum(len(taken[0]) for _, taken in found) == len(files)


def test_what_is_not_as_it_was_seen_is_left_out(files, tmp_path):
    os.unlink(files[1])
    os.symlink("elsewhere", tmp_path / "link")
    asked = Seen([*files[:3], os.fsencode(tmp_path / "link")], [], [])
    stats = [pack_stat(os.stat(place)) for place in (files[0], files[0], files[2], files[0])]
    asked = Seen(asked.places, stats, [PREFIX.unpack(stat)[0] for stat in stats])
    with open(files[2], "ab") as file:
        file.write(b"more")
    crew = Crew(1, 1, PARAMS)
    try:
        [(_, found)] = through(crew, [asked], started=True)
    finally:
        crew.close()
    assert found[0] == [0]
    assert found == here(asked)


def test_files_changed_this_very_moment_are_left_to_the_careful_way(tmp_path):
    (tmp_path / "new").write_bytes(b"just now")
    group = seen([os.fsencode(tmp_path / "new")])
    assert here(group)[0] == []


def test_a_helper_that_dies_costs_nothing_but_its_share(files):
    asked = groups(files, 3)
    crew = Crew(2, 1, PARAMS)
    try:
        wait_for_start(crew)
        done = []
        for number, group in enumerate(asked):
            if number == 5:
                os.kill(crew._helpers[0]._process.pid, signal.SIGKILL)
                crew._helpers[0]._process.wait()
            done += [(tag, frozen(taken)) for tag, taken in crew.put(number, group)]
        done += [(tag, frozen(taken)) for tag, taken in crew.rest()]
        assert not crew._helpers[0].is_free()
    finally:
        crew.close()
    assert done == [(number, here(group)) for number, group in enumerate(asked)]


def test_no_helper_outlives_its_crew(files):
    crew = Crew(2, 1, PARAMS)
    processes = [one._process for one in crew._helpers]
    for group in groups(files)[:3]:
        list(crew.put(0, group))
    crew.close()
    assert [process.poll() is not None for process in processes] == [True, True]


def test_a_helper_ends_when_its_parent_is_gone(files):
    one = Helper(1, PARAMS)
    one._process.stdin.close()
    assert one._process.wait(10) == 0
    one.close()


def test_no_more_processes_means_no_helpers(monkeypatch, files):
    def refuse(*args, **kwargs):
        raise BlockingIOError("no more processes")

    monkeypatch.setattr(crews.subprocess, "Popen", refuse)
    crew = Crew(2, 1, PARAMS)
    assert [tag for tag, _ in through(crew, groups(files))] == list(range(len(groups(files))))


def test_helpers_are_for_the_other_processors(monkeypatch):
    assert [processes.helpers_for(count) for count in (1, 2, 4, 64)] == [0, 1, 3, 3]
    monkeypatch.setattr(processes.sys, "executable", None)
    assert processes.helpers_for(8) == 0


def test_questions_and_answers_come_through_a_pipe_whole():
    read, write = os.pipe()
    message = noise(5, 300_000)
    thread = threading.Thread(target=processes.send, args=(write, message))
    thread.start()
    assert processes.receive(read) == message
    thread.join()
    os.close(write)
    assert processes.receive(read) is None
    os.close(read)


def test_add_gives_the_same_packs_with_helpers_and_without(desks, monkeypatch):
    files = {f"d{n % 5}/f{n}".encode(): noise(n % 40, 200 * n % 50_000) for n in range(600)}
    monkeypatch.setattr(ingest, "_BATCH_FILES", 16)
    monkeypatch.setattr(processes, "helpers_for", lambda cpus: 2)
    found = []
    for enough in (1 << 30, 1 << 20):
        monkeypatch.setattr(ingest, "_ENOUGH", enough)
        desk = desks()
        desk.write(files)
        time.sleep(0.05)  # past the tick in which they were written
        result = add(desk.core)
        assert (result.added, desk.core.counters.files_opened) == (600, 600)
        found.append((desk.core.stage(), [info.name for info in desk.core.store.packs()]))
    assert found[0] == found[1]


def test_a_file_taken_with_others_is_stored_as_one_by_itself(desks, files):
    desk, other = desks(), desks()
    asked = seen(files)
    at, parts, run = take(asked, memoryview(bytearray(ROOM)), 1, PARAMS)
    with desk.core.batch() as batch:
        batch.put_run(run)
        ends = list(accumulate(parts))
    with other.core.batch() as batch:
        ids = [
            put_bytes(other.core, batch, Path(os.fsdecode(place)).read_bytes()) for place in files
        ]
    assert [run.ids[end - 1] for end in ends] == ids
    assert list(at) == list(range(len(files)))
    assert dict(places(desk)) == dict(places(other))
    assert max(parts) > 3


def places(desk):
    """Every object: its id, with kind, how and lengths."""
    for oid, where in desk.core.index.locations.ids():
        yield oid, (where.kind, where.how, where.raw, where.stored)
