"""Hypothesis strategies for the values that every room handles.

``paths`` and ``trees`` draw from few short components, so that shared folders, prefixes of one
another and near misses of the path rules come up in every run, not once in a million.
"""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import strategies as st

from oxcore.codec.canonical import MAX_INT
from oxcore.model.commits import Commit, Json, Moment, Person, Tag
from oxcore.model.entries import MAX_PATH, Entry, Mode, paths_are_valid
from oxcore.model.ids import ID_LEN

_NAMES = (b"a", b"b", b"aa", b"a b", b"a-", b"a.", b".a", b"...", b"A", b"\xff", b"\xc3\xa9")
_FORBIDDEN = {b"", b".", b"..", b".ox", b".git"}


def ids() -> st.SearchStrategy[bytes]:
    """Ids: 32 bytes."""
    return st.binary(min_size=ID_LEN, max_size=ID_LEN)


def names() -> st.SearchStrategy[bytes]:
    """Components of a path that are allowed, from a small alphabet or any bytes."""
    free = st.binary(min_size=1, max_size=8).filter(_is_name)
    return st.sampled_from(_NAMES) | free


def paths(max_depth: int = 4, *, long: bool = False) -> st.SearchStrategy[bytes]:
    """Paths that ``check_path`` accepts, of up to ``max_depth`` components that any Linux file
    system can hold; with ``long`` also some as long as the format allows, which none can."""
    short = st.lists(names(), min_size=1, max_size=max_depth).map(b"/".join)
    if not long:
        return short
    return short | st.integers(MAX_PATH - 2, MAX_PATH).map(lambda length: b"x" * length)


def entries() -> st.SearchStrategy[Entry]:
    """Entries of any mode and size; the id belongs to no content."""
    sizes = st.integers(0, 1 << 20) | st.integers(0, (1 << 48) - 1)
    return st.builds(Entry, st.sampled_from([int(mode) for mode in Mode]), sizes, ids())


def trees(max_size: int = 40, min_size: int = 0) -> st.SearchStrategy[dict[bytes, Entry]]:
    """Whole trees as path -> entry, where no path is both a file and a folder.

    Not in the order of their paths. ``min_size`` and ``max_size`` count what is drawn: a file that
    would be a folder of another drawn path is left out, so there may be fewer.
    """
    drawn = st.dictionaries(paths(), entries(), min_size=min_size, max_size=max_size)
    return drawn.map(_without_clashes)


def texts(max_size: int = 20) -> st.SearchStrategy[str]:
    """Text that canonical JSON can hold: any Unicode but lone surrogates."""
    return st.text(st.characters(exclude_categories=["Cs"]), max_size=max_size)


def json_values(max_leaves: int = 8) -> st.SearchStrategy[Json]:
    """What canonical JSON can hold, nested."""
    plain: st.SearchStrategy[Json] = (
        st.none() | st.booleans() | st.integers(-MAX_INT, MAX_INT) | texts()
    )
    return st.recursive(
        plain,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts(8), inner, max_size=4),
        max_leaves=max_leaves,
    )


def people() -> st.SearchStrategy[Person]:
    """Persons that a commit may name."""
    part = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="<>"))
    return st.builds(Person, part, part).filter(lambda person: bool(person.name or person.email))


def moments() -> st.SearchStrategy[Moment]:
    """Times that a commit may carry: 1684 to 2255, in any zone."""
    return st.builds(Moment, st.integers(-MAX_INT, MAX_INT), st.integers(-1439, 1439))


def commits() -> st.SearchStrategy[Commit]:
    """Commits with up to three parents, metadata, and sometimes a signature."""
    return st.builds(
        Commit,
        tree=ids(),
        parents=st.lists(ids(), max_size=3, unique=True).map(tuple),
        author=people(),
        time=moments(),
        message=texts(60),
        meta=st.dictionaries(texts(8), json_values(4), max_size=3),
        signature=st.none() | texts(60),
    )


def tags() -> st.SearchStrategy[Tag]:
    """Annotated tags with plain names."""
    return st.builds(
        Tag,
        target=ids(),
        name=st.from_regex(r"[a-z][a-z0-9.]{0,8}", fullmatch=True),
        tagger=people(),
        time=moments(),
        message=texts(60),
        signature=st.none() | texts(60),
    )


def _is_name(name: bytes) -> bool:
    allowed = name.lower() not in _FORBIDDEN and b"/" not in name and b"\0" not in name
    assert not allowed or paths_are_valid(name)  # noqa: S101 -- the strategy and the rule agree
    return allowed


def _without_clashes(tree: dict[bytes, Entry]) -> dict[bytes, Entry]:
    folders = {folder for path in tree for folder in _parents(path)}
    return {path: entry for path, entry in tree.items() if path not in folders}


def _parents(path: bytes) -> Iterable[bytes]:
    parts = path.split(b"/")
    return (b"/".join(parts[:depth]) for depth in range(1, len(parts)))
