"""``schema``: what people hold of a table, kept in the tree as a file of its own."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pyarrow as pa

from oxcore import tree
from oxcore.errors import InvalidError, NotFoundError
from oxcore.model.entries import Entry, show_path
from oxcore.repo import Repository
from oxcore.repo.schemafile import file_of, table_of
from oxcore.repo.select import Selection, is_glob
from oxcore.store import Batch
from oxcore.tables import Table
from oxcore.tables.asking import places_of
from oxcore.tables.schema import ColumnSchema, TableSchema, encode, merge
from oxcore.tables.typenames import parse_type
from oxcore.tree import Conflict
from oxcore.verbs.moving.place import names, place, stored
from oxcore.verbs.tabular.df import open_table
from oxcore.verbs.tabular.kept import Kept, parsed, read


@dataclass(frozen=True, slots=True)
class Amend:
    """What to change of a schema. ``key`` None leaves it; ``types``, ``holds`` and ``about`` (a
    description) by column, where an empty text takes it away; ``description`` of the table, None
    leaves it. ``infer``: the types of all columns, or of those in ``only``, as they are now;
    columns that are gone are forgotten."""

    key: Sequence[str] | None = None
    types: Mapping[str, str | pa.DataType] = field(default_factory=dict)
    holds: Mapping[str, str] = field(default_factory=dict)
    about: Mapping[str, str] = field(default_factory=dict)
    description: str | None = None
    infer: bool = False
    only: Sequence[str] = ()


def put(repo: Repository, path: bytes, schema: TableSchema) -> None:
    """Keep ``schema`` for the table at ``path``: written to its file, and staged.

    Raises ``NotFoundError`` for columns that the table does not have, ``UsageError`` in a bare
    repository; else as ``df.open_table``.
    """
    repo.tree_root()
    _check_table(path)
    table = open_table(repo, path)
    places_of([*schema.columns, *schema.key], table.schema.names)
    _write(repo, {path: encode(schema)})


def amend(repo: Repository, patterns: Sequence[bytes], changes: Amend) -> list[Kept]:
    """Change what is kept of the tables that ``patterns`` (paths, or globs over tracked files)
    name, and stage it. Raises as ``put``, and ``InvalidError`` for a type that there is not."""
    repo.tree_root()
    made = [_amended(repo, path, changes) for path in _chosen(repo, patterns)]
    _write(repo, {one.path: encode(one.schema) for one in made})
    return made


def remove(repo: Repository, path: bytes, columns: Sequence[str] = ()) -> None:
    """Forget the schema of the table at ``path``, or what it says of these columns; staged.

    ``NotFoundError`` if there is none.
    """
    repo.tree_root()
    old = read(repo, path)
    if old is None:
        name = show_path(path)
        raise NotFoundError(f"{name} has no schema", hint="ox schema lists those that have one")
    if not columns:
        _write(repo, {path: None})
        return
    places_of(columns, [*old.columns])
    left = {name: one for name, one in old.columns.items() if name not in columns}
    key = () if set(old.key) & set(columns) else old.key
    _write(repo, {path: encode(replace(old, columns=left, key=key))})


def _chosen(repo: Repository, patterns: Sequence[bytes]) -> list[bytes]:
    globs = [pattern for pattern in patterns if is_glob(pattern) and not _is_file(repo, pattern)]
    chosen = [pattern for pattern in patterns if pattern not in globs]
    selection = Selection(globs)
    for start in selection.roots() if globs else ():
        walked = tree.walk(repo.store, repo.stage(), prefix=start)
        chosen += [path for path, _ in walked if table_of(path) is None and path in selection]
    if globs and selection.unmatched():
        name = show_path(selection.unmatched()[0])
        raise NotFoundError(f"no tracked file fits {name!r}", hint="see what is there: ox ls -r")
    return list(dict.fromkeys(chosen))


def _is_file(repo: Repository, path: bytes) -> bool:
    return os.path.lexists(os.path.join(os.fsencode(repo.tree_root()), path))


def _check_table(path: bytes) -> None:
    if table_of(path) is not None:
        raise InvalidError(f"{show_path(path)} is a schema, not a table")


def _amended(repo: Repository, path: bytes, changes: Amend) -> Kept:
    _check_table(path)
    table = open_table(repo, path)
    names = table.schema.names
    old = read(repo, path) or TableSchema()
    columns, key = dict(old.columns), old.key
    named = (*changes.types, *changes.holds, *changes.about, *changes.only, *(changes.key or ()))
    places_of(named, names)
    if changes.infer:
        columns, key = _inferred(table, columns, changes.only), _left(key, names)
    types = {name: _type(one) for name, one in changes.types.items()}
    for name in dict.fromkeys((*types, *changes.holds, *changes.about)):
        known = columns.get(name, ColumnSchema())
        columns[name] = ColumnSchema(
            types.get(name, known.type),
            changes.holds.get(name, known.holds),
            changes.about.get(name, known.description),
        )
    key = key if changes.key is None else tuple(changes.key)
    text = old.description if changes.description is None else changes.description
    return Kept(path, TableSchema(columns, key, text))


def _left(key: tuple[str, ...], names: Sequence[str]) -> tuple[str, ...]:
    return key if set(key) <= set(names) else ()


def _type(one: str | pa.DataType) -> pa.DataType | None:
    if isinstance(one, str):
        return parse_type(one) if one else None
    return one


def _inferred(
    table: Table, columns: Mapping[str, ColumnSchema], only: Sequence[str]
) -> dict[str, ColumnSchema]:
    """The columns with the types that they have now."""
    there = {column.name: column.type for column in table.schema}
    made = {name: one for name, one in columns.items() if name in there}
    for name, type_ in there.items():
        if not only or name in only:
            made[name] = replace(made.get(name, ColumnSchema()), type=type_)
    return made


def _write(repo: Repository, texts: Mapping[bytes, bytes | None]) -> None:
    """Make the schemas of these tables be this."""
    files = {file_of(path): text for path, text in texts.items()}
    place(repo, files, verb="schema", note=names(texts))


def joined(repo: Repository, batch: Batch, merged: tree.Merge) -> tree.Merge:
    """A merge in which schemas that both sides changed are put together, where they agree."""
    settled = {one.path: _settled(repo, batch, one) for one in merged.conflicts}
    done = [(path, entry) for path, entry in settled.items() if entry is not None]
    left = [one for one in merged.conflicts if settled[one.path] is None]
    return tree.Merge(sorted([*merged.changes, *done]), left)


def _settled(repo: Repository, batch: Batch, conflict: Conflict) -> Entry | None:
    """The schema that both sides make together; None where a person has to say."""
    base, ours, theirs = conflict.base, conflict.ours, conflict.theirs
    if table_of(conflict.path) is None or ours is None or theirs is None:
        return None
    try:
        known = None if base is None else parsed(repo, conflict.path, base)
        left, right = (parsed(repo, conflict.path, one) for one in (ours, theirs))
    except InvalidError:
        return None
    made = merge(known, left, right)
    return None if made is None else stored(repo, batch, encode(made))
