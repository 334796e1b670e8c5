"""What every area of ``Repo`` stands on: opening, closing, and the handle below."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from types import TracebackType
from typing import Self

from oxcore import tree
from oxcore.model.commits import Commit, Json, Person
from oxcore.model.counters import Counters
from oxcore.model.protocols import Reader
from oxcore.model.settings import Settings
from oxcore.repo import Repository

Path = str | bytes | os.PathLike[str]


def with_author(settings: Settings | None, author: str | Person | None) -> Settings | None:
    """``settings`` with this author, if one is given; ``InvalidError`` for a text that is none."""
    if author is None:
        return settings
    person = Person.parse(author) if isinstance(author, str) else author
    return (settings or Settings()).of(person)


ALLOWED = "allowed-leaks"
"""The key of a commit's ``meta`` under which stands what a guard found and was told to allow."""
_SPLIT = b"split.json"


class SplitGuard:
    """A ``Guard`` that keeps a commit from taking rows of a dataset's test to training, or having
    the same in both; see ``oxcore.insight.leakage``, which loads when one may be concerned.

    ``allow`` lets such a commit be made, and writes into its ``meta`` what leaks.
    """

    def __init__(self, repo: Repository, *, allow: bool = False) -> None:
        self._repo = repo
        self._allow = allow

    @property
    def concerns(self) -> Callable[[bytes], object]:
        """Finds what may be a dataset's share, one of its tables, or one of its inputs."""
        return re.compile(rb"media/|t(?:rain|est)\.|split\.json$").search

    def check(self, made: Commit, touched: Collection[bytes] | None, reader: Reader) -> Commit:
        """See ``Guard``; raises ``InvalidError`` with the list of what leaks."""
        if touched is None:
            touched = list(_splits(self._repo, made.tree, reader))
        meta: dict[str, Json] = {key: made.meta[key] for key in made.meta if key != ALLOWED}
        if touched:
            from oxcore.insight import leakage

            found = leakage.found(self._repo, made, touched, reader)
            if found and not self._allow:
                raise leakage.refusal(found)
            if found:
                meta[ALLOWED] = list(leakage.listed(found))
        return made._replace(meta=meta) if meta != made.meta else made


def _splits(repo: Repository, root: bytes, reader: Reader) -> Iterator[bytes]:
    """The files of a tree that may hold the share of a dataset. The rows of the work tree tell
    them, where they are of this tree: it is not read then."""
    stat = repo.index.stat
    if stat.root != root:
        yield from (path for path, _ in tree.walk(reader, root) if path.endswith(_SPLIT))
        return
    paths = [folder + b"/" + _SPLIT if folder else _SPLIT for folder in stat.folders()]
    rows = stat.get_raw(paths)
    yield from (path for path, row in zip(paths, rows, strict=True) if row is not None)


class RepoBase:
    """One open repository. Close it, or use it as a context manager.

    Methods raise the errors of ``oxcore.errors``; none prints or asks.
    """

    def __init__(self, handle: Repository) -> None:
        self._repo = handle

    @classmethod
    def init(
        cls,
        path: str = ".",
        *,
        bare: bool = False,
        branch: str = "main",
        author: str | Person | None = None,
        settings: Settings | None = None,
    ) -> Self:
        """Make a repository in the folder ``path`` (made if it is not there) and open it.

        ``author``, as in ``"Name <mail>"``, stands before that of ``settings``. Raises
        ``ExistsError`` if there is one already.
        """
        chosen = with_author(settings, author)
        return cls(Repository.init(path, bare=bare, branch=branch, settings=chosen))

    @classmethod
    def open(
        cls,
        path: str = ".",
        *,
        author: str | Person | None = None,
        settings: Settings | None = None,
    ) -> Self:
        """Open the repository that ``path`` lies in, looking upwards; ``NotARepoError``.

        ``author``, as in ``"Name <mail>"``, stands before that of ``settings``.
        """
        return cls(Repository.find(path, with_author(settings, author)))

    def close(self) -> None:
        """Close files and the index."""
        self._repo.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def path(self) -> str:
        """The work tree, or the folder of a bare repository."""
        return self._repo.worktree or self._repo.folder

    @property
    def folder(self) -> str:
        """Where ox keeps its files."""
        return self._repo.folder

    @property
    def bare(self) -> bool:
        """Whether there is no work tree."""
        return self._repo.worktree is None

    @property
    def counters(self) -> Counters:
        """Exact counts of what this handle did."""
        return self._repo.counters

    def _guard(self, *, allow: bool = False) -> SplitGuard:
        """What looks at each commit that is made here."""
        return SplitGuard(self._repo, allow=allow)

    def refs(self) -> dict[str, str]:
        """Every branch, tag and remote branch by its full name -> 64 hex digits."""
        return self._repo.view().refs()

    def config(self) -> dict[str, str]:
        """The settings in force."""
        return self._repo.config()

    def set_config(
        self, changes: Mapping[str, str | None] | None = None, /, **named: str | None
    ) -> None:
        """Set or, with None, remove settings of this repository.

        They come as a mapping, or as keywords, where '__' stands for a dot.
        """
        dotted = {key.replace("__", "."): value for key, value in named.items()}
        self._repo.set_config({**(changes or {}), **dotted})
