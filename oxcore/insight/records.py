"""The records and events that lie below a folder of a version, as two tables.

Shards are Parquet files that are written once (docs/design/008-capture.md). They are read as one
table each, a few columns of them; a column that a shard lacks is null.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from io import BufferedReader, BytesIO
from typing import Any, BinaryIO, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from oxcore import tree
from oxcore.errors import NotFoundError
from oxcore.model.entries import Entry, Mode, show_path
from oxcore.repo import Repository
from oxcore.store import ContentFile
from oxcore.tables import Facts, Source
from oxcore.tables.reading import DAMAGE, Piece

_TIME = pa.timestamp("us", "UTC")
_TEXT = pa.string()
RECORDS = pa.schema(
    [
        ("record_id", _TEXT),
        ("writer_id", _TEXT),
        ("seq", pa.int64()),
        ("ts_start", _TIME),
        ("latency_ms", pa.float64()),
        ("status", _TEXT),
        ("error", _TEXT),
        ("model", pa.struct([("name", _TEXT), ("version", _TEXT), ("weights_hash", _TEXT)])),
        (
            "input",
            pa.struct([("hash", _TEXT), ("mime", _TEXT), ("size", pa.int64()), ("path", _TEXT)]),
        ),
        ("params", _TEXT),
        ("output", _TEXT),
        ("confidence", pa.float64()),
        ("session_id", _TEXT),
        ("group_key", _TEXT),
        ("tags", pa.list_(_TEXT)),
        ("sample_rate", pa.float64()),
        ("origin", _TEXT),
    ]
)
"""The columns of records that figures are made of."""
ALL = pa.schema(
    [
        *RECORDS,
        ("scores", pa.map_(_TEXT, pa.float64())),
        ("redactions", pa.list_(_TEXT)),
        ("licence", _TEXT),
        ("schema_version", pa.int64()),
    ]
)
"""All columns of records."""
EVENTS = pa.schema(
    [
        ("event_id", _TEXT),
        ("record_id", _TEXT),
        ("ts", _TIME),
        ("kind", _TEXT),
        ("value", _TEXT),
        ("source", _TEXT),
        ("author", _TEXT),
        ("confidence", pa.float64()),
    ]
)
"""The columns of feedback."""
Row = dict[str, Any]
_SHARD = re.compile(rb"(?:^|/)dt=[0-9-]{10}/[^/]+\.parquet$")
_SHARDS = 4096  # that an engine opens by itself; more are handed to it one by one
_ROWS = 1 << 16  # of a batch
_BUFFER = 64 << 10  # bytes that an open shard reads ahead


class Shards:
    """Many Parquet files as one table of the given schema: a ``tables.reading.Reader``.

    ``alike``: whether each of them has all columns, as far as ``files`` has seen."""

    def __init__(self, sources: Sequence[Source], schema: pa.Schema) -> None:
        self.schema = schema
        self.alike = True
        self._sources = sources

    def only(self, names: Container[str]) -> Shards:
        """The same with some columns only."""
        kept = [field for field in self.schema if field.name in names]
        return Shards(self._sources, pa.schema(kept))

    def whole(self) -> Shards:
        """The same records with all their columns."""
        return Shards(self._sources, ALL)

    def having(self, ids: Sequence[str]) -> set[str]:
        """Which of these records are there, by their ids alone."""
        wanted = pa.array(ids, _TEXT)
        names = pa.schema([self.schema.field("record_id")])
        found: set[str] = set()
        for source in self._sources:
            if _within(source, ids):
                column = _read(source, names).column(0)
                found.update(column.filter(pc.is_in(column, wanted)).to_pylist())
        return found

    def rows_of(self, record: str) -> list[Row]:
        """All rows of a record, as of its events."""
        wanted = pa.scalar(record, _TEXT)
        rows: list[Row] = []
        for source in self._sources:
            if not _within(source, [record]):
                continue
            table = _read(source, self.schema)
            rows += table.filter(pc.equal(table.column("record_id"), wanted)).to_pylist()
        return rows

    def find(self, ids: Sequence[str], names: Container[str] = RECORDS.names) -> dict[str, Row]:
        """Columns of a few records, by id; reads only the shards that have them."""
        wanted = pa.array(ids, _TEXT)
        key = pa.schema([self.schema.field("record_id")])
        whole = pa.schema(
            [one for one in self.schema if one.name in names or one.name in key.names]
        )
        found: dict[str, Row] = {}
        for source in self._sources if ids else ():
            if not _within(source, ids):
                continue
            if pc.any(pc.is_in(_read(source, key).column(0), wanted)).as_py():
                table = _read(source, whole)
                for row in table.filter(pc.is_in(table.column("record_id"), wanted)).to_pylist():
                    found.setdefault(row["record_id"], row)
        return found

    def files(self) -> Sequence[Source]:
        """All shards, behind an empty one that has all columns, for an engine that reads Parquet by
        itself; none, where a shard holds a column as another type."""
        if len(self._sources) > _SHARDS or not all(map(self._plain, self._sources)):
            return ()
        out = BytesIO()
        parquet.write_table(self.schema.empty_table(), out)
        data = out.getvalue()
        return [Source("no record", len(data), partial(BytesIO, data)), *self._sources]

    def _plain(self, source: Source) -> bool:
        with _opened(source) as shard:
            source.counters.rows += shard.metadata.num_rows
            there = shard.schema_arrow
        names = {name.casefold() for name in there.names}
        types = {field.name: field.type for field in there}
        self.alike &= types.keys() >= set(self.schema.names)
        same = all(types.get(field.name, field.type) == field.type for field in self.schema)
        return same and len(names) == len(there.names)

    def check(self) -> None:
        """Read all of it, for an error that names the shard that is damaged."""
        for source in self._sources:
            _read(source, self.schema)

    def facts(self) -> Facts:
        """Rows, by the footers; nulls are not counted."""
        rows = 0
        for source in self._sources:
            with _opened(source) as shard:
                rows += shard.metadata.num_rows
        return Facts(rows, (0,) * len(self.schema))

    def pieces(self, columns: Sequence[int] | None = None) -> Iterator[Piece]:
        """A piece for each shard, read when it comes up."""
        chosen = range(len(self.schema)) if columns is None else columns
        schema = pa.schema([self.schema.field(index) for index in chosen])
        for source in self._sources:
            table = _read(source, schema)
            yield Piece(len(table), partial(_batches, table))

    def typed(self, batch: pa.RecordBatch, columns: Sequence[int] | None = None) -> pa.RecordBatch:
        """The rows as they are."""
        return batch


class Captured(NamedTuple):
    """What a folder of a version holds: its ``records`` and its ``events``."""

    records: Shards
    events: Shards


def captured(repo: Repository, root: bytes, folder: bytes) -> Captured:
    """The shards below ``folder`` in the tree ``root``; ``NotFoundError`` if there is none."""
    found: tuple[list[Source], list[Source]] = ([], [])
    for path, entry in tree.walk(repo.store, root, folder + b"/" if folder else b""):
        if _SHARD.search(path) and entry.mode != Mode.LINK:
            found[b"/feedback/" in b"/" + path].append(_source(repo, path, entry))
    if not any(found):
        name = show_path(folder) or "the dataset"
        raise NotFoundError(f"no record lies below {name}", hint="ox.save(...) makes them")
    return Captured(Shards(found[0], RECORDS), Shards(found[1], EVENTS))


def _source(repo: Repository, path: bytes, entry: Entry) -> Source:
    return Source(show_path(path), entry.size, partial(_open, repo, entry), entry.id)


def _open(repo: Repository, entry: Entry) -> BinaryIO:
    return BufferedReader(ContentFile(repo.store, entry.id, entry.size), _BUFFER)


def _read(source: Source, schema: pa.Schema) -> pa.Table:
    """The columns of a shard that there are, the others null, with the types of ``schema``."""
    with _opened(source) as shard:
        there = [name for name in schema.names if name in shard.schema_arrow.names]
        table = shard.read(columns=there)
        source.counters.rows += len(table)
        columns = [
            table.column(field.name).cast(field.type)
            if field.name in there
            else pa.nulls(len(table), field.type)
            for field in schema
        ]
    return pa.Table.from_arrays(columns, schema=schema)


def _batches(table: pa.Table) -> Iterator[pa.RecordBatch]:
    yield from table.to_batches(max_chunksize=_ROWS)


def _within(source: Source, ids: Sequence[str]) -> bool:
    """Whether a shard may have one of these records: ids grow with time, so most do not."""
    with _opened(source) as shard:
        names = shard.schema_arrow.names
        if names[:1] != ["record_id"]:
            return True
        groups = [shard.metadata.row_group(at) for at in range(shard.num_row_groups)]
        known = [group.column(0).statistics for group in groups]
        return any(
            one is None or not one.has_min_max or any(one.min <= name <= one.max for name in ids)
            for one in known
        )


@contextmanager
def _opened(source: Source) -> Iterator[parquet.ParquetFile]:
    with _damage(source), source.open() as file:
        yield parquet.ParquetFile(pa.PythonFile(file, "r"))


@contextmanager
def _damage(source: Source) -> Iterator[None]:
    try:
        yield
    except DAMAGE as error:
        raise source.broken(f"not a shard of records: {error}".strip()) from error
