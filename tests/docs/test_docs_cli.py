"""docs/cli.md is what the commands say; each of them shows an example."""

import pkgutil
from pathlib import Path

import click
import pytest

import oxcli.commands
from oxcli import catalog
from oxcli.clicked import ox
from oxcli.reference import commands, reference, top_context

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"
TOP = top_context()


def modules():
    return {module.name for module in pkgutil.iter_modules(oxcli.commands.__path__)}


def test_every_verb_has_a_module_and_every_module_is_a_verb():
    assert modules() == {catalog.module_of(verb).rpartition(".")[2] for verb in catalog.VERBS}


def test_the_reference_is_up_to_date():
    assert PAGE.read_text(encoding="utf-8") == reference(), (
        "python -m oxcli.reference > docs/cli.md"
    )


@pytest.mark.parametrize("verb", catalog.VERBS)
def test_every_help_has_a_text_an_example_and_documented_options(verb):
    for context, command in commands(TOP, verb):
        assert command.help, context.command_path
        if context.parent is TOP:
            assert any(f"ox {verb}" in line for line in command.examples)
        options = [p for p in command.params if isinstance(p, click.Option)]
        assert all(option.help for option in options), context.command_path


@pytest.mark.parametrize("verb", catalog.VERBS)
def test_every_example_is_a_call_that_the_command_takes(verb):
    for _, command in commands(TOP, verb):
        for example in getattr(command, "examples", ()):
            _check(example)


def _check(example):
    import shlex

    words = shlex.split(example.split("   #")[0], comments=True)
    if words[:1] != ["ox"] or {"|", ">", "&&"} & set(words):
        return
    group, context, rest = ox, TOP, words[1:]
    while isinstance(group, click.Group) and rest:
        name, command, rest = group.resolve_command(context, rest)
        context = command.make_context(name, list(rest), parent=context)
        if not isinstance(command, click.Group):
            return
        rest = context._protected_args + context.args
        group = command


def test_the_overview_shows_the_options_that_the_group_takes():
    shown = {word.rstrip(",") for key in catalog.OPTIONS for word in key.split() if word[0] == "-"}
    declared = {name for param in ox.get_params(TOP) for name in param.opts}
    assert shown == declared


def test_the_overview_fits_eighty_columns():
    assert max(map(len, catalog.overview().splitlines())) <= 80
