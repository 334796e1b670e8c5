"""The click group, whose verbs load when they are called, and the boundary of errors."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module

import click
from click.shell_completion import CompletionItem

from oxcli import catalog, config, exits
from oxcli.context import Session
from oxcli.render import failure
from oxcore import __version__
from oxcore.errors import DeniedError, NotFoundError, OxError, UsageError
from oxcore.fs.atomic import storage_error

COMPLETE = "_OX_COMPLETE"  # set by the shell's completion script


class Lazy(click.Group):
    """A group that knows its verbs by name and imports one when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all verbs, in the order of the overview."""
        return list(catalog.VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this verb; None if there is no such verb."""
        if cmd_name not in catalog.VERBS:
            return None
        command: click.Command = import_module(catalog.module_of(cmd_name)).command
        command.name = cmd_name
        return command

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


@click.group(cls=Lazy, name="ox", context_settings={"help_option_names": ["-h", "--help"]})
@click.option("-C", "folder", metavar="PATH", multiple=True)
@click.option("-q", "--quiet", is_flag=True)
@click.option("--no-color", is_flag=True)
@click.option("--stats", is_flag=True)
@click.option("--debug", is_flag=True)
@click.version_option(__version__, message="ox %(version)s")
@click.pass_obj
def ox(
    session: Session,
    folder: Sequence[str],
    *,
    quiet: bool,
    no_color: bool,
    stats: bool,
    debug: bool,
) -> None:
    """Git for datasets."""
    session.debug, session.quiet, session.stats = debug, quiet, stats
    session.color = not no_color
    for one in folder:
        _enter(one)


def dispatch(args: Sequence[str]) -> int:
    """Run the verb that ``args`` name; gives the exit code and prints errors.

    Raises nothing but ``BrokenPipeError``.
    """
    _forgive_encoding()
    if COMPLETE in os.environ:
        ox.main(list(args), prog_name="ox", complete_var=COMPLETE)
    return _guarded(args, Session(json="--json" in args))


def _guarded(args: Sequence[str], session: Session) -> int:
    try:
        return _invoke(args, session)
    except BrokenPipeError:
        raise
    except (KeyboardInterrupt, click.Abort):
        sys.stderr.write("\ninterrupted\n")
        return exits.INTERRUPTED
    except Exception as error:  # noqa: BLE001 -- the boundary: nothing passes as a traceback
        told = _as_ox_error(error)
        if session.json:
            failure.report_json(told, error, debug=session.debug)
        else:
            failure.report(told, error, session.show, debug=session.debug)
        return exits.code_of(told.kind)


def _invoke(args: Sequence[str], session: Session) -> int:
    # Not `ox.main`, which makes errors of its own of interruptions and broken pipes.
    code: object = 0
    try:
        with ox.make_context("ox", list(args), obj=session) as context:
            code = ox.invoke(context)
    except click.exceptions.Exit as stop:
        code = stop.exit_code
    finally:
        if session.stats:
            failure.counters(session.counters, as_json=session.json)
    sys.stdout.flush()
    return code if isinstance(code, int) else 0


def _as_ox_error(error: Exception) -> OxError:
    if isinstance(error, DeniedError):
        error.hint = config.hint_of_denial(error.hint)
    if isinstance(error, OxError):
        return error
    if isinstance(error, click.ClickException):
        return _usage(error)
    if isinstance(error, OSError):
        return storage_error("the system refuses", error)
    return failure.Internal(error)


def _usage(error: click.ClickException) -> UsageError:
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "ox"
    message = error.format_message().rstrip(".")
    return UsageError(message[:1].lower() + message[1:], hint=f"see: {path} --help")


def _near(verb: str) -> str:
    from difflib import get_close_matches  # only for a slip of the pen

    near = get_close_matches(verb, list(catalog.VERBS), n=3)
    return f"did you mean: {', '.join(near)}" if near else "all verbs: ox --help"


def _enter(folder: str) -> None:
    try:
        os.chdir(folder)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotFoundError(f"no such folder: {folder}") from error


def _forgive_encoding() -> None:
    # A name that the terminal's encoding does not have is shown escaped, not as an error.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
