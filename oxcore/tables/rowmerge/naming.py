"""How people name a cell: ``42.label``, or ``id=42,frame=3.label`` where the key has more columns.

A name that holds one of ``. = , "`` or begins or ends with a blank stands in quotes, as JSON text:
``"img.1.jpg".label``. Without quotes it is understood too, as long as it fits one open cell only.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from oxcore.tables.rowmerge.conflict import CellConflict
from oxcore.tables.values import text

_SPECIAL = frozenset('.=,"')


def key_name(key: Mapping[str, object], quote: bool | None = None) -> str:
    """The name of a row. ``quote``: True puts all parts in quotes, False none, None as needed."""
    values = [_part(text(value), quote) for value in key.values()]
    if len(values) == 1:
        return values[0]
    names = [_part(name, quote) for name in key]
    return ",".join(f"{name}={value}" for name, value in zip(names, values, strict=True))


def key_cell(key: Mapping[str, object]) -> str:
    """The name of a row where it stands alone, as in a cell of a table: one value as it is."""
    return key_name(key, None if len(key) > 1 else False)


def key_spellings(key: Mapping[str, object]) -> Iterator[str]:
    """All ways in which a row may be named."""
    yield from dict.fromkeys(key_name(key, quote) for quote in (None, False, True))


def cell_name(conflict: CellConflict, quote: bool | None = None) -> str:
    """The name of a cell, or of a row or a column."""
    parts = [key_name(conflict.key, quote)] if conflict.key else []
    if conflict.column is not None:
        parts.append(_part(conflict.column, quote))
    return ".".join(parts)


def spellings(conflict: CellConflict) -> Iterator[str]:
    """All ways in which the name may be written."""
    yield from dict.fromkeys(cell_name(conflict, quote) for quote in (None, False, True))


def _part(name: str, quote: bool | None) -> str:
    special = not _SPECIAL.isdisjoint(name) or name != name.strip() or not name
    return json.dumps(name, ensure_ascii=False) if (special if quote is None else quote) else name
