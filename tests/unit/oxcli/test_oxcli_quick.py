"""What is read without click is what click reads; whatever click refuses, it leaves to click."""

import click
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from oxcli import catalog, quick
from oxcli.clicked import command_of, ox
from oxcli.context import Session
from oxcli.params import FLAGS, Choice, VerbGroup, load

WORDS = ("a", "b/c.txt", "HEAD~1", "", "-", "--", "-5", "7", "007", "0", "-h", "--help", "--nope")
WORDS += ("--nope=1", "-z", "ä", "\udcff", "a=b", "--=", "-=", "---", "1_0", "٣", "9" * 30)


def verbs():
    """Every verb with its name; those of a group as well."""
    for name in catalog.VERBS:
        found = load(name)
        yield (name,), found
        if isinstance(found, VerbGroup):
            for sub, below in found.verbs.items():
                yield (name, sub), below


VERBS = dict(verbs())


def vocabulary(params):
    """Words that mean something to these params, in many spellings."""
    for param in params:
        for name in (part for names in param.names for part in names.split("/")):
            yield from (name, name[:-1], name + "=x", name + "=", name + "x", name + "3")
            yield from (name[1:], name.upper())
        for value in param.kind.words if isinstance(param.kind, Choice) else ():
            yield from (value, value.upper(), value[:-1])
    short = [name[1] for param in params for name in param.names if len(name) == 2]
    yield from (f"-{one}{two}" for one in short for two in short)


def by_click(command, args):
    """The values that click reads, and what stood behind ``--``; None where it refuses."""
    session = Session()
    try:
        context = command.make_context("x", list(args), obj=session)
    except (click.ClickException, click.exceptions.Exit):
        return None
    return context.params, session.after


def by_us(verb, args):
    try:
        call = quick.call(verb, args)
    except quick.Unusual:
        return None
    assert call.function is verb.function
    return call.values, call.after


@pytest.mark.parametrize("name", VERBS, ids=" ".join)
def test_click_reads_the_same_or_is_asked(name):
    verb = VERBS[name]
    if isinstance(verb, VerbGroup) and not verb.alone:
        assert by_us(verb, []) is None
        return
    command = command_of(verb, name[-1])
    own = [*vocabulary(verb.params), *WORDS]

    @settings(max_examples=150, deadline=None, database=None)
    @given(st.lists(st.sampled_from(own) | st.text("-=ab/", max_size=4), max_size=6))
    @example([])
    def check(args):
        if isinstance(verb, VerbGroup) and any(word in verb.verbs for word in args):
            return
        read = by_us(verb, args)
        if read is not None:
            assert read == by_click(command, args)

    check()


PLAIN = [
    ("status",),
    ("status", "-sb", "photos", "-u", "all"),
    ("status", "--untracked=no", "--json"),
    ("add", "."),
    ("add", "-nv", "a", "b"),
    ("commit", "-am", "a message"),
    ("commit", "-maa", "--meta", "k=v", "--meta", "l=w"),
    ("log", "-n5", "--oneline", "main..x", "--", "a.txt"),
    ("diff", "HEAD~1", "--", "--odd"),
    ("fetch", "--no-tags", "origin"),
    ("reset", "--hard", "v1"),
    ("mv", "a", "b", "folder"),
    ("stash", "pop"),
    ("stash",),
    ("remote", "-v"),
    ("remote", "add", "origin", "../x"),
]


@pytest.mark.parametrize("args", PLAIN, ids=" ".join)
def test_plain_words_need_no_click(args):
    name = args[:2] if args[:2] in VERBS else args[:1]
    read = quick.read(args)
    assert read is not None
    flags, call = read
    assert flags == {
        "folder": (),
        "quiet": False,
        "no_color": False,
        "stats": False,
        "debug": False,
    }
    assert (call.values, call.after) == by_click(
        command_of(VERBS[name], name[-1]), args[len(name) :]
    )
    assert call.function is VERBS[name].function


UNUSUAL = [
    (),
    ("-h",),
    ("--help",),
    ("stauts",),
    ("-x", "add"),
    ("add", "--help"),
    ("add", "--al"),
    ("commit", "-m"),
    ("commit", "--amend=1"),
    ("stash", "nope"),
    ("hub",),
    ("hub", "serve"),
    ("log", "-n", "-1"),
    ("log", "-n", "x"),
    ("status", "-u", "most"),
    ("undo", "1", "2"),
    ("mv", "a"),
]


@pytest.mark.parametrize("args", UNUSUAL, ids=" ".join)
def test_the_rest_is_for_click(args):
    assert quick.read(args) is None


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from([*vocabulary(FLAGS), "status", "add", "nope", "--", "-", "", "--version"]),
        max_size=5,
    )
)
def test_flags_before_the_verb(args):
    try:
        flags, rest = quick.options(FLAGS, args, mixed=False)
    except quick.Unusual:
        return
    context = ox.make_context("ox", list(args), obj=Session()) if rest else None
    if context is not None:
        assert flags == context.params
        assert rest == [*context._protected_args, *context.args]


def test_every_declaration_has_a_help():
    for verb in VERBS.values():
        assert all(param.help for param in verb.params if param.names)
