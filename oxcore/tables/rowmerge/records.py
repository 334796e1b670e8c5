"""The values of JSON records as text, byte for byte as the file has them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import chain

from oxcore.tables.rewrite.jsonarray import Tape
from oxcore.tables.rewrite.jsonlines import JsonLines
from oxcore.tables.rewrite.objects import parted
from oxcore.tables.rewrite.packing import text_of
from oxcore.tables.rewrite.rows import read_blocks
from oxcore.tables.table import Table


def members(
    table: Table, rows: Sequence[int], columns: Collection[str]
) -> Iterator[dict[str, str]]:
    """For each of the ``rows``, which ascend: name -> text of those ``columns`` that it has."""
    if not rows:
        return
    wanted = iter(rows)
    row = next(wanted, None)
    for number, text in enumerate(_texts(table)):
        if number == row:
            found = parted(text)
            yield {one.name: one.text for one in found if one.name in columns}
            row = next(wanted, None)
            if row is None:
                return


def _texts(table: Table) -> Iterator[str]:
    """All records, each from bracket to bracket."""
    source = table.source
    with text_of(source, table.compression) as (file, _):
        blocks = read_blocks(source, file)
        if table.format == "json":
            tape = Tape(source, blocks)
            tape.blank()
            tape.take()
            yield from (one.text for one in tape.elements())
            return
        grammar = JsonLines()
        lines = chain.from_iterable(map(grammar.lines, grammar.blocks(source, file)))
        yield from (line.decode().strip() for line in lines if not grammar.is_blank(line))
