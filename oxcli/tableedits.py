"""The words of ``ox df edit`` as a wish."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, TypedDict

from oxcore.errors import InvalidError, NotFoundError, UsageError

if TYPE_CHECKING:
    import pyarrow as pa

    from oxcore.tables import Table
    from oxcore.tables.rewrite.wishes import Wish
    from oxcore.verbs.tabular.edit import Edited


class EditOptions(TypedDict):
    """The options of ``ox df edit``."""

    add: tuple[str, ...]
    rename: tuple[str, ...]
    drop: tuple[str, ...]
    sets: tuple[str, ...]
    nulls: tuple[str, ...]
    sql: tuple[str, ...]
    where: str
    rows: tuple[int, ...]
    keys: tuple[str, ...]
    delete: bool
    append: tuple[str, ...]
    other: str | None
    by: str
    output: str | None
    force: bool
    dry_run: bool
    as_json: bool


def wish_of(options: EditOptions, table: Table, other: Table | None) -> Wish:
    """What the options ask of ``table``; raises ``UsageError`` for one that makes no sense."""
    from oxcore.tables.rewrite.wishes import Wish
    from oxcore.tables.rowkeys import names_of, parse_key

    old = names_of(table)
    rename = dict(_pair("--rename-column", text, old) for text in options["rename"])
    add = [_column(text) for text in options["add"]]
    names = [*old, *rename.values(), *(name for name, _, _ in add)]
    sets: dict[str, object] = dict(_pair("--set", text, names) for text in options["sets"])
    sets |= dict.fromkeys(options["nulls"])
    return Wish(
        add=add,
        rename=rename,
        drop=options["drop"],
        set=sets,
        sql=dict(_pair("--set-sql", text, names) for text in options["sql"]),
        where=options["where"],
        rows=[row - 1 for row in options["rows"]],
        keys=[parse_key(text, old) for text in options["keys"]],
        delete=options["delete"],
        append=[row for text in options["append"] for row in _records(text)],
        other=other,
        by=_listed(options["by"], old),
    )


def _listed(text: str, names: Sequence[str]) -> list[str]:
    return [text] if text in names else [name for name in text.split(",") if name]


def _pair(option: str, text: str, names: Sequence[str]) -> tuple[str, str]:
    """``COLUMN=VALUE``, where a column may have the sign in its name."""
    at = text.find("=")
    if at < 0:
        raise UsageError(f"{option} {text}: a column, = and what it becomes")
    first = at
    while at >= 0:
        if text[:at] in names:
            return text[:at], text[at + 1 :]
        at = text.find("=", at + 1)
    return text[:first], text[first + 1 :]


def _column(text: str) -> tuple[str, pa.DataType | None, object]:
    """``NAME[:TYPE][=VALUE]``; without a type, that of the value."""
    import pyarrow as pa

    from oxcore.tables.rewrite.fitting import inferred, read_value
    from oxcore.tables.typenames import parse_type

    head, given, value = text.partition("=")
    name, mark, type_name = head.rpartition(":")
    if not mark:
        return (head, *inferred(value)) if given else (head, pa.string(), None)
    try:
        type_ = parse_type(type_name)
    except InvalidError as error:
        raise UsageError(f"--add-column {text}: {error.message}", hint=error.hint) from None
    return name, type_, read_value(value, type_) if given else None


def _records(text: str) -> Iterator[dict[str, object]]:
    """Records of JSON: one, a list of them, or one a line; ``@FILE`` and ``-`` have them."""
    try:
        yield from _checked(_values(_read(text)))
    except (json.JSONDecodeError, RecursionError) as error:
        hint = """as in --append '{"id": 1, "label": "cat"}'"""
        raise UsageError(f"--append: not JSON: {error}", hint=hint) from None


def _read(text: str) -> str:
    if text == "-":
        return sys.stdin.read()
    if not text.startswith("@"):
        return text
    if not os.path.isfile(text[1:]):
        raise NotFoundError(f"{text[1:]} is not a file")
    with open(text[1:], encoding="utf-8-sig") as file:
        return file.read()


def _values(text: str) -> list[object]:
    decoder, at, found = json.JSONDecoder(), 0, list[object]()
    text = text.strip()
    while at < len(text):
        value, at = decoder.raw_decode(text, at)
        found += value if isinstance(value, list) else [value]
        at += len(text[at:]) - len(text[at:].lstrip())
    return found


def _checked(values: Iterable[object]) -> Iterator[dict[str, object]]:
    for value in values:
        if not isinstance(value, dict):
            raise UsageError(f"--append: {json.dumps(value)[:40]} is no record", hint="{...}")
        yield value


def told(name: str, edited: Edited, *, dry_run: bool) -> str:
    """What was done, on one line."""
    from oxcli.render.text import plural

    parts = [
        f"{plural(count, 'row')} {what}"
        for count, what in (
            (edited.set, "set"),
            (edited.added, "added"),
            (edited.deleted, "deleted"),
        )
        if count
    ]
    columns = [
        *(f"{column} added" for column in edited.columns_added),
        *(f"{old} is now {new}" for old, new in edited.columns_renamed.items()),
        *(f"{column} dropped" for column in edited.columns_dropped),
    ]
    done = "; ".join(filter(None, [", ".join(parts), ", ".join(columns)])) or "nothing to change"
    would = " (nothing was written)" if dry_run else ""
    return f"{name}: {done}; {plural(edited.rows, 'row')}{would}"
