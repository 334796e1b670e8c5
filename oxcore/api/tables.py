"""The area of tables: the rows of a file, in any version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oxcore import verbs
from oxcore.api.base import RepoBase
from oxcore.model.entries import path_bytes

if TYPE_CHECKING:
    from oxcore.tables import Part, Picked, Table


class Tables(RepoBase):
    """``table``, ``sql``: CSV, TSV, JSON Lines, JSON, Parquet and Arrow as rows and columns."""

    def table(self, path: str | bytes, rev: str | None = None) -> Table:
        """A table file: as it is in the work tree, or in the revision ``rev`` (``":"``: staged).

        Gives ``.schema``, ``.scan()``, ``.to_arrow()``, ``.to_pandas()``, ``.to_polars()``,
        ``.stats()``, ``.pick(query, part)``; see ``oxcore.tables.Table``. Raises ``NotFoundError``,
        and ``InvalidError`` for a file that is no table.
        """
        return verbs.df.open_table(self._repo, path_bytes(path).strip(b"/"), rev)

    def sql(self, query: str, part: Part | None = None, *, here: str | bytes = b"") -> Picked:
        """What one SELECT gives that names files as tables; close it.

        ``'labels.csv'`` is the file of the work tree, ``'labels.csv'@'main~3'`` that of a revision;
        ``'data/*.csv'`` all files that fit, with a column ``file``. Paths start from the folder
        ``here``. Raises ``InvalidError`` with the place in the text, ``NotFoundError``.
        """
        return verbs.sql.query(self._repo, query, path_bytes(here).strip(b"/"), part)
