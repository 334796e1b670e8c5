"""``ox completion``."""

from __future__ import annotations

from oxcli.context import Session
from oxcli.params import Choice, argument, verb

_SHELLS = ("bash", "zsh", "fish")


@verb(
    'eval "$(ox completion bash)"            # in ~/.bashrc',
    'eval "$(ox completion zsh)"             # in ~/.zshrc, after compinit',
    "ox completion fish > ~/.config/fish/completions/ox.fish",
)
@argument("shell", kind=Choice(*_SHELLS))
def command(session: Session, shell: str) -> None:
    """Print the script that lets SHELL complete verbs, options, branches, tags and files."""
    from click import Group
    from click.shell_completion import ShellComplete, get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None, shell  # noqa: S101 -- one of _SHELLS
    script = kind(Group("ox"), {}, "ox", "_OX_COMPLETE")
    # Past the subclass's own `source`, which starts the shell to ask for its version.
    session.echo(ShellComplete.source(script).rstrip("\n"))
