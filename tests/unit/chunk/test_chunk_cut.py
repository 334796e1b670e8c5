import io
import random
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oxcore.chunk import ChunkParams, cut, cut_slow, iter_chunks

SMALL = ChunkParams(minimum=64, mean=256, maximum=1024)
PARAMS = st.sampled_from(
    [
        SMALL,
        ChunkParams(minimum=128, mean=256, maximum=2048),
        ChunkParams(minimum=256, mean=1024, maximum=4096),
    ]
)
examples = settings(max_examples=150, deadline=None)


@st.composite
def contents(draw, most=12000):
    """Random bytes, few-valued bytes, or a short unit repeated; lengths near the edges too."""
    source = random.Random(draw(st.integers(0, 2**32)))
    size = draw(st.integers(0, most) | st.sampled_from([63, 64, 65, 255, 257, 1023, 1024, 1025]))
    kind = draw(st.sampled_from(["random", "few", "periodic"]))
    if kind == "random":
        return source.randbytes(size)
    if kind == "few":
        return bytes(source.choices(source.randbytes(draw(st.integers(1, 3))), k=size))
    unit = source.randbytes(draw(st.integers(1, 400)))
    return (unit * (size // len(unit) + 1))[:size]


def pieces(data, ends):
    return [data[start:end] for start, end in pairwise([0, *ends])]


@examples
@given(contents(), PARAMS)
def test_the_pieces_put_together_are_the_data(data, params):
    ends = cut(data, params, final=True)
    assert b"".join(pieces(data, ends)) == data
    assert ends == sorted(set(ends))


@examples
@given(contents(), PARAMS)
def test_sizes_keep_the_bounds(data, params):
    sizes = [len(piece) for piece in pieces(data, cut(data, params, final=True))]
    assert all(params.minimum <= size <= params.maximum for size in sizes[:-1])
    assert all(1 <= size <= params.maximum for size in sizes[-1:])


@examples
@given(contents(), PARAMS)
def test_the_slow_twin_cuts_alike(data, params):
    assert cut_slow(data, params) == cut(data, params, final=True)


@examples
@given(contents(), st.data())
def test_what_is_decided_early_stays_decided(data, choices):
    whole = cut(data, SMALL, final=True)
    known = choices.draw(st.integers(0, len(data)))
    early = cut(data[:known], SMALL, final=False)
    assert early == whole[: len(early)]
    assert known - (early[-1] if early else 0) < SMALL.maximum


@examples
@given(contents(), st.lists(st.integers(1, 3000), min_size=1, max_size=8))
def test_windows_of_any_size_cut_as_one_pass(data, steps):
    ends, start, known, turn = [], 0, 0, 0
    while known < len(data):
        known = min(len(data), known + steps[turn % len(steps)])
        turn += 1
        found = cut(data[start:known], SMALL, final=known == len(data))
        ends += [start + end for end in found]
        start = ends[-1] if ends else 0
    assert ends == cut(data, SMALL, final=True)


class Dribble:
    """A stream that gives fewer bytes than it is asked for, as sockets do."""

    def __init__(self, data, steps):
        self.stream, self.steps, self.turn = io.BytesIO(data), steps, 0

    def read(self, size):
        self.turn += 1
        return self.stream.read(min(size, self.steps[self.turn % len(self.steps)]))


@examples
@given(contents(), st.integers(0, 9000), st.lists(st.integers(1, 5000), min_size=1, max_size=5))
def test_a_stream_is_cut_as_one_pass(data, window, steps):
    found = [bytes(piece) for piece in iter_chunks(Dribble(data, steps).read, SMALL, window)]
    assert found == pieces(data, cut(data, SMALL, final=True))


@examples
@given(st.integers(0, 2**32), st.integers(0, 8000), st.binary(min_size=1, max_size=300))
def test_an_insertion_moves_only_cuts_near_it(seed, at, more):
    before = random.Random(seed).randbytes(64000)
    after = before[:at] + more + before[at:]
    old, new = cut(before, SMALL, final=True), cut(after, SMALL, final=True)
    # A cut is decided by the byte behind it: those in front of the edit cannot move at all.
    assert [end for end in old if end < at] == [end for end in new if end < at]
    moved = {end - len(more) for end in new}
    assert {end for end in old if end > at + 40 * SMALL.mean} <= moved


def test_nothing_and_little():
    params = ChunkParams()
    assert cut(b"", params, final=True) == []
    assert cut(b"", params, final=False) == []
    assert cut(b"x", params, final=True) == [1]
    assert cut(b"x", params, final=False) == []
    assert cut(bytes(params.minimum), params, final=True) == [params.minimum]
    assert list(iter_chunks(io.BytesIO().read, params)) == []


def test_a_full_chunk_at_the_end_of_a_window_is_decided():
    data = bytes(3 * SMALL.maximum)  # zeros never meet a mask, so each chunk is cut by force
    assert cut(data, SMALL, final=False) == [1024, 2048, 3072]
    assert cut(data[:-1], SMALL, final=False) == [1024, 2048]


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_any_buffer_will_do(kind):
    data = random.Random(1).randbytes(5000)
    assert cut(kind(data), SMALL, final=True) == cut_slow(data, SMALL)


def test_a_view_of_wider_items_is_cut_by_bytes():
    data = random.Random(2).randbytes(8000)
    assert cut(memoryview(data).cast("Q"), SMALL, final=True) == cut(data, SMALL, final=True)


def test_a_view_with_strides_is_refused():
    with pytest.raises(TypeError):
        cut(memoryview(bytes(8000))[::2], SMALL, final=True)


def test_a_piece_cannot_be_written_to():
    piece = next(iter_chunks(io.BytesIO(bytes(9000)).read, SMALL))
    assert piece.readonly


def test_a_stream_asks_for_no_more_than_it_has_room_for():
    asked, stream = [], io.BytesIO(random.Random(3).randbytes(3 << 20))

    def read(size):
        asked.append(size)
        return stream.read(size)

    assert sum(len(piece) for piece in iter_chunks(read, SMALL, 1 << 16)) == 3 << 20
    assert max(asked) <= 1 << 16


def test_threads_may_share_the_parameters():
    data = [random.Random(seed).randbytes(200_000) for seed in range(8)]
    alone = [cut(block, SMALL, final=True) for block in data]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda block: cut(block, SMALL, final=True), data * 4)) == alone * 4
