"""What the thread of a recorder does when it is asked."""

import os

from oxcore.capturing.background import Background
from oxcore.capturing.spool import Spool
from oxcore.capturing.where import Where


class Seals:
    """A recorder that only tells when it was asked to seal; nothing is ever to be sent."""

    class options:  # noqa: N801
        seal_seconds = 1000.0

    def __init__(self, spool):
        self.spool, self.sealed_at = spool, []

    def look_around(self):
        pass

    def seal(self, seconds):
        self.sealed_at.append(seconds)

    def sealed(self):
        return []

    def sent(self, *_):
        pass


def rounds(tmp_path, asked):
    """The seconds that three rounds sealed by, where ``asked`` happens before the first."""
    os.makedirs(tmp_path, exist_ok=True)
    spool = Spool(str(tmp_path / "spool"), Where("repo", "branch", "dir"))
    recorder = Seals(spool)
    background = Background(lambda *_: None)
    asked(spool)
    for _ in range(3):
        background._round(recorder)
    return recorder.sealed_at


def test_who_is_asked_before_the_first_round_sends_at_once_and_once(tmp_path):
    assert rounds(tmp_path, Spool.want) == [0, 1000.0, 1000.0]


def test_what_was_asked_before_there_was_a_recorder_is_not_for_it(tmp_path):
    def long_ago(spool):
        spool.want()
        os.utime(os.path.join(spool.folder, "wanted"), (1, 1))

    assert rounds(tmp_path, long_ago) == [1000.0] * 3
    assert rounds(tmp_path / "never", lambda _: None) == [1000.0] * 3
