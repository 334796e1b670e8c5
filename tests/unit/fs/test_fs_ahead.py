"""Items that a thread makes ahead: all of them, in order; what goes wrong; and no thread stays."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oxcore.fs.ahead import Ahead


@given(st.lists(st.none() | st.integers()), st.integers(1, 4))
def test_the_same_items_in_order(items, room):
    assert list(Ahead(items, room)) == items


@given(st.integers(0, 9), st.integers(1, 4))
def test_an_error_comes_in_its_place(count, room):
    found = []
    with Ahead((1 // (count - at) for at in range(99)), room) as ahead:
        with pytest.raises(ZeroDivisionError):
            found.extend(ahead)
        assert next(ahead, None) is None
    assert found == [1 // (count - at) for at in range(count)]


def test_it_runs_ahead_by_its_room_and_no_more():
    made, waits = [], threading.Semaphore(0)

    def items():
        for at in range(100):
            made.append(at)
            waits.release()
            yield at

    with Ahead(items(), 3) as ahead:
        for _ in range(4):  # three lie there, one waits for room
            assert waits.acquire(timeout=10)
        assert made == [0, 1, 2, 3]
        assert next(ahead) == 0
        assert waits.acquire(timeout=10)
        assert made == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("taken", [0, 1, 7])
def test_closed_early_it_ends_the_thread_and_the_generator(taken):
    ended = []

    def items():
        try:
            yield from range(1000)
        finally:
            ended.append(threading.current_thread())

    before = threading.active_count()
    with Ahead(items(), 2) as ahead:
        assert [next(ahead) for _ in range(taken)] == list(range(taken))
    assert threading.active_count() == before
    assert len(ended) == 1
    assert next(ahead, None) is None
    ahead.close()
