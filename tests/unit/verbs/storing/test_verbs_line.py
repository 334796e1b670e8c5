"""A stream through the threads of a line: the chunks of one pass, in order, and every error."""

import io
import random
import threading
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oxcore.chunk import ChunkParams, cut
from oxcore.model.ids import content_id
from oxcore.verbs.storing import line

SMALL = ChunkParams(minimum=64, mean=256, maximum=1024)


def drop(*_):
    return None


def dribble(data, steps):
    """Fills buffers with no more bytes at once than the steps say, in turn."""
    stream, turn = io.BytesIO(data), 0

    def fill(view):
        nonlocal turn
        turn += 1
        return stream.readinto(view[: steps[turn % len(steps)]])

    return fill


def through(fill, window):
    """Id, ids and chunks of a stream, as they come to be put."""
    ids, chunks = [], []

    def put(taken):
        ids.extend(taken[0])
        chunks.extend(map(bytes, taken[1]))  # their buffer is filled anew afterwards

    steps = line.Steps(lambda *taken: taken, lambda taken: taken, put)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(line, "WINDOW", window)
        return line.run_line(SMALL, fill, steps), ids, chunks


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 20_000) | st.sampled_from([0, 1024, 2048, 4096, 8192]),
    st.booleans(),
    st.integers(1, 6000) | st.sampled_from([1024, 2048, 4096]),
    st.lists(st.integers(1, 5000), min_size=1, max_size=5),
)
def test_a_stream_gives_the_chunks_of_one_pass(size, plain, window, steps):
    data = bytes(size) if plain else random.Random(size).randbytes(size)
    oid, ids, chunks = through(dribble(data, steps), window)
    ends = cut(data, SMALL, final=True)
    assert chunks == [data[a:b] for a, b in pairwise([0, *ends])]
    assert ids == list(map(content_id, chunks))
    assert oid == content_id(data)


@pytest.mark.parametrize("step", ["take", "encode", "put"])
@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_of_any_step_ends_all_threads(monkeypatch, step, error):
    monkeypatch.setattr(line, "WINDOW", 5000)
    calls = []

    def fail(*_):
        calls.append(step)
        if len(calls) >= 3:
            raise error("enough")

    steps = line.Steps(drop, drop, drop)._replace(**{step: fail})
    with pytest.raises(error, match="enough"):
        line.run_line(SMALL, io.BytesIO(bytes(200_000)).readinto, steps)
    assert not [one for one in threading.enumerate() if one.name == "ox-line"]


def test_take_and_put_are_never_at_once(monkeypatch):
    monkeypatch.setattr(line, "WINDOW", 3000)
    busy = threading.Lock()

    def alone(*_):
        assert busy.acquire(blocking=False)
        threading.Event().wait(0.0005)
        busy.release()

    steps = line.Steps(alone, drop, alone)
    line.run_line(SMALL, io.BytesIO(bytes(100_000)).readinto, steps)
