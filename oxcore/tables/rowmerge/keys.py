"""A key where nobody named one."""

from __future__ import annotations

from pyarrow import types

from oxcore.tables.engine import engine, quoted
from oxcore.tables.rowdiff.columns import pairs_of
from oxcore.tables.rowdiff.keys import candidates
from oxcore.tables.table import Table

_KINDS = (types.is_integer, types.is_string, types.is_large_string)


def common_key(base: Table, ours: Table, theirs: Table) -> tuple[str, ...]:
    """A column of integers or texts that all three have and whose values, none of them null, are
    all different in each: the first that is called as keys are, else the first; () if none is."""
    pairs = pairs_of(base.schema, ours.schema)
    for at in candidates((base.reader, ours.reader), pairs):
        name = pairs[at].new
        if all(_is_key(table, name) for table in (theirs, base, ours)):
            return (name,)
    return ()


def _is_key(table: Table, name: str) -> bool:
    """Whether a column may be a key (what is measured is none), and tells the rows apart."""
    at, facts = table.schema.get_field_index(name), table.facts
    if at < 0 or facts.nulls[at] or not any(test(table.schema.types[at]) for test in _KINDS):
        return False
    with engine({"t": table.reader}) as sql:
        called = quoted(sql.names["t"][at])
        return bool(sql.rows(f"SELECT count(DISTINCT {called}) FROM t")[0][0] == facts.rows)
