"""Prints docs/cli.md, the reference of all verbs: ``python -m oxcli.reference > docs/cli.md``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.util import find_spec

import click

from oxcli import catalog
from oxcli.clicked import ox

_TOP = """\
# Command line

What `ox VERB --help` prints, for every verb. Generated: `python -m oxcli.reference > docs/cli.md`.
Exit codes and errors: [errors.md](errors.md).
"""


def reference() -> str:
    """The whole page."""
    parts = [_TOP, "## ox\n", _block(catalog.overview().rstrip())]
    top = top_context()
    for section, verbs in catalog.SECTIONS.items():
        parts.append(f"## {section}\n")
        for verb in verbs:
            parts += _verb(top, verb)
    return "\n".join(parts)


def top_context() -> click.Context:
    """The context that all commands stand in, 80 columns wide."""
    return click.Context(ox, info_name="ox", terminal_width=80, **ox.context_settings)


def commands(top: click.Context, verb: str) -> Iterator[tuple[click.Context, click.Command]]:
    """The command of ``verb`` and, below it, those of its own verbs; none if it is not built in."""
    if find_spec(catalog.module_of(verb)) is None:
        return
    command = ox.get_command(top, verb)
    if command is not None:
        yield from _walk(top, command, verb)


def _walk(
    above: click.Context, command: click.Command, name: str
) -> Iterator[tuple[click.Context, click.Command]]:
    here = click.Context(command, info_name=name, parent=above)
    yield here, command
    if isinstance(command, click.Group):
        either = any(isinstance(one, click.Argument) for one in command.params)
        for sub in command.list_commands(here):
            below = command.get_command(here, sub)
            if below is not None and either:  # its own verbs stand where its arguments do
                yield from _walk(above, below, f"{name} {sub}")
            elif below is not None:
                yield from _walk(here, below, sub)


def _verb(top: click.Context, verb: str) -> Iterator[str]:
    for context, command in commands(top, verb):
        depth = context.command_path.count(" ") + 2
        yield f"{'#' * depth} {context.command_path}\n"
        yield _block(command.get_help(context))


def _block(text: str) -> str:
    return f"```text\n{text}\n```\n"


if __name__ == "__main__":
    sys.stdout.write(reference())
