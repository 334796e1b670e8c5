"""The handle of a repository: store, index and state, opened together.

Beside it stand the questions that every verb asks of one: which commit a name means (``names``),
what a version holds (``files``), which paths are meant (``select``), what may have changed
(``survey``, ``changes``), what waits for a person (``merging``). They write nothing but the index.

A repository is a folder: ``.ox`` inside a work tree, or a bare one of any name. What its
owner decides (who writes, the clock, where progress goes) comes in as ``Settings``: nothing
here reads the environment.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Self

from oxcore import store, tree
from oxcore.chunk import ChunkParams
from oxcore.codec import canonical, config, repoformat
from oxcore.codec.commit import decode_commit, decode_tag
from oxcore.codec.oplog import Operation
from oxcore.errors import (
    CorruptError,
    ExistsError,
    FormatError,
    InvalidError,
    MissingError,
    NotARepoError,
    StorageError,
    UsageError,
)
from oxcore.fs.atomic import fsync_dir, storage_errors, write_atomic
from oxcore.index import Index
from oxcore.model.commits import Commit, Person, Tag
from oxcore.model.counters import Counters
from oxcore.model.ids import Kind, parse_id
from oxcore.model.settings import Settings
from oxcore.refs import State, View, branch_ref, check_ref_name

if TYPE_CHECKING:
    from tempfile import TemporaryDirectory

    from oxcore.store import Batch, PackStore

FOLDER = ".ox"
_COMMITS_KEPT = 4096  # decoded commits that a handle remembers


class Repository:
    """One open repository. Close it, or use it as a context manager.

    ``folder`` is where ox keeps its files, ``worktree`` the folder of the user (None if the
    repository is bare); ``store``, ``index`` and ``state`` are the rooms; ``counters`` counts.
    """

    def __init__(self, folder: str, settings: Settings | None = None) -> None:
        self.folder = os.path.abspath(folder)
        self.settings = settings or Settings()
        self.counters = Counters()
        self.form = _read_format(self.folder)
        self.worktree = None if self.form.bare else os.path.dirname(self.folder)
        self.params = _chunking(self.form)
        self.state = State.open(self.folder, self.counters, late=True)  # fsck can mend it
        self.index, self._scratch = _open_index(self.folder)
        self._commits: dict[bytes, Commit] = {}
        if _holds_files(self._packs):
            self.store.refresh()

    @classmethod
    def init(
        cls,
        folder: str,
        *,
        bare: bool = False,
        branch: str = "main",
        params: ChunkParams | None = None,
        settings: Settings | None = None,
    ) -> Self:
        """Make a repository in ``folder`` (in its ``.ox``, unless it is bare) and open it.

        Raises ``ExistsError`` if there is one, ``InvalidError`` for a bad branch name.
        """
        check_ref_name(branch_ref(branch))
        home = os.path.abspath(folder) if bare else os.path.join(os.path.abspath(folder), FOLDER)
        if os.path.exists(os.path.join(home, "format")):
            raise ExistsError(f"there is a repository at {home} already")
        if bare and os.path.isdir(home) and os.listdir(home):
            raise ExistsError(f"{home} is not empty", hint="a bare repository needs a new folder")
        form = repoformat.RepoFormat((params or ChunkParams()).to_dict(), bare)
        with storage_errors("make the repository"):
            for part in ("packs", "index", "refs"):
                os.makedirs(os.path.join(home, part), exist_ok=True)
            first = {"HEAD": f"ref:{branch_ref(branch)}", "stage": tree.EMPTY.hex()}
            now = (settings or Settings()).clock()
            State.create(home, first, time=now, who=_first_writer(settings))
            write_atomic(os.path.join(home, "format"), repoformat.encode(form))
            fsync_dir(os.path.dirname(home))
        return cls(home, settings)

    @classmethod
    def open(cls, folder: str, settings: Settings | None = None) -> Self:
        """Open the repository whose work tree, ``.ox`` or bare folder is ``folder``."""
        for home in (os.path.join(folder, FOLDER), folder):
            if os.path.isfile(os.path.join(home, "format")):
                return cls(home, settings)
        raise NotARepoError(f"no repository at {folder}", hint="make one with: ox init")

    @classmethod
    def find(cls, start: str, settings: Settings | None = None) -> Self:
        """Open the repository that ``start`` lies in, looking upwards."""
        here = os.path.abspath(start)
        while True:
            if os.path.isfile(os.path.join(here, FOLDER, "format")) or _is_bare(here):
                return cls.open(here, settings)
            above = os.path.dirname(here)
            if above == here:
                raise NotARepoError(f"not in a repository: {start}", hint="make one with: ox init")
            here = above

    def close(self) -> None:
        """Close files and the index."""
        if "store" in vars(self):
            self.store.close()
        self.index.close()
        self.state.close()
        if self._scratch is not None:
            self._scratch.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    # -- state

    @property
    def readable_only(self) -> bool:
        """Whether nothing can be written here: then the index is this handle's own."""
        return self._scratch is not None

    @cached_property
    def store(self) -> PackStore:
        """The objects. Where there are none yet it is opened, and loaded, when it is asked for."""
        return store.PackStore(self._packs, self.index.locations, self.counters)

    @property
    def _packs(self) -> str:
        return os.path.join(self.folder, "packs")

    @property
    def intent(self) -> str:
        """The file that is there while the work tree is being moved: ``verbs.moving.intent``."""
        return os.path.join(self.folder, "intent")

    def view(self) -> View:
        """The present state."""
        return self.state.view()

    def head(self) -> bytes | None:
        """The commit that HEAD stands on; None before the first commit."""
        _, commit = self.view().head()
        return None if commit is None else parse_id(commit)

    def stage(self) -> bytes:
        """The root of the tree that the next commit would get."""
        return parse_id(self.view()["stage"])

    def head_tree(self) -> bytes:
        """The root of HEAD's tree; the empty tree before the first commit."""
        head = self.head()
        return tree.EMPTY if head is None else self.commit(head).tree

    def shallow(self) -> frozenset[bytes]:
        """Commits whose parents were left out by a clone of limited depth."""
        listed = self.view().get("shallow")
        if listed is None:
            return frozenset()
        ids = canonical.loads(listed.encode(), "the list of shallow commits")
        return (
            frozenset(parse_id(str(one)) for one in ids) if isinstance(ids, list) else frozenset()
        )

    @contextmanager
    def lock(self, purpose: str, wait: float | None = None) -> Iterator[None]:
        """Be the one writer for the length of the block; ``BusyError`` names who is."""
        seconds = self.settings.lock_wait if wait is None else wait
        with self.state.locked(purpose, seconds):
            yield

    def operate(
        self,
        verb: str,
        note: str,
        changes: Mapping[str, tuple[str | None, str | None]],
        *,
        undoes: int | None = None,
    ) -> Operation | None:
        """Append one operation: all of ``changes`` or, with ``RejectedError``, none.

        The objects that the new values name must be sealed in the store before.
        """
        return self.state.swap(
            changes,
            verb=verb,
            note=note,
            who=str(self.who() or ""),
            time=self.settings.clock(),
            undoes=undoes,
        )

    # -- objects

    def batch(self) -> Batch:
        """A batch of the store; leaving the block makes it durable."""
        return self.store.batch()

    def packs_lost(self, since: Mapping[int, bytes]) -> bool:
        """Whether ``gc`` took a pack away since ``index.locations.packs()`` gave ``since``.

        Whoever found objects there, or put them, before it took the lock, must look again.
        Packs are numbered one after the other, so that a gap tells of one that came and went.
        """
        now = self.index.locations.packs()
        top = max(since, default=0)
        fresh = [number for number in now if number > top]
        return not since.keys() <= now.keys() or (bool(fresh) and max(fresh) - top != len(fresh))

    def commit(self, oid: bytes) -> Commit:
        """The commit with this id; ``MissingError`` if it is not here."""
        known = self._commits.get(oid)
        if known is None:
            if len(self._commits) >= _COMMITS_KEPT:
                self._commits.clear()
            known = self._commits[oid] = decode_commit(self.store.get(oid, Kind.COMMIT))
        return known

    def history(self) -> Callable[[bytes], Commit]:
        """Reads commits for walks: at the edge of a shallow clone a commit has no parents."""
        edge = self.shallow()

        def read(oid: bytes) -> Commit:
            commit = self.commit(oid)
            return commit._replace(parents=()) if oid in edge else commit

        return read

    def tag(self, oid: bytes) -> Tag | None:
        """The annotated tag with this id, None if the id is that of something else."""
        location = self.store.locate([oid])[0]
        if location is None:
            raise MissingError(f"object {oid.hex()} is missing", items=[oid.hex()])
        if location.kind != Kind.TAG:
            return None
        return decode_tag(self.store.get(oid, Kind.TAG))

    def peel(self, oid: bytes) -> bytes:
        """The commit that ``oid`` stands for: itself, or the target of a tag."""
        tag = self.tag(oid)
        return oid if tag is None else self.peel(tag.target)

    # -- settings

    def config(self) -> dict[str, str]:
        """The settings in force: the repository's own over the caller's defaults."""
        return {**self.settings.defaults, **self.own_config()}

    def own_config(self) -> dict[str, str]:
        """The settings of the repository alone; ``InvalidError`` names a line that is none."""
        return config.parse(self._config_text())

    def set_config(self, changes: Mapping[str, str | None]) -> None:
        """Set these keys, or remove them where the value is None."""
        text = config.edit(self._config_text(), changes)
        with storage_errors("write the settings"):
            write_atomic(self._config_place(), text.encode("utf-8"))

    def author(self) -> Person:
        """Who commits; ``UsageError`` telling how to set it if nobody is known."""
        person = self.settings.author or _person(self.config())
        if person is None:
            raise UsageError(
                "who are you? A commit needs an author",
                hint='ox config --global user.name "Your Name"; '
                'in Python: Repo.open(path, author="Your Name <you@example.org>")',
            )
        return person

    def who(self) -> Person | None:
        """Whom the operation log names; None if nobody is known.

        Unlike ``author`` it never fails: a broken line in the settings is no reason to stop
        a verb that has done its work.
        """
        try:
            return self.settings.author or _person(self.config())
        except (InvalidError, StorageError):
            return None

    def tree_root(self) -> str:
        """The folder of the user; ``UsageError`` in a bare repository."""
        if self.worktree is None:
            raise UsageError(
                f"{self.folder} is bare: it has no work tree", hint="clone it to work on it"
            )
        return self.worktree

    def _config_text(self) -> str:
        try:
            with open(self._config_place(), "rb") as file:
                return config.decode(file.read(), self._config_place())
        except FileNotFoundError:
            return ""
        except OSError as error:
            raise StorageError(f"the settings cannot be read: {error}") from error

    def _config_place(self) -> str:
        return os.path.join(self.folder, "config")


def _first_writer(settings: Settings | None) -> str:
    known = settings or Settings()
    return str(known.author or _person(known.defaults) or "")


def _person(settings: Mapping[str, str]) -> Person | None:
    name, email = settings.get("user.name", ""), settings.get("user.email", "")
    return Person(name, email) if name or email else None


def _open_index(folder: str) -> tuple[Index, TemporaryDirectory[str] | None]:
    """The index; one of its own in a temporary folder, made from the packs, where the repository
    can only be read (read-only media, another owner)."""
    try:
        return Index.open(os.path.join(folder, "index")), None
    except StorageError:
        if os.access(folder, os.W_OK):
            raise
    from tempfile import TemporaryDirectory  # slow to load, and seldom needed

    scratch = TemporaryDirectory(prefix="ox-index-")
    return Index.open(scratch.name), scratch


def _holds_files(folder: str) -> bool:
    try:
        with os.scandir(folder) as found:
            return any(True for _ in found)
    except OSError:
        return True  # what is wrong with it shows when it is opened


def _is_bare(folder: str) -> bool:
    names = ("format", "packs", "oplog")
    return all(os.path.exists(os.path.join(folder, name)) for name in names)


def _chunking(form: repoformat.RepoFormat) -> ChunkParams:
    try:
        return ChunkParams.from_dict(form.chunking)
    except ValueError as error:
        raise FormatError(
            f"the file 'format' asks for what this release cannot do: {error}"
        ) from error


def _read_format(folder: str) -> repoformat.RepoFormat:
    try:
        with open(os.path.join(folder, "format"), "rb") as file:
            data = file.read()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotARepoError(f"no repository at {folder}", hint="make one with: ox init") from error
    except OSError as error:
        raise InvalidError(f"the repository at {folder} cannot be read: {error}") from error
    try:
        return repoformat.decode(data)
    except CorruptError as error:
        raise CorruptError(
            f"{os.path.join(folder, 'format')} is damaged: {error.message}",
            hint="copy this file from another clone of the same repository",
        ) from error
