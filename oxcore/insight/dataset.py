"""A dataset of promoted records: a table for training, one for the test, and the inputs.

data/split.json          the share of the test (``split``)
data/train.parquet       a row a record, by id: ``SCHEMA``
data/test.parquet
data/media/ab/abcd.png   inputs by the BLAKE3 of their bytes
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import pyarrow as pa
from pyarrow import parquet

from oxcore import tree
from oxcore.errors import InvalidError
from oxcore.insight import split
from oxcore.model.entries import show_path
from oxcore.repo import Repository
from oxcore.store import content

SPLITS = ("train", "test")
SCHEMA = pa.schema(
    [
        pa.field(name, pa.string(), nullable=name not in {"record_id", "path", "label", "split"})
        for name in (
            "record_id",
            "path",
            "mime",
            "label",
            "value",
            "label_source",
            "output",
            "prediction",
            "group_key",
            "split",
            "input_hash",
            "likeness",
            "source_folder",
            "source_commit",
        )
    ]
)
"""``path`` of the input, from the folder of the table; ``label`` as text, ``value`` as JSON;
``output`` of the model, JSON, and its ``prediction`` as text; ``likeness``: see ``alike``;
where the record came from."""

Row = dict[str, Any]


class Dataset(NamedTuple):
    """What a folder of a version holds: ``share`` (None: it is no dataset yet), and the rows of
    ``train`` and ``test`` by record id; columns that a person added (``more``)."""

    share: float | None
    rows: dict[str, dict[str, Row]]
    more: dict[str, list[pa.Field]]


class Leak(NamedTuple):
    """A record for training and one of the test that have something in common."""

    what: str
    train: str
    test: str

    def __str__(self) -> str:
        if self.train == self.test:
            return f"{self.train} would be in both"
        return f"{self.train} (train) and {self.test} (test): {self.what}"


def load(repo: Repository, root: bytes, folder: bytes) -> Dataset:
    """The dataset of a tree; ``InvalidError`` names the file that cannot be read."""
    found = file_at(repo, root, folder, split.NAME)
    share = None if found is None else split.parse(found, join(folder, split.NAME))
    tables = {name: _table(repo, root, folder, name) for name in SPLITS}
    more = {
        name: [field for field in table.schema if field.name not in SCHEMA.names]
        for name, table in tables.items()
    }
    rows = {
        name: {row["record_id"]: row for row in one.to_pylist()} for name, one in tables.items()
    }
    return Dataset(share, rows, more)


def table_path(folder: bytes, name: str) -> bytes:
    """The table of a split."""
    return join(folder, f"{name}.parquet".encode())


def join(folder: bytes, name: bytes) -> bytes:
    """A path below a folder, which may be the top."""
    return folder + b"/" + name if folder else name


def dump(rows: Mapping[str, Row], more: Sequence[pa.Field] = ()) -> bytes:
    """The table of these rows: the same bytes for the same rows."""
    out = io.BytesIO()
    listed = [rows[record] for record in sorted(rows)]
    parquet.write_table(
        pa.Table.from_pylist(listed, pa.schema([*SCHEMA, *more])), out, compression="zstd"
    )
    return out.getvalue()


def leaks(rows: Mapping[str, Mapping[str, Row]]) -> list[Leak]:
    """What ``train`` and ``test`` share: records, inputs, likenesses, groups; by record."""
    return sorted({(one.train, one.test): one for one in _leaks(rows)}.values())


def _leaks(rows: Mapping[str, Mapping[str, Row]]) -> Iterator[Leak]:
    for what, column in reversed(_SHARED):
        test = _by(rows["test"].values(), column)
        for row in rows["train"].values():
            if row[column] is not None and row[column] in test:
                yield Leak(_told(what, row), row["record_id"], test[row[column]])


_SHARED = (
    ("the same record", "record_id"),
    ("the same bytes", "input_hash"),
    ("the same", "likeness"),
    ("the same group", "group_key"),
)


def _told(what: str, row: Row) -> str:
    if what == "the same":
        return f"the same {row['likeness'].partition(':')[0]}"
    return f"{what} {row['group_key']}" if what == "the same group" else what


def _by(rows: Iterable[Row], column: str) -> dict[str, str]:
    """Value -> the first record that has it."""
    found: dict[str, str] = {}
    for row in rows:
        if row[column] is not None:
            found.setdefault(row[column], row["record_id"])
    return found


def _table(repo: Repository, root: bytes, folder: bytes, name: str) -> pa.Table:
    """The table of a split; ``InvalidError`` for one that is none, or was edited out of shape."""
    path = table_path(folder, name)
    data = file_at(repo, root, folder, path.rpartition(b"/")[2])
    if data is None:
        return SCHEMA.empty_table()
    try:
        table = parquet.read_table(io.BytesIO(data))
        own = [table.column(field.name).cast(field.type) for field in SCHEMA]
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        why = str(error).partition("\n")[0]
        raise InvalidError(f"{show_path(path)} is no table of promoted records: {why}") from None
    _check(table, name, show_path(path))
    more = [field for field in table.schema if field.name not in SCHEMA.names]
    arrays = own + [table.column(field.name) for field in more]
    return pa.Table.from_arrays(arrays, schema=pa.schema([*SCHEMA, *more]))


def _check(table: pa.Table, name: str, path: str) -> None:
    seen: set[str] = set()
    for at, (record, side) in enumerate(
        zip(*(table.column(one).to_pylist() for one in ("record_id", "split")), strict=True), 1
    ):
        if record in seen:
            raise InvalidError(f"{path}, row {at}: record_id: {record} stands there twice")
        if side != name:
            raise InvalidError(f"{path}, row {at}: split: {side!r}, and must be {name}")
        seen.add(record)
    for field in SCHEMA:
        column = table.column(field.name)
        if not field.nullable and column.null_count:
            row = column.is_null().to_pylist().index(True) + 1
            raise InvalidError(f"{path}, row {row}: {field.name}: missing")


def file_at(repo: Repository, root: bytes, folder: bytes, name: bytes) -> bytes | None:
    """The bytes of the file ``name`` below a folder of a tree; None if it is not there."""
    entry = tree.get(repo.store, root, join(folder, name))
    return None if entry is None else b"".join(content.read(repo.store, entry.id))
