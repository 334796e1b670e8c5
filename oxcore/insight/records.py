"""The records and events that lie below a folder of a version, as two tables.

Shards are Parquet files that are written once (docs/design/008-capture.md). They are read as one
table each, a few columns of them; a column that a shard lacks is null. Arrow is loaded where it is
needed: an engine reads shards without it.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from oxcore.insight.held import Held, InMemory, Listed, listed, open_shard
from oxcore.insight.shapes import ALL, EVENTS, RECORDS, Shape, arrow_schema, sql_type
from oxcore.model.entries import Entry, show_path
from oxcore.repo import Repository
from oxcore.tables.reading import Facts, Piece, some
from oxcore.tables.source import Source

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow import parquet

Row = dict[str, Any]
_SHARDS = 4096  # that an engine opens by itself; more are handed to it one by one
_ROWS = 1 << 16  # of a batch
_KEY: Shape = {"record_id": RECORDS["record_id"]}
_KEPT = ("record_id", "ts_start")  # that each record has
_LAST = chr(0x10FFFF)  # no id lies behind it


class _Footer(NamedTuple):
    """What the end of a shard says: ``rows``, and the ``ids`` that it may have, from the least to
    the greatest of each row group."""

    rows: int
    ids: list[tuple[str, str]]


class Shards:
    """Many Parquet files as one table of the given shape: a ``tables.reading.Reader``, and
    ``Gathered``.

    ``types``: what SQL calls the types of the columns."""

    def __init__(
        self,
        sources: Sequence[Source],
        shape: Shape,
        footers: dict[int, _Footer] | None = None,
    ) -> None:
        self.shape = shape
        self.types = {name: sql_type(kind) for name, kind in shape.items()}
        self._sources = sources
        self._footers = {} if footers is None else footers  # those that were read, by place

    @property
    def schema(self) -> pa.Schema:
        """The columns for Arrow."""
        return arrow_schema(self.shape)

    def only(self, names: Container[str]) -> Shards:
        """The same with some columns only."""
        kept = {name: kind for name, kind in self.shape.items() if name in names}
        return Shards(self._sources, kept, self._footers)

    def whole(self) -> Shards:
        """The same records with all their columns."""
        return Shards(self._sources, ALL, self._footers)

    def having(self, ids: Sequence[str]) -> set[str]:
        """Which of these records are there, by their ids alone."""
        import pyarrow as pa
        import pyarrow.compute as pc

        wanted, names = pa.array(ids, pa.string()), arrow_schema(_KEY)
        found: set[str] = set()
        for source in self._with(ids):
            column = _read(source, names).column(0)
            found.update(column.filter(pc.is_in(column, wanted)).to_pylist())
        return found

    def rows_of(self, record: str) -> list[Row]:
        """All rows of a record, as of its events."""
        import pyarrow.compute as pc

        rows: list[Row] = []
        for source in self._with([record]):
            table = _read(source, self.schema)
            rows += table.filter(pc.equal(table.column("record_id"), record)).to_pylist()
        return rows

    def find(self, ids: Sequence[str], names: Container[str] = RECORDS) -> dict[str, Row]:
        """Columns of a few records, by id; reads only the shards that have them."""
        import pyarrow as pa
        import pyarrow.compute as pc

        wanted, key = pa.array(ids, pa.string()), arrow_schema(_KEY)
        whole = arrow_schema(
            {name: kind for name, kind in self.shape.items() if name in names or name in _KEY}
        )
        found: dict[str, Row] = {}
        for source in self._with(ids):
            if pc.any(pc.is_in(_read(source, key).column(0), wanted)).as_py():
                table = _read(source, whole)
                for row in table.filter(pc.is_in(table.column("record_id"), wanted)).to_pylist():
                    found.setdefault(row["record_id"], row)
        return found

    def files(self) -> Sequence[Source] | None:
        """All shards, for an engine that reads Parquet by itself; None where they are too many."""
        return self._sources if len(self._sources) <= _SHARDS else None

    def _with(self, ids: Sequence[str]) -> Iterator[Source]:
        """The shards that may have some of these records: ids grow with time, so most do not."""
        for place, source in enumerate(self._sources if ids else ()):
            if any(low <= name <= high for low, high in self._footer(place).ids for name in ids):
                yield source

    def _footer(self, place: int) -> _Footer:
        if place not in self._footers:
            with _opened(self._sources[place]) as shard:
                self._footers[place] = _footer(shard)
        return self._footers[place]

    def check(self) -> None:
        """Read all of it, for an error that names the shard that is damaged."""
        schema = self.schema
        for source in self._sources:
            table = _read(source, schema)
            for name in _KEPT:
                if name in schema.names and table.column(name).null_count:
                    raise source.broken(f"not a shard of records: one is without {name}")

    def facts(self) -> Facts:
        """Rows, by the footers; nulls are not counted."""
        rows = sum(self._footer(place).rows for place in range(len(self._sources)))
        return Facts(rows, (0,) * len(self.shape))

    def pieces(self, columns: Sequence[int] | None = None) -> Iterator[Piece]:
        """A piece for each shard, read when it comes up."""
        schema = some(self.schema, columns)
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
    return opened(repo, listed(repo, root, folder))


def opened(repo: Repository, shards: Listed, held: Held | None = None) -> Captured:
    """Shards as tables; ``held``: where their bytes are, if they are."""
    records, events = ([_source(repo, *one, held) for one in each] for each in shards)
    return Captured(Shards(records, RECORDS), Shards(events, EVENTS))


def _source(repo: Repository, path: bytes, entry: Entry, held: Held | None) -> Source:
    name = show_path(path)
    if held is None:
        return Source(name, entry.size, partial(open_shard, repo, entry), entry.id)
    opener, place = partial(held.open, entry), partial(held.place, entry)
    return Source(name, entry.size, opener, entry.id, place=place)


def _read(source: Source, schema: pa.Schema) -> pa.Table:
    """The columns of a shard that there are, the others null, with the types of ``schema``."""
    import pyarrow as pa

    with _opened(source) as shard:
        there = [name for name in schema.names if name in shard.schema_arrow.names]
        table = shard.read(columns=there)
        source.counters.add_rows(len(table))
        columns = [
            table.column(field.name).cast(field.type)
            if field.name in there
            else pa.nulls(len(table), field.type)
            for field in schema
        ]
    return pa.Table.from_arrays(columns, schema=schema)


def _batches(table: pa.Table) -> Iterator[pa.RecordBatch]:
    yield from table.to_batches(max_chunksize=_ROWS)


def _footer(shard: parquet.ParquetFile) -> _Footer:
    return _Footer(shard.metadata.num_rows, list(_ids(shard)))


def _ids(shard: parquet.ParquetFile) -> Iterator[tuple[str, str]]:
    named = shard.schema_arrow.names[:1] == ["record_id"]
    for at in range(shard.num_row_groups):
        known = shard.metadata.row_group(at).column(0).statistics if named else None
        yield ("", _LAST) if known is None or not known.has_min_max else (known.min, known.max)


@contextmanager
def _opened(source: Source) -> Iterator[parquet.ParquetFile]:
    import pyarrow as pa
    from pyarrow import parquet

    with _damage(source), source.open() as file:
        data = file.data if isinstance(file, InMemory) else None
        yield parquet.ParquetFile(
            pa.PythonFile(file, "r") if data is None else pa.BufferReader(data)
        )


@contextmanager
def _damage(source: Source) -> Iterator[None]:
    from oxcore.tables.damage import DAMAGE

    try:
        yield
    except DAMAGE as error:
        raise source.broken(f"not a shard of records: {error}".strip()) from error
