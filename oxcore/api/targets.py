"""Where captured records land: a repository at a path, or one on a hub."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress

from oxcore import tree, verbs
from oxcore.capturing import Addition, Target, Where
from oxcore.chunk import ChunkParams
from oxcore.errors import DeniedError, ExistsError, InvalidError, MissingError, NotFoundError
from oxcore.model.commits import Person
from oxcore.model.entries import show_path
from oxcore.model.ids import content_id, parse_id
from oxcore.model.run import Run, gathered
from oxcore.model.settings import Settings
from oxcore.refs import branch_ref
from oxcore.remote import Connection
from oxcore.repo import Repository
from oxcore.transfer import objects_of_file, open_remote
from oxcore.transfer.connect import is_url
from oxcore.transfer.remote import REQUEST_BYTES
from oxcore.wire.append import Appended, AppendRequest

_FILES = 16_384  # of one append
_PATIENT = Connection(connect=5.0, answer=120.0, tries=2)  # the background tries again anyway

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
        self._check_folders(root, wanted)
        found = tree.get_many(self._repo.store, root, wanted)
        return {path for path, entry in zip(wanted, found, strict=True) if entry is not None}

    def _check_folders(self, root: bytes, paths: Sequence[bytes]) -> None:
        """Raise ``InvalidError`` where a file lies in the place of a folder: it stays."""
        above = sorted({one for path in paths for one in _above(path)})
        found = tree.get_many(self._repo.store, root, above)
        for path, entry in zip(above, found, strict=True):
            if entry is not None:
                raise InvalidError(
                    f"{show_path(path)} is a file of {self._where.branch}: no record lies below it",
                    hint="save to another folder",
                )


def _above(path: bytes) -> Iterator[bytes]:
    """The folders that a path lies in."""
    while b"/" in path:
        path = path.rpartition(b"/")[0]
        yield path


class HubTarget:
    """Appends to a branch of the repository at the URL ``where.address``: objects first, then the
    hub puts the files on the tip that there is. What it may not ask for, it sends."""

    def __init__(self, where: Where, settings: Settings) -> None:
        self._where = where
        self._author = settings.author or _person(settings)
        token = settings.token_for(where.address)
        self._remote = open_remote(where.address, token=token, connection=_PATIENT)

    def land(self, files: Sequence[Addition], message: str) -> None:
        """Send the content that is not there, then append; some thousand files at a time, in their
        order."""
        for start in range(0, len(files), _FILES):
            self._land(files[start : start + _FILES], message)

    def close(self) -> None:
        """Close the connections."""
        self._remote.close()

    def _land(self, files: Sequence[Addition], message: str) -> None:
        listed = tuple(
            Appended(file.path.decode(), content_id(file.data), len(file.data)) for file in files
        )
        request = AppendRequest(self._where.branch, message, listed, self._author)
        content = {one.id: file.data for one, file in zip(listed, files, strict=True)}
        try:
            self._send(content, self._lacking(list(content)))
            self._remote.append(request)
        except MissingError:  # collected, or taken for there: send everything, once
            self._send(content, list(content))
            self._remote.append(request)

    def _lacking(self, ids: list[bytes]) -> list[bytes]:
        """Those that the hub lacks; all of them, if it does not tell. Makes the repository if it is
        not there."""
        try:
            there = self._remote.has(ids)
        except DeniedError:
            return ids
        except NotFoundError:
            with suppress(ExistsError):
                self._remote.create()
            return ids
        return [oid for oid, held in zip(ids, there, strict=True) if not held]

    def _send(self, content: Mapping[bytes, bytes], ids: Sequence[bytes]) -> None:
        params = ChunkParams()
        objects = (item for oid in ids for item in objects_of_file(content[oid], oid, params))
        for request in _requests(gathered(objects)):
            self._remote.put(request)


def _requests(runs: Iterator[Run]) -> Iterator[Iterator[Run]]:
    """The runs of one request each, as one may be only so long."""
    for first in runs:
        yield _bounded(first, runs)


def _bounded(first: Run, runs: Iterator[Run]) -> Iterator[Run]:
    yield first
    size = len(first.blob)
    while size < REQUEST_BYTES and (run := next(runs, None)) is not None:
        size += len(run.blob)
        yield run


def _person(settings: Settings) -> Person | None:
    name, email = (settings.defaults.get(key, "") for key in ("user.name", "user.email"))
    return Person(name, email) if name or email else None


def target_opener(settings: Settings) -> Callable[[Where], Target]:
    """Opens targets with these settings."""

    def opened(where: Where) -> Target:
        if is_url(where.address):
            return HubTarget(where, settings)
        return PathTarget(where, settings)

    return opened
