"""A branch of captured records, as ``ox.save`` leaves it."""

from itertools import count

import pytest

from oxcore.api import Repo
from oxcore.model.commits import Moment, Person
from oxcore.model.settings import Settings
from oxcore.testing import captured


class Wild:
    """A repository whose branch ``deployed`` gets records and events below ``wild``."""

    def __init__(self, folder):
        ticks = count(1_700_000_000, 60)
        settings = Settings(Person("Ann"), lambda: Moment(next(ticks) * 1_000_000, 60))
        self.repo = Repo.init(str(folder), settings=settings)
        (folder / "readme").write_text("a dataset")
        self.repo.add()
        self.repo.commit("start")
        self.shards = 0

    def commit(self, records=(), events=(), files=None):
        """Records and events as dicts; what they leave out is made up or null."""
        self.shards += 1
        made = captured.files(self.shards, "wild", list(records), list(events))
        with self.repo.transaction("deployed", message="captured") as t:
            for path, data in {**made, **(files or {})}.items():
                t.put(path, data)


@pytest.fixture
def wild(tmp_path):
    made = Wild(tmp_path)
    yield made
    made.repo.close()


@pytest.fixture(scope="session")
def make_wild(tmp_path_factory):
    """Makes as many as a property wants."""
    made = []

    def make():
        made.append(Wild(tmp_path_factory.mktemp("wild")))
        return made[-1]

    yield make
    for one in made:
        one.repo.close()
