"""``ox completion``."""

from __future__ import annotations

import click
from click.shell_completion import ShellComplete, get_completion_class

from oxcli.context import Session, pass_session
from oxcli.params import verb

_SHELLS = ("bash", "zsh", "fish")


@verb(
    'eval "$(ox completion bash)"            # in ~/.bashrc',
    'eval "$(ox completion zsh)"             # in ~/.zshrc, after compinit',
    "ox completion fish > ~/.config/fish/completions/ox.fish",
)
@click.argument("shell", type=click.Choice(_SHELLS))
@click.pass_context
@pass_session
def command(session: Session, context: click.Context, shell: str) -> None:
    """Print the script that lets SHELL complete verbs, options, branches, tags and files."""
    kind = get_completion_class(shell)
    if kind is None:
        raise click.BadParameter(shell)
    script = kind(context.find_root().command, {}, "ox", "_OX_COMPLETE")
    # Past the subclass's own `source`, which starts the shell to ask for its version.
    session.echo(ShellComplete.source(script).rstrip("\n"))
