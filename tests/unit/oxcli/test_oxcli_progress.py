"""The progress bar, on a clock of the test's own."""

import io

import pytest

from oxcli.render.progress import Bar


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


class Screen(io.StringIO):
    def __init__(self, tty):
        super().__init__()
        self.tty = tty

    def isatty(self):
        return self.tty


@pytest.fixture
def clock():
    return Clock()


def run(bar, clock, steps, seconds, nbytes=0):
    for _ in range(steps):
        clock.now += seconds
        bar.step(1, nbytes)


def test_a_short_phase_shows_nothing(clock):
    for tty in (True, False):
        screen = Screen(tty)
        bar = Bar(screen, clock)
        bar.start("reading", 100, "files")
        run(bar, clock, 40, 0.01)
        bar.done()
        assert screen.getvalue() == ""


def test_the_bar_shows_steps_bytes_rate_and_time_left_and_vanishes(clock):
    screen = Screen(True)
    bar = Bar(screen, clock)
    bar.start("reading", 100, "files")
    run(bar, clock, 48, 0.125, 1 << 20)
    last = screen.getvalue().rpartition("\r\x1b[K")[2]
    assert last == "reading [#######.........] 48 of 100 files, 48.0 MiB, 8.0 MiB/s, 6.5 s left"
    bar.done()
    assert screen.getvalue().endswith("\r\x1b[K")


def test_the_bar_is_drawn_ten_times_a_second_at_most(clock):
    screen = Screen(True)
    bar = Bar(screen, clock)
    bar.start("reading", 10_000, "files")
    run(bar, clock, 10_000, 0.001)
    assert 80 <= screen.getvalue().count("\r") <= 100


def test_elsewhere_a_line_every_ten_seconds_and_one_at_the_end(clock):
    screen = Screen(False)
    bar = Bar(screen, clock)
    bar.start("sending", 4000, "objects")
    run(bar, clock, 400, 0.125, 1000)  # an eighth adds up exactly
    bar.done()
    lines = screen.getvalue().splitlines()
    assert len(lines) == 6
    assert lines[0] == "sending: 80 of 4,000 objects, 78.1 KiB, 7.8 KiB/s, 8:10 left"
    assert lines[-1] == "sending: done, 400 of 4,000 objects, 391 KiB, 7.8 KiB/s"


def test_bytes_as_the_unit(clock):
    screen = Screen(False)
    bar = Bar(screen, clock)
    bar.start("receiving", 1 << 30, "bytes")
    clock.now += 10.0
    bar.step(1 << 29)
    assert screen.getvalue() == "receiving: 512 MiB of 1.0 GiB, 51.2 MiB/s, 10 s left\n"


def test_unknown_totals(clock):
    screen = Screen(True)
    bar = Bar(screen, clock)
    bar.start("walking", unit="files")
    clock.now += 1.0
    bar.step(1234)
    assert screen.getvalue() == "\r\x1b[Kwalking 1,234 files, 1,234/s"
    bar.start("next")
    assert screen.getvalue().endswith("\r\x1b[K")


def test_done_without_start_is_harmless(clock):
    screen = Screen(True)
    Bar(screen, clock).done()
    assert screen.getvalue() == ""
