"""A query over several files of several versions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack

from oxcore.errors import InvalidError
from oxcore.tables.asking import Part
from oxcore.tables.engine import engine
from oxcore.tables.pick import Picked, picked_by
from oxcore.tables.reading import Reader, distinct_names
from oxcore.tables.references import Reference, references, replaced
from oxcore.tables.table import Table

MOST = 1000  # files of a query

Find = Callable[[Reference], Mapping[str, Table] | Table]


def ask(text: str, find: Find, part: Part | None = None) -> Picked:
    """What a query gives; close it.

    ``find`` gives the table of a file that it names, or of a pattern all tables by path: their rows
    together, columns by name, with a column ``file`` that says whose each row is.
    """
    known: dict[str, Reference] = {}
    for reference in references(text):
        known.setdefault(reference.name, reference)
    called = dict(zip(known, distinct_names(list(known), fold=True), strict=True))
    readers: dict[str, Reader] = {}
    unions: dict[str, dict[str, str]] = {}
    for name, reference in known.items():
        found = find(reference)
        if isinstance(found, Table):
            readers[called[name]] = found.reader
            continue
        if len(readers) + len(found) > MOST:
            raise InvalidError(
                f"a query may read {MOST:,} files, and {name!r} names {len(found):,}"
            )
        parts = {path: f"ox {called[name]} {number}" for number, path in enumerate(found)}
        readers |= {parts[path]: table.reader for path, table in found.items()}
        unions[called[name]] = parts
    own = replaced(text, {one: called[one.name] for one in references(text)})
    with ExitStack() as stack, _as_written(own, text):
        sql = stack.enter_context(engine(readers))
        for name, parts in unions.items():
            sql.unite(name, parts)
        picked = picked_by(sql, own, part or Part())
        picked.holds.push(stack.pop_all())
        return picked


class _as_written:  # noqa: N801 -- reads as a function
    """Shows in messages the lines that the user wrote, not those that the engine got."""

    def __init__(self, own: str, text: str) -> None:
        lines = zip(own.split("\n"), text.split("\n"), strict=False)
        self._lines = [(own, text) for own, text in lines if own != text]

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, InvalidError):
            message = error.message
            for own, text in self._lines:
                message = message.replace(own, text)
            if message != error.message:
                raise InvalidError(message, hint=error.hint) from None
