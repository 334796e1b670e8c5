"""How a command is declared: its examples, and the arguments that many share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import click
from click.shell_completion import CompletionItem

from oxcli.context import Session
from oxcore.errors import OxError

Function = TypeVar("Function", bound=Callable[..., object])


class _Examples:
    examples: tuple[str, ...] = ()

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Print the examples, one a line, as they are."""
        if self.examples:
            with formatter.section("Examples"):
                for line in self.examples:
                    formatter.write(f"{'':>{formatter.current_indent}}{line}\n")


class Verb(_Examples, click.Command):
    """A command whose help ends with ``examples``."""


class VerbGroup(_Examples, click.Group):
    """A verb with verbs of its own, as ``ox stash pop``."""


def verb(*examples: str) -> Callable[[Callable[..., object]], Verb]:
    """Declare a verb: ``@verb("ox add .", "ox add 'photos/*.png'")``. The docstring is its help.

    A name of three words and more (``ox stash pop``) goes with ``group.command`` instead.
    """

    def declare(function: Callable[..., object]) -> Verb:
        command = click.command(cls=Verb)(function)
        command.examples = examples
        return command

    return declare


def verb_group(
    *examples: str, default: bool = False
) -> Callable[[Callable[..., object]], VerbGroup]:
    """Declare a verb with verbs of its own; with ``default`` it also runs when none is named."""

    def declare(function: Callable[..., object]) -> VerbGroup:
        command = click.group(cls=VerbGroup, invoke_without_command=default)(function)
        command.examples = examples
        return command

    return declare


class Revision(click.ParamType[str]):
    """A revision as typed; the shell completes branches and tags."""

    name = "revision"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Branches and tags that start so; nothing outside a repository."""
        return [CompletionItem(name) for name in _ref_names() if name.startswith(incomplete)]


class DatasetPath(click.ParamType[str]):
    """A path as typed; the shell completes files."""

    name = "path"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Let the shell complete files."""
        return [CompletionItem(incomplete, type="file")]


_COMPLETED = ("refs/heads/", "refs/tags/", "refs/remotes/")
REVISION = Revision()
PATH = DatasetPath()


def json_option(function: Function) -> Function:
    """``--json``, handed over as ``as_json: bool``."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")(
        function
    )


def dry_run_option(function: Function) -> Function:
    """``-n/--dry-run``, handed over as ``dry_run: bool``."""
    text = "Say what would be done, and do nothing."
    return click.option("-n", "--dry-run", is_flag=True, help=text)(function)


def paths_argument(required: bool = False) -> Callable[[Function], Function]:
    """``[PATHS]...``, handed over as ``paths: tuple[str, ...]``; give them to ``session.paths``."""
    return click.argument("paths", nargs=-1, type=PATH, required=required)


def _ref_names() -> Sequence[str]:
    try:
        with Session(quiet=True).open() as repo:
            names = repo.refs()
    except (OxError, OSError):
        return ()
    return [name.split("/", 2)[2] for name in names if name.startswith(_COMPLETED)]
