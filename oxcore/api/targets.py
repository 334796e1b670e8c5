"""Where captured records land: a repository at a path, or one on a hub."""

from __future__ import annotations

from collections.abc import Sequence

from oxcore import tree, verbs
from oxcore.capturing import Addition, Target, Where
from oxcore.model.commits import Person
from oxcore.model.ids import parse_id
from oxcore.model.settings import Settings
from oxcore.refs import branch_ref
from oxcore.repo import Repository

NOBODY = Person("ox capture")
"""Who commits where nobody has said who they are."""


class PathTarget:
    """Commits to a branch of the repository at ``where.address``, which is opened."""

    def __init__(self, where: Where, settings: Settings) -> None:
        self._where = where
        self._repo = Repository.open(where.address, settings)
        if self._repo.who() is None:
            self._repo.settings = settings.of(NOBODY)

    def land(self, files: Sequence[Addition], message: str) -> None:
        """Commit the files that are not there."""
        held = self._held([file.path for file in files])
        new = [file for file in files if file.path not in held]
        if not new:
            return
        with verbs.transaction.transaction(
            self._repo, self._where.branch, message=message, meta={"capture": 1}
        ) as edit:
            for file in new:
                edit.put(file.path, file.data)

    def close(self) -> None:
        """Close the repository."""
        self._repo.close()

    def _held(self, paths: Sequence[bytes]) -> set[bytes]:
        tip = self._repo.view().get(branch_ref(self._where.branch))
        if tip is None:
            return set()
        root, wanted = self._repo.commit(parse_id(tip)).tree, sorted(paths)
        found = tree.get_many(self._repo.store, root, wanted)
        return {path for path, entry in zip(wanted, found, strict=True) if entry is not None}


def target_opener(settings: Settings) -> _Opener:
    """Opens targets with these settings."""
    return _Opener(settings)


class _Opener:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def __call__(self, where: Where) -> Target:
        return PathTarget(where, self._settings)
