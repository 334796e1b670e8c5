"""The area of tables: the rows of a file, in any version."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, overload

from oxcore import verbs
from oxcore.api.base import RepoBase
from oxcore.model.entries import path_bytes

if TYPE_CHECKING:
    import pyarrow as pa

    from oxcore.tables import Edits, Part, Picked, Table
    from oxcore.tables.departures import Departure
    from oxcore.tables.rewrite.wishes import Wish
    from oxcore.tables.schema import TableSchema
    from oxcore.verbs.statistics.drifted import Drift
    from oxcore.verbs.statistics.holdings import DatasetStats
    from oxcore.verbs.tabular.edit import Edited
    from oxcore.verbs.tabular.kept import Kept


Key = str | Mapping[str, object]


class Tables(RepoBase):
    """``table``, ``edit_table``, ``sql``, ``schema``, and ``blame`` and ``row_log`` of single rows:
    CSV, TSV, JSON, Parquet and Arrow as rows and columns."""

    def table(self, path: str | bytes, rev: str | None = None) -> Table:
        """A table file: as it is in the work tree, or in the revision ``rev`` (``":"``: staged).

        Gives ``.schema``, ``.scan()``, ``.to_arrow()``, ``.to_pandas()``, ``.to_polars()``,
        ``.stats()``, ``.pick(query, part)``; see ``oxcore.tables.Table``. Raises ``NotFoundError``,
        and ``InvalidError`` for a file that is no table.
        """
        return verbs.df.open_table(self._repo, _clean(path), rev)

    def edit_table(
        self,
        path: str | bytes,
        edits: Edits | Wish,
        *,
        output: str | None = None,
        replace: bool = False,
        dry_run: bool = False,
    ) -> Edited:
        """Change a table file of the work tree in its own format; nothing is staged.

        ``edits`` names rows by their number (``oxcore.tables.Edits``), or is a ``Wish``, which
        names them by condition or key. Of text only what is edited changes, byte for byte; the
        file is replaced as a whole. ``output``: another file (there already: with ``replace``).
        ``dry_run``: nothing is written. Raises ``InvalidError`` with row and column for a value
        that the column cannot hold, ``NotFoundError`` for a row or column that is not there.
        """
        return verbs.edit.edit(
            self._repo, _clean(path), edits, output=output, replace=replace, dry_run=dry_run
        )

    def sql(self, query: str, part: Part | None = None, *, here: str | bytes = b"") -> Picked:
        """What one SELECT gives that names files as tables; close it.

        ``'labels.csv'`` is the file of the work tree, ``'labels.csv'@'main~3'`` that of a revision;
        ``'data/*.csv'`` all files that fit, with a column ``file``. Paths start from the folder
        ``here``. Raises ``InvalidError`` with the place in the text, ``NotFoundError``.
        """
        return verbs.sql.query(self._repo, query, path_bytes(here).strip(b"/"), part)

    def schema(self, path: str | bytes, rev: str | None = None) -> TableSchema | None:
        """What is kept of a table: types, key, which columns hold images; None if nothing is.

        As it is in the work tree, or in the revision ``rev`` (``":"``: staged). Raises
        ``InvalidError`` that names the file ``.oxschema/...`` and the place that makes no sense.
        """
        return verbs.kept.read(self._repo, _clean(path), rev)

    def schemas(self, rev: str | None = None) -> list[Kept]:
        """All tables that have a schema, with it, by path."""
        return verbs.kept.kept(self._repo, rev)

    def set_schema(self, path: str | bytes, schema: TableSchema) -> None:
        """Keep a schema for a table: it is written to ``.oxschema/<path>.json``, and staged.

        Raises ``NotFoundError`` for a column that the table does not have.
        """
        verbs.schema.put(self._repo, _clean(path), schema)

    def amend_schema(
        self,
        paths: Sequence[str | bytes],
        *,
        key: Sequence[str] | None = None,
        types: Mapping[str, str | pa.DataType] | None = None,
        holds: Mapping[str, str] | None = None,
        about: Mapping[str, str] | None = None,
        description: str | None = None,
        infer: bool = False,
        only: Sequence[str] = (),
    ) -> list[Kept]:
        """Change what is kept of tables (paths, or globs over tracked files), and stage it.

        ``types`` (a name as in ``"timestamp[us, tz=UTC]"``), ``holds`` and ``about`` go by column,
        an empty text takes what was said away; ``infer`` takes the types of all columns, or
        of those in ``only``, as they are now. Gives the new schemas. Raises ``NotFoundError`` for
        columns that are not there, ``InvalidError`` for types that there are not.
        """
        changes = verbs.schema.Amend(
            key, types or {}, holds or {}, about or {}, description, infer, only
        )
        return verbs.schema.amend(self._repo, [_clean(path) for path in paths], changes)

    def remove_schema(self, path: str | bytes, columns: Sequence[str] = ()) -> None:
        """Forget the schema of a table, or what it says of some columns; staged.

        Raises ``NotFoundError`` if there is none.
        """
        verbs.schema.remove(self._repo, _clean(path), columns)

    def departures(self, path: str | bytes, rev: str | None = None) -> list[Departure]:
        """How a table leaves its schema: nothing if it keeps to it, or has none."""
        return verbs.leaving.look(self._repo, _clean(path), rev)

    def blame(
        self,
        path: str | bytes,
        key: Key | Sequence[Key] = (),
        rev: str = "HEAD",
        *,
        where: str = "",
    ) -> verbs.blame.Blame:
        """Which commit set each cell of the row with this key, of several rows, or of those for
        which the SQL expression ``where`` is true.

        A key is text (``"id=42"``, ``"photo=a.png,label=cat"``, ``"id:null"``) or a mapping
        (``{"id": 42}``).
        Raises ``NotFoundError`` for a row, column or file that is not there, ``InvalidError`` for a
        key that several rows have, or a file that is no table.
        """
        keys: list[Key] = [key] if isinstance(key, str | Mapping) else list(key)
        if where:
            keys += verbs.blame.keys_where(self._repo, _clean(path), where, rev)
        return verbs.blame.blame(self._repo, _clean(path), keys, rev)

    def blame_table(self, path: str | bytes, rev: str = "HEAD") -> verbs.blametable.BlamedTable:
        """The last commit that changed each row of a table; errors as of ``blame``."""
        return verbs.blametable.blame_table(self._repo, _clean(path), rev)

    def row_log(
        self,
        path: str | bytes,
        key: Key,
        *revisions: str,
        limit: int | None = None,
        first_parent: bool = False,
        author: str = "",
        since: int | str | None = None,
        until: int | str | None = None,
    ) -> verbs.rowlog.RowLog:
        """The commits that added, changed or removed the row with this key, newest first, with its
        cells before and after; the rest as ``log``, the errors as ``blame``."""
        start, end = (
            verbs.log.moment(self._repo, one, end=last) if isinstance(one, str) else one
            for one, last in ((since, False), (until, True))
        )
        only = verbs.log.Filter((), author, start, end)
        return verbs.rowlog.row_log(
            self._repo,
            _clean(path),
            key,
            revisions,
            only=only,
            limit=limit,
            first_parent=first_parent,
        )

    @overload
    def stats(
        self, a: str = "HEAD", b: None = None, *, paths: Iterable[str | bytes] = (), depth: int = 1
    ) -> DatasetStats | Drift: ...

    @overload
    def stats(
        self, a: str, b: str, *, paths: Iterable[str | bytes] = (), depth: int = 1
    ) -> Drift: ...

    def stats(
        self,
        a: str = "HEAD",
        b: str | None = None,
        *,
        paths: Iterable[str | bytes] = (),
        depth: int = 1,
    ) -> DatasetStats | Drift:
        """What the version ``a`` holds, or how ``b`` drifted from it. ``a`` may be a range,
        ``"v1..v2"``; ``":"`` is the stage.

        The first: folders with kinds of files, sizes and modes of images, tables with rows and
        columns. The second: per folder what came and went, per changed table how far its columns
        are from what they were; it reads what differs. Images and tables are looked at once a
        content. Files count for the folder at most ``depth`` levels down. Raises ``NotFoundError``
        for a version or path that is not there.
        """
        chosen = [path_bytes(path) for path in paths]
        revisions = [a] if b is None else [a, b]
        return verbs.stats.stats(self._repo, revisions, paths=chosen, depth=depth)


def _clean(path: str | bytes) -> bytes:
    return path_bytes(path).strip(b"/")
