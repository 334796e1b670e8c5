"""What every command is handed: the global flags, the terminal, and the way to a repository."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from oxcli import config, paths
from oxcli.render import json
from oxcli.render.progress import Bar
from oxcli.render.text import Paint, show_path
from oxcore.errors import InvalidError, NotFoundError
from oxcore.model.protocols import Progress, Quiet

if TYPE_CHECKING:
    from typing import TypedDict, TypeVar, Unpack

    from oxcore.api import Repo
    from oxcore.api.base import RepoBase
    from oxcore.api.work import Work
    from oxcore.model.counters import Counters
    from oxcore.model.settings import Settings

    R = TypeVar("R", bound=RepoBase)

    class Flags(TypedDict):
        """The values of ``params.FLAGS``."""

        folder: tuple[str, ...]
        quiet: bool
        no_color: bool
        stats: bool
        debug: bool


class Session:
    """One run of ``ox``. ``counters`` are those of the repositories that it opened.

    ``after``: what stood behind ``--`` of a verb that keeps it apart; None without one.
    ``here``: the folder of the dataset that we stand in; the top if outside of it.
    """

    def __init__(self, *, json: bool = False, quiet: bool = False) -> None:
        self.json = json
        self.quiet = quiet
        self.stats = self.debug = False
        self.color = True
        self.counters: list[Counters] = []
        self.after: tuple[str, ...] | None = None
        self.here = b""

    def begin(self, **flags: Unpack[Flags]) -> None:
        """Take the flags before the verb, and go where the verb is to run."""
        self.debug, self.quiet, self.stats = flags["debug"], flags["quiet"], flags["stats"]
        self.color = not flags["no_color"]
        for folder in flags["folder"]:
            _enter(folder)

    # -- repositories

    @contextmanager
    def open(self, path: str = ".") -> Iterator[Repo]:
        """Open the repository that the current folder, or ``path``, lies in."""
        from oxcore.api import Repo  # loads LMDB and the rest: not for `--help`

        with Repo.open(path, settings=self.settings()) as repo:
            yield self.count(repo)

    @contextmanager
    def work(self, path: str = ".") -> Iterator[Work]:
        """``open`` for a verb on files, which needs no other area of ``Repo`` and loads none."""
        from oxcore.api.work import Work

        with Work.open(path, settings=self.settings()) as repo:
            yield self.count(repo)

    def settings(self) -> Settings:
        """The settings that the environment and the user's files ask for."""
        return config.make_settings(self.progress())

    def count(self, repo: R) -> R:
        """Note a repository that was opened: its counters for ``--stats``, where we are in it."""
        self.counters.append(repo.counters)
        try:
            self.here = self.path(repo, ".")
        except InvalidError:
            self.here = b""
        return repo

    def progress(self) -> Progress:
        """The progress bar that fits: none with ``--quiet``."""
        return Quiet() if self.quiet else Bar(sys.stderr)

    # -- paths

    def path(self, repo: RepoBase, argument: str) -> bytes:
        """One path as typed -> the path inside the dataset; ``InvalidError`` if outside."""
        return paths.to_dataset(repo.path, argument, bare=repo.bare)

    def paths(self, repo: RepoBase, arguments: Sequence[str]) -> list[bytes]:
        """Paths and patterns as typed -> those inside the dataset (see ``oxcli.paths``)."""
        return [paths.to_pattern(repo.path, one, bare=repo.bare) for one in arguments]

    def show(self, path: bytes) -> str:
        """A path of the dataset for people, as seen from the current folder."""
        return show_path(paths.relative(path, self.here))

    # -- output

    @property
    def paint(self) -> Paint:
        """Colours text for stdout, if it is a terminal that wants colours."""
        return Paint(self.color and config.wants_color(sys.stdout))

    def echo(self, text: str = "") -> None:
        """Print what was asked for."""
        sys.stdout.write(text + "\n")

    def lines(self, lines: Iterable[str]) -> None:
        """Print many lines, one after the other as they come."""
        sys.stdout.writelines(f"{line}\n" for line in lines)

    def say(self, text: str) -> None:
        """Print a remark; not with ``--quiet``."""
        if not self.quiet:
            self.echo(text)

    def warn(self, text: str) -> None:
        """Tell of something odd, on stderr, even with ``--quiet``."""
        sys.stderr.write(f"warning: {text}\n")

    def emit(self, document: object) -> None:
        """Print one JSON document; what the values may be: see ``oxcli.render.json``."""
        json.write(sys.stdout, document)

    def emit_list(self, items: Iterable[object]) -> None:
        """Print one JSON list whose items are made on the way, in bounded memory."""
        json.write_list(sys.stdout, items)

    def data(self, pieces: Iterable[bytes]) -> None:
        """Write the raw bytes of a file to stdout."""
        sys.stdout.flush()
        for piece in pieces:
            sys.stdout.buffer.write(piece)


def _enter(folder: str) -> None:
    try:
        os.chdir(folder)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotFoundError(f"no such folder: {folder}") from error
