"""A key where nobody named one."""

from __future__ import annotations

import pyarrow as pa
from pyarrow import types

from oxcore.tables.engine import engine, quoted
from oxcore.tables.table import Table


def common_key(base: Table, ours: Table, theirs: Table) -> tuple[str, ...]:
    """The first column of integers or texts that all three have and whose values, none of them
    null, are all different in each; () where there is none."""
    left = [name for name in base.schema.names if all(map(_may, _fields(name, base, ours, theirs)))]
    for table in (base, ours, theirs):
        if left:
            left = _unique(table, left)
    return tuple(left[:1])


def _fields(name: str, *tables: Table) -> list[pa.Field | None]:
    schemas = [table.schema for table in tables]
    return [None if name not in one.names else one.field(name) for one in schemas]


def _may(field: pa.Field | None) -> bool:
    """Whether a column of that type may be a key: what is measured or counted in time is none."""
    if field is None:
        return False
    type_ = field.type
    tests = (types.is_integer, types.is_string, types.is_large_string)
    return any(test(type_) for test in tests)


def _unique(table: Table, columns: list[str]) -> list[str]:
    """Those of the columns that tell the rows apart."""
    facts, schema = table.facts, table.schema
    whole = [name for name in columns if not facts.nulls[schema.get_field_index(name)]]
    for name in whole:
        with engine({"t": table.reader}) as sql:
            called = quoted(sql.names["t"][schema.get_field_index(name)])
            if sql.rows(f"SELECT count(DISTINCT {called}) FROM t")[0][0] == facts.rows:
                return [name, *whole[whole.index(name) + 1 :]]
    return []
