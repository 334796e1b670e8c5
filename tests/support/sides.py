"""Repositories that share: a bare one in the middle, and clones of it by their names."""

import os
from itertools import count
from pathlib import Path

from oxcore.api import Repo
from oxcore.model.commits import Moment, Person
from oxcore.model.settings import Settings


class Side:
    """One repository with a work tree: ``repo`` is the API, ``core`` the handle, ``root`` where."""

    def __init__(self, repo):
        self.repo = repo
        self.core = repo._repo
        self.root = Path(repo.path)

    def write(self, files):
        """Make these files; None removes."""
        for path, text in files.items():
            place = self.root / path
            if text is None:
                place.unlink()
            else:
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(text if isinstance(text, bytes) else text.encode())

    def commit(self, files=None, message="change"):
        """Write these files and commit everything; gives the id of the commit in hex."""
        self.write(files or {})
        self.repo.add()
        return self.repo.commit(message, allow_empty=True).id.hex()

    def head(self):
        """The commit that HEAD is on, in hex; None before the first."""
        head = self.core.head()
        return None if head is None else head.hex()

    def files(self):
        """What lies in the work tree: path -> content."""
        found = {}
        for folder, folders, names in os.walk(self.root):
            folders[:] = [name for name in folders if name != ".ox"]
            for name in names:
                place = Path(folder, name)
                found[str(place.relative_to(self.root))] = place.read_bytes()
        return found

    def state(self):
        """All that a failed verb must leave alone: the view, the settings and the files."""
        return dict(self.core.view()), self.core.own_config(), self.files()


class Sides:
    """``origin`` is bare and starts empty; ``sides.new("a")`` is a repository with that remote,
    ``sides.clone("b")`` a clone of it. Closes all of them at the end."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self._ticks = count(1_700_000_000, 60)
        self._made = []
        self.url = str(self.folder / "origin")
        self.origin = self._keep(Repo.init(self.url, bare=True, settings=self.settings("Hub")))

    def settings(self, name="Ann"):
        """Of somebody of this name, with a clock that ticks."""
        return Settings(Person(name), lambda: Moment(next(self._ticks) * 1_000_000, 60))

    def new(self, name, *, remote=True):
        """A new repository in the folder of this name."""
        repo = Repo.init(str(self.folder / name), settings=self.settings(name))
        if remote:
            repo.add_remote("origin", self.url)
        return Side(self._keep(repo))

    def clone(self, name, url=None, **options):
        """A clone in the folder of this name."""
        place = str(self.folder / name)
        repo = Repo.clone(url or self.url, place, settings=self.settings(name), **options)
        return Side(self._keep(repo))

    def refs(self):
        """The refs of ``origin``."""
        return self.origin.refs()

    def _keep(self, repo):
        self._made.append(repo)
        return repo

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        for repo in self._made:
            repo.close()
