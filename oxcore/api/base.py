"""What every area of ``Repo`` stands on: opening, closing, and the handle below."""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from oxcore.model.commits import Person
from oxcore.model.counters import Counters
from oxcore.model.settings import Settings
from oxcore.repo import Repository

Path = str | bytes | os.PathLike[str]


def with_author(settings: Settings | None, author: str | Person | None) -> Settings | None:
    """``settings`` with this author, if one is given; ``InvalidError`` for a text that is none."""
    if author is None:
        return settings
    person = Person.parse(author) if isinstance(author, str) else author
    return (settings or Settings()).of(person)


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
