"""Decisions as people give them, matched with the cells that are open.

``42.label=cat`` as a text; or key, column and value apart. What is decided of a whole row or column
is ``ours`` or ``theirs``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from oxcore.errors import InvalidError, NotFoundError, UsageError
from oxcore.tables.rowmerge.conflict import CellConflict
from oxcore.tables.rowmerge.naming import cell_name, key_spellings, spellings
from oxcore.tables.rowmerge.settle import Decision
from oxcore.tables.table import Table
from oxcore.tables.values import text, texts

_SHOWN = 5
_COLUMNS = ("key", "column", "value")


class Given(NamedTuple):
    """A cell, and its value: of several key columns the ``key`` is ``id=42,frame=3``, or the
    values in their order, or by column; ``column`` None stands for the whole row."""

    key: object
    column: str | None
    value: object


class Decisions:
    """What was given, to be matched with the open conflicts."""

    def __init__(self, given: Iterable[Given | str]) -> None:
        self._names: list[str] = []
        self._texts: dict[str, list[tuple[int, object]]] = {}
        self._pairs: dict[tuple[object, str | None], tuple[int, object]] = {}
        for number, one in enumerate(given):
            if isinstance(one, str):
                self._text(number, one)
            else:
                self._pair(number, one)

    def match(self, conflicts: Iterable[CellConflict]) -> dict[int, Decision]:
        """Number of a conflict -> what was decided.

        ``NotFoundError`` for what fits none, ``UsageError`` for what fits several.
        """
        found: dict[int, Decision] = {}
        fits: dict[int, list[str]] = {}
        for place, conflict in enumerate(conflicts):
            for number, value in self._of(conflict):
                found[place] = _decision(conflict, value)
                fits.setdefault(number, []).append(cell_name(conflict))
        missing = [name for number, name in enumerate(self._names) if number not in fits]
        if missing:
            raise NotFoundError(
                "no such cell is open", items=missing[:_SHOWN], hint="ox conflicts lists what is"
            )
        for number, names in fits.items():
            if len(names) > 1:
                name = self._names[number]
                hint = "put the parts of its name in quotes, as shown here"
                raise UsageError(f"{name} fits several open cells", items=names[:_SHOWN], hint=hint)
        return found

    def _text(self, number: int, given: str) -> None:
        self._names.append(given)
        at = given.find("=")
        if at < 0:
            raise UsageError(f"{given!r} gives no value", hint="KEY.COLUMN=VALUE: 42.label=cat")
        while at >= 0:
            self._texts.setdefault(given[:at], []).append((number, given[at + 1 :]))
            at = given.find("=", at + 1)

    def _pair(self, number: int, given: Given) -> None:
        key = given.key
        if isinstance(key, Mapping):
            key = tuple(map(_said, key.values()))
        elif isinstance(key, Sequence) and not isinstance(key, str):
            key = tuple(map(_said, key))
        else:
            key = _said(key)
        self._names.append(f"{key}, {given.column}")
        self._pairs[key, given.column] = number, given.value

    def _of(self, conflict: CellConflict) -> Iterator[tuple[int, object]]:
        if self._texts:
            for name in spellings(conflict):
                yield from self._texts.get(name, ())
        if self._pairs and conflict.key:
            values = tuple(map(_said, conflict.key.values()))
            for key in (*key_spellings(conflict.key), values):
                found = self._pairs.get((key, conflict.column))
                if found is not None:
                    yield found
                    return


def given_by(table: Table, file: str) -> Iterator[Given]:
    """The decisions that a table has in its columns ``key``, ``column`` and ``value``.

    Rows without a value decide nothing; where there is a column ``file``, only those of ``file``
    count. ``InvalidError`` for a table without these columns.
    """
    names = table.schema.names
    lacking = [name for name in _COLUMNS if name not in names]
    if lacking:
        raise InvalidError(
            f"{table.name} has no column {lacking[0]!r}", hint="columns: key, column, value"
        )
    asked = (*_COLUMNS, "file") if "file" in names else _COLUMNS
    places = [names.index(name) for name in asked]
    for piece in table.reader.pieces(places):
        for batch in piece.load():
            for key, column, value, *rest in zip(*map(texts, batch.columns), strict=True):
                if value is not None and (not rest or rest[0] == file):
                    yield Given(key or "", column, value)


def _said(value: object) -> str:
    return value if isinstance(value, str) else text(value)


def _decision(conflict: CellConflict, value: object) -> Decision:
    if conflict.kind in {"cell", "added"}:
        return Decision("value", value)
    if value not in {"ours", "theirs"}:
        what = "row" if conflict.column is None else "column"
        raise UsageError(
            f"{cell_name(conflict)} is a whole {what}: say ours or theirs, not {_said(value)!r}"
        )
    return Decision(str(value))
