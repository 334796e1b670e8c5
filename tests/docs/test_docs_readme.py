"""README and tutorial: every `ox` call in them parses, every link leads somewhere."""

import re
import shlex
from pathlib import Path

import click
import pytest

from oxcli.catalog import VERBS
from oxcli.clicked import ox
from oxcli.context import Session

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
TYPED = [ROOT / "README.md", ROOT / "docs" / "tutorial.md"]
FENCE = re.compile(r"^```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!!)\[[^\]\n]+\]\(([^)\s]+)\)")


def calls(page):
    """Every command line of a page's blocks that begins with `ox`, alone or after `&&`."""
    for block in FENCE.findall(page.read_text(encoding="utf-8")):
        for line in block.splitlines():
            shown = re.sub(r"^\S*\$ ", "", line)
            for part in re.split(r" && | \| | & ?$", re.sub(r" {2,}#.*", "", shown)):
                if re.match(r"ox (-|[a-z])", part):
                    yield part


def check(call):
    """Parse one call as the command line would; `click` raises if it is wrong."""
    words = shlex.split(call)[1:]
    context = ox.make_context("ox", words, obj=Session())
    group, rest = ox, context._protected_args + context.args
    while rest:
        name, command, rest = group.resolve_command(context, rest)
        context = command.make_context(name, list(rest), parent=context)
        if not isinstance(command, click.Group):
            return
        rest, group = context._protected_args + context.args, command


@pytest.mark.parametrize("page", TYPED, ids=lambda page: page.name)
def test_pages_show_calls(page):
    assert len(list(calls(page))) > 15


@pytest.mark.parametrize("call", sorted({call for page in TYPED for call in calls(page)}))
def test_every_call_is_one_that_the_command_takes(call):
    check(call)


def test_the_readme_names_every_verb():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = text.split("## Verbs")[1].split("\n## ")[0]
    assert set(re.findall(r"`([a-z-]+)`", section)) >= set(VERBS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page):
    for target in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        place = (page.parent / name).resolve() if name else page
        assert place.exists(), target
        if anchor:
            assert anchor in anchors(place), target


def anchors(page):
    """The anchors that a forge makes of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
