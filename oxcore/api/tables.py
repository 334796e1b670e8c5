"""The area of tables: the rows of a file, in any version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oxcore import verbs
from oxcore.api.base import RepoBase
from oxcore.model.entries import path_bytes

if TYPE_CHECKING:
    from oxcore.tables import Table


class Tables(RepoBase):
    """``table``: CSV, TSV, JSON Lines, JSON, Parquet and Arrow as rows and columns."""

    def table(self, path: str | bytes, rev: str | None = None) -> Table:
        """A table file: as it is in the work tree, or in the revision ``rev`` (``":"``: staged).

        Gives ``.schema``, ``.scan()``, ``.to_arrow()``, ``.to_pandas()``, ``.to_polars()``,
        ``.stats()``, ``.pick(query, part)``; see ``oxcore.tables.Table``. Raises ``NotFoundError``,
        and ``InvalidError`` for a file that is no table.
        """
        return verbs.df.open_table(self._repo, path_bytes(path).strip(b"/"), rev)
