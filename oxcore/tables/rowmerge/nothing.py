"""What two versions of a table came from that both sides added: no row, of the columns of both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

from oxcore.tables.reading import Facts, Piece, Reader


class Nothing:
    """A reader of no rows."""

    def __init__(self, schema: pa.Schema) -> None:
        self.schema = schema

    def facts(self) -> Facts:
        """None of any."""
        return Facts(0, (0,) * len(self.schema))

    def pieces(self, columns: Sequence[int] | None = None) -> Iterator[Piece]:
        """No rows."""
        return iter(())

    def typed(self, batch: pa.RecordBatch, columns: Sequence[int] | None = None) -> pa.RecordBatch:
        """The rows as they are."""
        return batch


def before(ours: Reader, theirs: Reader) -> Nothing:
    """Of the columns that both have by one name, as ours has them."""
    names = set(theirs.schema.names)
    return Nothing(pa.schema([field for field in ours.schema if field.name in names]))
