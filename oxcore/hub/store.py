"""The repositories of a hub: bare ones under ``ROOT/repos/NS/NAME``, opened when they are used."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from oxcore.errors import ExistsError, InvalidError, NotARepoError, NotFoundError
from oxcore.fs.atomic import storage_errors
from oxcore.model.settings import Settings
from oxcore.repo import Repository
from oxcore.wire.routes import RepoName, repo_name

_IDLE = 64  # repositories that are kept open though nobody uses them


@dataclass(slots=True)
class _Slot:
    repo: Repository
    users: int = 0


class Shelf:
    """Hands out open repositories. One handle each serves all threads."""

    def __init__(self, root: str, settings: Settings | None = None) -> None:
        self.root = os.path.abspath(root)
        self._settings = settings or Settings(lock_wait=30.0)
        self._slots: OrderedDict[RepoName, _Slot] = OrderedDict()
        self._mutex = threading.Lock()
        with storage_errors(f"make the folder of the hub {root}"):
            os.makedirs(os.path.join(self.root, "repos"), exist_ok=True)

    def create(self, name: RepoName) -> None:
        """Make a repository; ``ExistsError`` if it is there."""
        with self._mutex:
            folder = self._folder(name)
            if os.path.exists(folder):
                raise ExistsError(f"there is a repository {name} already")
            with storage_errors(f"make the repository {name}"):
                os.makedirs(os.path.dirname(folder), exist_ok=True)
            Repository.init(folder, bare=True, settings=self._settings).close()

    @contextmanager
    def use(self, name: RepoName) -> Iterator[Repository]:
        """The repository, open for the length of the block; ``NotFoundError``."""
        slot = self._take(name)
        try:
            yield slot.repo
        finally:
            self._give_back(slot)

    def names(self) -> list[RepoName]:
        """All repositories, sorted."""
        found: list[RepoName] = []
        top = os.path.join(self.root, "repos")
        for namespace in _folders(top):
            for name in _folders(os.path.join(top, namespace)):
                try:
                    found.append(repo_name(namespace, name))
                except InvalidError:
                    continue
        return sorted(found)

    def close(self) -> None:
        """Close every repository that nobody uses."""
        with self._mutex:
            for name in [name for name, slot in self._slots.items() if not slot.users]:
                self._slots.pop(name).repo.close()

    def _folder(self, name: RepoName) -> str:
        return os.path.join(self.root, "repos", *repo_name(*name))

    def _take(self, name: RepoName) -> _Slot:
        with self._mutex:
            slot = self._slots.get(name)
            if slot is None:
                slot = self._slots[name] = _Slot(self._open(name))
            slot.users += 1
            self._slots.move_to_end(name)
            return slot

    def _open(self, name: RepoName) -> Repository:
        try:
            return Repository.open(self._folder(name), self._settings)
        except NotARepoError as error:
            raise NotFoundError(
                f"no repository {name}", hint="check the name; a push makes it"
            ) from error

    def _give_back(self, slot: _Slot) -> None:
        with self._mutex:
            slot.users -= 1
            idle = [name for name, one in self._slots.items() if not one.users]
            for name in idle[: max(0, len(self._slots) - _IDLE)]:
                self._slots.pop(name).repo.close()


def _folders(path: str) -> list[str]:
    try:
        with os.scandir(path) as entries:
            return [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    except FileNotFoundError:
        return []
