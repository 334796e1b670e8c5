"""The rows of a dataset for training and for the test, as they are in a tree, and what both share.

Of a row counts what it says (``record_id``, ``input_hash``, ``likeness``, ``group_key``), whatever
else a person made of the table, and what the file is that its ``path`` names.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from io import BufferedReader
from mimetypes import MimeTypes
from typing import NamedTuple

import pyarrow as pa

from oxcore import tree
from oxcore.errors import InvalidError
from oxcore.insight.alike import kind_of, likenesses
from oxcore.insight.dataset import SPLITS, join
from oxcore.model.entries import Entry, Mode, path_bytes, show_path
from oxcore.repo import Repository
from oxcore.store import ContentFile
from oxcore.tables import Source, Table

_TEXTS = ("csv", "tsv", "jsonl", "ndjson", "json")
_PACKED = tuple(f"{one}.{packed}" for one in _TEXTS for packed in ("gz", "zst"))
_ENDINGS = ("parquet", "arrow", "feather", *_TEXTS, *_PACKED)
_TYPES = MimeTypes()
_BUFFER = 1 << 20


class Fact(NamedTuple):
    """Something that rows may have in common: how much it says of them (less is more), what it is
    in words, and its value."""

    rank: int
    what: str
    value: str


class Item(NamedTuple):
    """A row: its ``name``, what it says, and the file that it names, if that is there."""

    name: str
    record_id: str | None
    path: str | None
    mime: str | None
    group_key: str | None
    input_hash: str | None
    likeness: str | None
    entry: Entry | None

    @property
    def kind(self) -> str:
        """How its file is compared: see ``alike.kind_of``."""
        return kind_of(self.mime) or kind_of(_TYPES.guess_type(self.path or "")[0])


_COLUMNS = Item._fields[1:-1]

Facts = dict[Fact, dict[str, None]]
"""Fact -> the names of the rows that it holds for, in their order."""


class Sides(NamedTuple):
    """What holds of the rows for training and of those of the test, and all of these."""

    train: Facts
    test: Facts
    items: frozenset[Item]


def leaking(now: Sides, before: Sequence[Sides]) -> list[str]:
    """What training and test share and no single version ``before`` shares so; then what training
    has from the test of a version before, and had not there: a line for each."""
    shared: dict[tuple[str, str], str] = {}
    for fact in sorted(now.train.keys() & now.test.keys()):
        for pair in _pairs(fact, now, before):
            shared.setdefault(pair, fact.what)
    moved: dict[str, tuple[str, str]] = {}
    for old in before:
        for fact in sorted((old.test.keys() & now.train.keys()) - now.test.keys()):
            for name in now.train[fact] if fact not in old.train else ():
                moved.setdefault(name, (next(iter(old.test[fact])), fact.what))
    return [
        *(_line(train, test, what) for (train, test), what in sorted(shared.items())),
        *(_line(train, test, what, gone=True) for train, (test, what) in sorted(moved.items())),
    ]


def _line(train: str, test: str, what: str, *, gone: bool = False) -> str:
    """What two rows have in common, of which that of the test may be ``gone`` now."""
    if train == test:
        return f"{train} {'moves from the test to train' if gone else 'is in both'}"
    return f"{train} (train) and {test} ({'in the test until now' if gone else 'test'}): {what}"


def _pairs(fact: Fact, now: Sides, before: Sequence[Sides]) -> Iterator[tuple[str, str]]:
    """Rows on either side that share a fact, and did not in any one version before: pairs in which
    each such row is at least once."""
    olds = [(one.train.get(fact, {}), one.test.get(fact, {})) for one in before]
    fresh: dict[tuple[bool, ...], list[str]] = {}
    for name in now.train[fact]:
        there = tuple(name in train for train, _ in olds)
        if there in fresh:
            yield from ((name, one) for one in fresh[there][:1])
            continue
        known = [test for (_, test), had in zip(olds, there, strict=True) if had]
        rest = [one for one in now.test[fact] if not any(one in test for test in known)]
        fresh[there] = rest
        yield from ((name, one) for one in rest)


class Look:
    """Reads datasets out of trees that ``nodes`` gives; ``broken`` tells of tables that it could
    not read, path -> why: they have no rows."""

    def __init__(self, repo: Repository, nodes: tree.Nodes) -> None:
        self._repo = repo
        self._nodes = nodes
        self.broken: dict[bytes, str] = {}

    def old(self, root: bytes, folder: bytes) -> Sides:
        """A dataset of a version that is there, whose rows are believed what they say."""
        return self._sides(root, folder, None)

    def new(self, root: bytes, folder: bytes, before: Sequence[Sides]) -> Sides:
        """A dataset of a version to be; the file of a row that none ``before`` has as it is is
        looked at."""
        return self._sides(root, folder, frozenset[Item]().union(*(one.items for one in before)))

    def _sides(self, root: bytes, folder: bytes, known: frozenset[Item] | None) -> Sides:
        items = {name: list(self._items(root, folder, name)) for name in SPLITS}
        every = [one for name in SPLITS for one in items[name]]
        doubtful = {
            (one.entry.id, one.kind): one.entry
            for one in every
            if one.entry is not None
            and one.kind
            and (_silent(one) or (known is not None and one not in known))
        }
        alike = likenesses(self._repo, doubtful)
        train, test = (_facts(items[name], alike) for name in SPLITS)
        return Sides(train, test, frozenset(every))

    def _items(self, root: bytes, folder: bytes, name: str) -> Iterator[Item]:
        """The rows of all tables of a split."""
        files = sorted(join(folder, f"{name}.{ending}".encode()) for ending in _ENDINGS)
        for path, entry in zip(files, tree.get_many(self._nodes, root, files), strict=True):
            if entry is not None and entry.mode != Mode.LINK:
                yield from self._rows(root, folder, path, entry)

    def _rows(self, root: bytes, folder: bytes, path: bytes, entry: Entry) -> Iterator[Item]:
        try:
            columns = self._columns(path, entry)
        except InvalidError as error:
            if path.endswith(b".parquet"):  # others may be called so, and be no table
                self.broken[path] = error.message
            return
        names = (
            record or f"{show_path(path)}, row {at:,}"
            for at, record in enumerate(columns["record_id"], 1)
        )
        files = self._files(root, folder, columns["path"])
        listed = (columns[name] for name in _COLUMNS)
        yield from map(Item, names, *listed, map(files.get, columns["path"]))

    def _columns(self, path: bytes, entry: Entry) -> dict[str, list[str | None]]:
        """What rows say: a table may lack columns, or have them in other types."""
        opener = partial(_opened, self._repo, entry)
        counters = self._repo.counters
        table = Table(Source(show_path(path), entry.size, opener, entry.id, counters=counters))
        there = [name for name in _COLUMNS if name in table.schema.names]
        rows = {name: column.to_pylist() for name, column in _columns(table, there).items()}
        empty = [None] * max(map(len, rows.values()), default=0)
        return {name: [_text(one) for one in rows.get(name, empty)] for name in _COLUMNS}

    def _files(
        self, root: bytes, folder: bytes, paths: Iterable[str | None]
    ) -> dict[str | None, Entry]:
        """The files of inputs, by the path that rows tell."""
        named = {path: _place(folder, path) for path in paths if path}
        wanted = sorted(set(named.values()))
        found = dict(zip(wanted, tree.get_many(self._nodes, root, wanted), strict=True))
        return {
            path: entry
            for path, place in named.items()
            if (entry := found[place]) is not None and entry.mode != Mode.LINK
        }


def _columns(table: Table, names: Sequence[str]) -> dict[str, pa.ChunkedArray]:
    if not names:
        return {}
    rows = table.to_arrow(names)
    return dict(zip(rows.column_names, rows.columns, strict=True))


def _text(value: object) -> str | None:
    return None if value is None or value == "" else str(value)


def _place(folder: bytes, path: str) -> bytes:
    return posixpath.normpath(join(folder, path_bytes(path)))


def _opened(repo: Repository, entry: Entry) -> BufferedReader:
    return BufferedReader(ContentFile(repo.store, entry.id, entry.size), _BUFFER)


def _silent(item: Item) -> bool:
    """Whether a row does not say what its file is like, or says it of another."""
    return item.likeness is None or item.entry is None or item.input_hash != item.entry.id.hex()


def _facts(items: Iterable[Item], alike: Mapping[tuple[bytes, str], str | None]) -> Facts:
    found: Facts = {}
    for item in items:
        for fact in _facts_of(item, alike):
            found.setdefault(fact, {})[item.name] = None
    return found


def _facts_of(item: Item, alike: Mapping[tuple[bytes, str], str | None]) -> Iterator[Fact]:
    if item.record_id is not None:
        yield Fact(0, "the same record", item.record_id)
    if item.input_hash is not None:
        yield Fact(1, "the same bytes", item.input_hash)
    if item.entry is not None:
        yield Fact(1, "the same bytes", item.entry.id.hex())
        if (seen := alike.get((item.entry.id, item.kind))) is not None:
            yield Fact(2, f"the same {seen.partition(':')[0]}", seen)
    if item.likeness is not None:
        yield Fact(2, f"the same {item.likeness.partition(':')[0]}", item.likeness)
    if item.group_key is not None:
        yield Fact(3, f"the same group {item.group_key}", item.group_key)
