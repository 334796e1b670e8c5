"""Tables of a version, known by their content: each is read once ever."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from oxcore.errors import InvalidError, OxError
from oxcore.model.entries import Entry, Mode, show_path
from oxcore.repo import Repository
from oxcore.tables import About, Sketch, Source, Table, recall, recall_sketches
from oxcore.tables.about import kind_of
from oxcore.verbs.tabular.df import stored

_NAMES = frozenset(
    b"csv tsv jsonl ndjson json parquet pq arrow arrows feather ipc".split()  # as `ox df` reads
)
_PACKED = (b".gz", b".zst")
_BROKEN = "no table 1"  # the fact that bytes are no table, and why


class Column(NamedTuple):
    """A column: name, type as Arrow calls it, nulls."""

    name: str
    type: str
    nulls: int


class TableFile(NamedTuple):
    """A table of a version: ``size`` in bytes; ``problem`` says why it cannot be read (without
    its name), and then the rest is empty."""

    path: bytes
    size: int
    format: str
    rows: int
    columns: tuple[Column, ...]
    problem: str = ""


def is_table_name(path: bytes, entry: Entry) -> bool:
    """Whether a file is called like a table."""
    name = path.rpartition(b"/")[2].lower()
    for packed in _PACKED:
        name = name.removesuffix(packed)
    stem, dot, suffix = name.rpartition(b".")
    return bool(stem and dot) and suffix in _NAMES and entry.mode != Mode.LINK


def table_file(repo: Repository, path: bytes, entry: Entry) -> TableFile | None:
    """The facts of a table; None for JSON that is none, as most of it is not meant to be."""
    source = source_of(repo, path, entry)
    try:
        about = about_of(source)
    except OxError as error:
        if _is_json(path) and isinstance(error, InvalidError):
            return None
        return TableFile(path, entry.size, "", 0, (), problem_of(source, error))
    if _is_json(path) and not (about.format == "json" or _are_lines(about)):
        return None
    fields = zip(about.schema, about.facts.nulls, strict=True)
    columns = tuple(Column(field.name, str(field.type), nulls) for field, nulls in fields)
    return TableFile(path, entry.size, about.format, about.facts.rows, columns)


def table_files(repo: Repository, files: Sequence[tuple[bytes, Entry]]) -> tuple[TableFile, ...]:
    """``table_file`` of many, without those that are none."""
    progress, found = repo.settings.progress, []
    progress.start("looking at tables", len(files), unit="tables")
    for path, entry in files:
        found.append(table_file(repo, path, entry))
        progress.step()
    progress.done()
    return tuple(one for one in found if one is not None)


def source_of(repo: Repository, path: bytes, entry: Entry) -> Source:
    """A stored file as tables take it."""
    return stored(repo, entry, show_path(path))


def about_of(source: Source) -> About:
    """Format, schema and counts; not even opened where they are known.

    ``InvalidError`` if it is no table, which is remembered as well.
    """
    known = recall(source)
    if known is not None:
        return known
    _refuse_broken(source)
    try:
        return Table(source).about
    except InvalidError as error:
        _note_broken(source, error)
        raise


def sketches_of(source: Source) -> list[Sketch]:
    """The sketches of the columns; not even opened where they are known."""
    known = recall_sketches(source)
    return Table(source).sketches() if known is None else known


def problem_of(source: Source, error: OxError) -> str:
    """What an error says, without the name of the file before it."""
    return error.message.removeprefix(source.name).lstrip(",: ")


def _refuse_broken(source: Source) -> None:
    why = None if source.memo is None else source.memo.get(_kind(source))
    if why is not None:
        raise InvalidError(f"{source.name}: {why.decode('utf-8', 'replace')}")


def _note_broken(source: Source, error: InvalidError) -> None:
    if source.memo is not None:
        source.memo.put(_kind(source), problem_of(source, error).encode())


def _kind(source: Source) -> str:
    return kind_of(_BROKEN, source.name)


def _are_lines(about: About) -> bool:
    """Whether it is JSON Lines; one object on one line is rather a document."""
    return about.format == "jsonl" and about.facts.rows > 1


def _is_json(path: bytes) -> bool:
    return b".json" in path.lower() and b".jsonl" not in path.lower()
