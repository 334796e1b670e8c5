"""Names of revisions: the grammar, what is found, and what is said where nothing is."""

import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oxcore import history
from oxcore.errors import AmbiguousError, InvalidError, MissingError, NotFoundError, OxError
from oxcore.model.commits import Commit, Moment, Person, Tag
from oxcore.model.ids import Kind


def us(text):
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 10**6


def oid(start):
    return bytes.fromhex(start.ljust(64, "0"))


class Fake:
    """A main line c0..c4, a side commit merged by c3, tags and logs."""

    def __init__(self):
        self.commits = {}
        for name, parents in [
            ("c0", []),
            ("c1", ["c0"]),
            ("5de1", ["c0"]),
            ("c3", ["c1", "5de1"]),
            ("c4", ["c3"]),
            ("abcd01", []),
            ("abcd02", []),
            ("deadbeef", []),
        ]:
            self.commits[oid(name)] = Commit(
                b"t" * 32, tuple(map(oid, parents)), Person("a"), Moment(0), f"title {name}\nmore"
            )
        self.tags = {oid("7a9"): Tag(oid("c1"), "v1", Person("a"), Moment(0), "first")}
        self.values = {
            "HEAD": oid("c4"),
            "refs/heads/main": oid("c4"),
            "refs/heads/side": oid("5de1"),
            "refs/heads/both": oid("c0"),
            "refs/heads/deadbeef": oid("c1"),
            "refs/tags/both": oid("c1"),
            "refs/tags/v1": oid("7a9"),
            "refs/remotes/origin/main": oid("c3"),
            "refs/stash/1": oid("c1"),
        }
        self.branch = "refs/heads/main"
        self.logs = {
            "refs/heads/main": [
                (us("2026-11-20T12:00:00"), oid("c4")),
                (us("2026-11-19T12:00:00"), oid("c3")),
                (us("2026-11-18T12:00:00"), oid("c1")),
                (us("2026-11-17T12:00:00"), None),
            ],
            "HEAD": [(1, oid("c4")), (0, oid("5de1"))],
        }

    def ref(self, name):
        return self.values.get(name)

    def refs(self):
        return [name for name in self.values if name != "HEAD"]

    def current(self):
        return self.branch

    def kind(self, name):
        if name in self.tags:
            return Kind.TAG
        return Kind.COMMIT if name in self.commits else None

    def find(self, prefix):
        for name in [*self.commits, *self.tags, oid("c0ffee")]:
            if name.startswith(prefix):
                yield name, self.kind(name) or Kind.CHUNK

    def commit(self, name):
        if name not in self.commits:
            raise MissingError("not here")
        return self.commits[name]

    def tag(self, name):
        return self.tags[name]

    def reflog(self, name):
        return self.logs.get(name, [])

    def previous(self, n):
        return {1: "refs/heads/side", 2: oid("c1").hex()}.get(n)

    def upstream(self, name):
        known = {"refs/heads/main": "refs/remotes/origin/main", "refs/heads/side": "refs/remotes/x"}
        return known.get(name)


@pytest.mark.parametrize(
    ("text", "name", "ref"),
    [
        ("main", "c4", "refs/heads/main"),
        ("heads/main", "c4", "refs/heads/main"),
        ("refs/heads/main", "c4", "refs/heads/main"),
        ("origin/main", "c3", "refs/remotes/origin/main"),
        ("stash/1", "c1", "refs/stash/1"),
        ("HEAD", "c4", "HEAD"),
        ("@", "c4", "HEAD"),
        ("v1", "c1", "refs/tags/v1"),
        ("v1^{}", "c1", "refs/tags/v1"),
        ("v1^{commit}~1", "c0", None),
        ("v1^0", "c1", None),
        ("HEAD~", "c3", None),
        ("HEAD~0", "c4", None),
        ("@~2", "c1", None),
        ("@^", "c3", None),
        ("@^^2", "5de1", None),
        ("@~1^2~1", "c0", None),
        ("main^^", "c1", None),
        ("main^1^1^1", "c0", None),
        ("5de1", "5de1", None),
        ("5DE10", "5de1", None),
        ("c3" + "0" * 62, "c3", None),
        ("7a90", "c1", None),
        ("abcd01", "abcd01", None),
        ("deadbeef", "c1", "refs/heads/deadbeef"),
        ("deadbeef" + "0" * 56, "deadbeef", None),
        ("main@{0}", "c4", None),
        ("main@{1}", "c3", None),
        ("@{2}", "c1", None),
        ("@{1}~1", "c1", None),
        ("HEAD@{1}", "5de1", None),
        ("@{-1}", "5de1", "refs/heads/side"),
        ("@{-1}^", "c0", None),
        ("@{-2}", "c1", None),
        ("@{u}", "c3", "refs/remotes/origin/main"),
        ("main@{upstream}", "c3", "refs/remotes/origin/main"),
        ("HEAD@{u}~1", "c1", None),
        ("main@{2026-11-19}", "c3", None),
        ("main@{20261119}", "c3", None),
        ("main@{2026-11-19T11:59:59}", "c1", None),
        ("main@{2026-11-19T12:00:00}", "c3", None),
        ("main@{2026-11-19 12:30:00+02:00}", "c1", None),
        ("main@{2030-01-01}", "c4", None),
    ],
)
def test_what_is_found(text, name, ref):
    found = history.resolve(text, Fake())
    assert (found.id, found.ref, found.path) == (oid(name), ref, None)
    assert found.text == text


def test_tags_are_told_and_paths_split_off():
    assert history.resolve("v1", Fake()).tag == oid("7a9")
    assert history.resolve("main", Fake()).tag is None
    assert history.resolve("main:a/b:c..d~1", Fake()).path == b"a/b:c..d~1"
    assert history.resolve("main:", Fake()).path == b""
    assert history.resolve("@~1:\udcff", Fake()).path == b"\xff"
    assert history.resolve("main@{2026-11-19T12:00:00}:x", Fake()).path == b"x"


def test_the_zone_is_the_callers():
    assert history.resolve("main@{2026-11-19T13:30}", Fake(), zone=120).id == oid("c1")
    assert history.resolve("main@{2026-11-19T13:30}", Fake(), zone=60).id == oid("c3")


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("mian", NotFoundError, "'mian'"),
        ("both", AmbiguousError, "refs/tags/both and refs/heads/both"),
        ("abcd", AmbiguousError, "start of 2 ids"),
        ("abc", NotFoundError, "'abc'"),
        ("c0ff", NotFoundError, "'c0ff'"),
        ("1" * 64, NotFoundError, "1111"),
        ("c0~1", NotFoundError, "'c0'"),
        ("c000~1", NotFoundError, "is a first commit"),
        ("main^2", NotFoundError, "has one parent"),
        ("main~1^3", NotFoundError, "has 2 parents"),
        ("main@{4}", NotFoundError, "4 times"),
        ("main@{3}", NotFoundError, "held nothing"),
        ("main@{2000-01-01}", NotFoundError, "was not there"),
        ("@{-3}", NotFoundError, "too far back"),
        ("side@{u}", NotFoundError, "not fetched"),
        ("both2@{u}", NotFoundError, "'both2'"),
        ("v1@{u}", NotFoundError, "follows no"),
        ("main@{yesterday}", InvalidError, "yesterday"),
        ("main@{-1}", InvalidError, "main@{-1}"),
        ("main^{tree}", InvalidError, "^{tree}"),
        ("main~x", InvalidError, "'x'"),
        ("main~99999999", InvalidError, "too large"),
        ("main@{1}x", InvalidError, "'x'"),
        ("", InvalidError, "no revision"),
        (":path", InvalidError, "no revision"),
        ("a..b", InvalidError, "range"),
        ("^", NotFoundError, ""),
    ],
)
def test_what_is_said(text, error, words):
    with pytest.raises(error) as caught:
        history.resolve(text, Fake())
    assert words in caught.value.message


def test_help_is_given():
    with pytest.raises(NotFoundError) as caught:
        history.resolve("mian", Fake())
    assert caught.value.hint == "did you mean 'main'?"
    assert caught.value.items == ("main",)
    with pytest.raises(AmbiguousError) as caught:
        history.resolve("abcd", Fake())
    assert caught.value.items == (
        "abcd01000000 1970-01-01 title abcd01",
        "abcd02000000 1970-01-01 title abcd02",
    )


def test_no_commit_yet_and_history_that_was_cut():
    names = Fake()
    names.values = {}
    with pytest.raises(NotFoundError, match="no commit yet"):
        history.resolve("HEAD", names)
    names = Fake()
    del names.commits[oid("c3")]
    with pytest.raises(MissingError):
        history.resolve("main~1", names)


@pytest.mark.parametrize(
    ("text", "include", "exclude", "symmetric"),
    [
        ("main", ["main"], [], False),
        ("^main", [], ["main"], False),
        ("a..b", ["b"], ["a"], False),
        ("a..", ["HEAD"], ["a"], False),
        ("..b", ["b"], ["HEAD"], False),
        ("..", ["HEAD"], ["HEAD"], False),
        ("a...b", ["a", "b"], [], True),
        ("a@{2026-01-01T10:00}..b~2", ["b~2"], ["a@{2026-01-01T10:00}"], False),
        ("main:a..b", ["main:a..b"], [], False),
        ("v1.0..v1.1", ["v1.1"], ["v1.0"], False),
    ],
)
def test_ranges(text, include, exclude, symmetric):
    found = history.parse_range(text)
    assert found == (tuple(include), tuple(exclude), symmetric)


@pytest.mark.parametrize("text", ["a..b..c", "a....b", "a..b:path"])
def test_ranges_that_are_none(text):
    with pytest.raises(InvalidError):
        history.parse_range(text)


def test_select_gives_the_tips_of_a_walk():
    names = Fake()
    assert history.select([], names) == ((oid("c4"),), ())
    assert history.select(["side..main"], names) == ((oid("c4"),), (oid("5de1"),))
    assert history.select(["main~1^1...side"], names) == ((oid("c1"), oid("5de1")), (oid("c0"),))
    assert history.select(["^v1"], names) == ((oid("c4"),), (oid("c1"),))
    assert history.select(["main", "v1", "main"], names).tips == (oid("c4"), oid("c1"))


@settings(max_examples=500, deadline=None)
@given(
    st.lists(
        st.sampled_from(["main", "v1", "@", "{", "}", "-1", "u", "^", "~", "2", ":", "..", "x"])
        | st.text(max_size=3),
        max_size=6,
    ).map("".join)
)
def test_any_text_is_found_or_refused(text):
    for ask in (history.resolve, lambda text, names: history.select([text], names)):
        with contextlib.suppress(OxError):
            ask(text, Fake())
