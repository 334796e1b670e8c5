"""The declarations of the commands as click's: help, completion, and what is wrong with a call."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from inspect import cleandoc
from typing import TYPE_CHECKING, Any, NoReturn, Unpack

import click
from click.shell_completion import CompletionItem

from oxcli import catalog
from oxcli.context import Session
from oxcli.params import FLAGS, PATH, REVISION, Choice, Kind, Number, Param, Verb, VerbGroup, load
from oxcore import __version__
from oxcore.errors import OxError, UsageError

if TYPE_CHECKING:
    from oxcli.context import Flags

_COMPLETED = ("refs/heads/", "refs/tags/", "refs/remotes/")


def run(args: Sequence[str], session: Session) -> object:
    """Read ``args`` and run the verb; gives what it returns, or the exit code that click wants.

    Raises ``UsageError`` for words that make no call.
    """
    try:
        with ox.make_context("ox", list(args), obj=session) as context:
            return ox.invoke(context)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.Abort as error:
        raise KeyboardInterrupt from error
    except click.ClickException as error:
        raise _usage(error) from error


def complete(args: Sequence[str], variable: str) -> NoReturn:
    """Answer the shell, which asks by the environment variable ``variable``."""
    ox.main(list(args), prog_name="ox", complete_var=variable)
    sys.exit(0)


def command_of(verb: Verb, name: str) -> click.Command:
    """The command of click that ``verb`` declares."""
    if isinstance(verb, VerbGroup):
        return _group(verb, name)
    kind = _Parted if verb.parted else _Command
    command = kind(name, callback=click.pass_obj(verb.function), **_parts(verb))
    command.examples = verb.examples
    return command


class _Examples:
    """A command whose help ends with ``examples``."""

    examples: tuple[str, ...] = ()

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Print the examples, one a line, as they are."""
        if self.examples:
            with formatter.section("Examples"):
                for line in self.examples:
                    formatter.write(f"{'':>{formatter.current_indent}}{line}\n")


class _Command(_Examples, click.Command):
    pass


class _Group(_Examples, click.Group):
    pass


class _Either(_Group):
    """A verb that takes arguments, or the name of one of its own verbs as the first word."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Leave all words to the verb of its own, if one is named."""
        if args and args[0] in self.commands:
            self.params = []
            return super().parse_args(ctx, args)
        ctx.allow_interspersed_args = True
        ctx.allow_extra_args = False
        return click.Command.parse_args(self, ctx, args)

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """Those of the verb itself; the others are listed below."""
        return click.Command.collect_usage_pieces(self, ctx)


class _Parted(_Command):
    """A verb that is told what stands after ``--``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep the arguments after ``--`` from click, which would mix them with the others."""
        if "--" in args:
            at = args.index("--")
            session = ctx.find_object(Session)
            if session is not None:
                session.after = tuple(args[at + 1 :])
            args = args[:at]
        return super().parse_args(ctx, args)


class Lazy(click.Group):
    """A group that knows its verbs by name and imports one when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all verbs, in the order of the overview."""
        return list(catalog.VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this verb; None if there is no such verb."""
        return command_of(load(cmd_name), cmd_name) if cmd_name in catalog.VERBS else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb; an unknown one is answered with those that look like it."""
        if args[0] not in catalog.VERBS and not args[0].startswith("-"):
            raise UsageError(f"no such verb: {args[0]}", hint=_near(args[0]))
        return super().resolve_command(ctx, args)

    def get_help(self, ctx: click.Context) -> str:
        """The overview, the same as ``ox --help`` prints without click."""
        return catalog.overview().rstrip("\n")

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Verbs that start so; unlike click's own, this loads none of them."""
        verbs = catalog.VERBS.items()
        found = [
            CompletionItem(verb, help=line) for verb, line in verbs if verb.startswith(incomplete)
        ]
        return found + click.Command.shell_complete(self, ctx, incomplete)


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


def _group(verb: VerbGroup, name: str) -> click.Command:
    def alone(**values: object) -> object:
        context = click.get_current_context()
        if context.invoked_subcommand is not None:
            return None
        return verb.function(context.find_object(Session), **values)

    kind = _Group if all(param.names for param in verb.params) else _Either
    group = kind(name, callback=alone, invoke_without_command=verb.alone, **_parts(verb))
    group.examples = verb.examples
    for one, sub in verb.verbs.items():
        group.add_command(command_of(sub, one))
    return group


def _parts(verb: Verb) -> dict[str, Any]:
    return {
        "params": [_param(one) for one in verb.params],
        "help": cleandoc(verb.function.__doc__ or ""),
    }


def _param(param: Param) -> click.Parameter:
    said: dict[str, Any] = {"metavar": param.metavar, "required": param.required}
    if param.default is not None or param.switch:
        said["default"] = param.default
    # What is left out counts: `is_flag=False` would let an option go without its value.
    said |= {"is_flag": True} if param.flag else {"type": _type(param.kind)}
    if not param.names:
        return click.Argument([param.target], nargs=-1 if param.many else 1, **said)
    if param.flag_value is not None:
        said["flag_value"] = param.flag_value
    return click.Option(
        [*param.names, param.target],
        multiple=param.many,
        show_default=param.show_default,
        help=param.help,
        **said,
    )


def _type(kind: Kind) -> click.ParamType[Any]:
    if isinstance(kind, Choice):
        return click.Choice(kind.words)
    if isinstance(kind, Number):
        return _number(kind)
    return {PATH: DatasetPath(), REVISION: Revision()}.get(kind, click.STRING)


def _number(kind: Number) -> click.ParamType[Any]:
    if kind.low is None and kind.high is None:
        return click.INT if kind.whole else click.FLOAT
    return (click.IntRange if kind.whole else click.FloatRange)(kind.low, kind.high)


@click.group(cls=Lazy, name="ox", context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="ox %(version)s")
@click.pass_obj
def ox(session: Session, **flags: Unpack[Flags]) -> None:
    """Git for datasets."""
    session.begin(**flags)


ox.params[:0] = map(_param, FLAGS)


def _usage(error: click.ClickException) -> UsageError:
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "ox"
    message = error.format_message().rstrip(".")
    return UsageError(message[:1].lower() + message[1:], hint=f"see: {path} --help")


def _near(verb: str) -> str:
    from difflib import get_close_matches  # only for a slip of the pen

    near = get_close_matches(verb, list(catalog.VERBS), n=3)
    return f"did you mean: {', '.join(near)}" if near else "all verbs: ox --help"


def _ref_names() -> Sequence[str]:
    try:
        with Session(quiet=True).open() as repo:
            names = repo.refs()
    except (OxError, OSError):
        return ()
    return [name.split("/", 2)[2] for name in names if name.startswith(_COMPLETED)]
