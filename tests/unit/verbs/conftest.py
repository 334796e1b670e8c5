"""What the tests of verbs share: a repository with a ticking clock, and a way to fill it."""

import os
from itertools import count
from pathlib import Path

import pytest

from oxcore import tree
from oxcore.api import Repo
from oxcore.model.commits import Moment, Person
from oxcore.model.settings import Settings
from oxcore.repo.names import resolve_tree
from oxcore.store import content


class Desk:
    """A repository and its work tree, for tests: ``repo`` is the API, ``core`` the handle."""

    def __init__(self, folder):
        ticks = count(1_700_000_000, 60)
        settings = Settings(Person("Ann"), lambda: Moment(next(ticks) * 1_000_000, 60))
        self.root = Path(folder)
        self.repo = Repo.init(str(folder), settings=settings)
        self.core = self.repo._repo

    def write(self, files):
        """Make these files (None removes), as they lie in the work tree."""
        for path, text in files.items():
            place = self.root / os.fsdecode(path)
            if text is None:
                place.unlink()
            else:
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(text if isinstance(text, bytes) else text.encode())

    def commit(self, files=None, message="change"):
        """Write these files and commit everything; gives the id of the commit."""
        self.write(files or {})
        self.repo.add()
        return self.repo.commit(message, allow_empty=True).id

    def become(self, files, message="change"):
        """Commit that the work tree holds just these files."""
        for path in sorted(self.files(), reverse=True):
            (self.root / os.fsdecode(path)).unlink()
        self._prune()
        return self.commit(files, message)

    def _prune(self):
        for folder, _, _ in os.walk(self.root, topdown=False):
            if ".ox" not in Path(folder).parts and not os.listdir(folder):
                os.rmdir(folder)

    def files(self):
        """What lies in the work tree: path -> content."""
        found = {}
        for folder, folders, names in os.walk(self.root):
            folders[:] = [name for name in folders if name != ".ox"]
            for name in names:
                place = Path(folder, name)
                found[os.fsencode(place.relative_to(self.root))] = place.read_bytes()
        return found

    def tree(self, root=None):
        """What a tree (the stage by default) holds: path -> content."""
        root = self.core.stage() if root is None else root
        walked = tree.walk(self.core.store, root)
        return {path: self.content(entry) for path, entry in walked}

    def content(self, entry):
        return b"".join(content.read(self.core.store, entry.id))

    def committed(self, revision="HEAD"):
        """What a revision holds: path -> content."""
        return self.tree(resolve_tree(self.core, revision))

    def clean(self):
        """Whether work tree, stage and HEAD are one."""
        return self.files() == self.tree() and self.core.stage() == self.core.head_tree()


@pytest.fixture
def desk(tmp_path):
    """An empty repository with its work tree."""
    made = Desk(tmp_path)
    with made.repo:
        yield made


@pytest.fixture
def desks(tmp_path):
    """``desks()`` makes one new repository after the other, for examples of Hypothesis.

    The last two stay open: each maps a lot of address space.
    """
    numbers, made = count(), []

    def make():
        if len(made) > 1:
            made.pop(0).repo.close()
        folder = tmp_path / f"desk{next(numbers)}"
        folder.mkdir()
        made.append(Desk(folder))
        return made[-1]

    yield make
    for one in made:
        one.repo.close()
