"""Tables: any table file of any version, its schema, rows, statistics, and SQL over it.

Rows travel as Arrow record batches, a few megabytes at a time. The engine behind SQL is loaded
when a query needs it: docs/design/007-tables.md.
"""

from oxcore.model.late import late

TYPE_CHECKING = False  # see `oxcore`
if TYPE_CHECKING:
    from oxcore.tables.about import About, recall
    from oxcore.tables.asking import Part, Query
    from oxcore.tables.drift import Bar, ColumnDrift, Share, TableDrift, table_drift
    from oxcore.tables.formatnames import check_name
    from oxcore.tables.pick import Picked
    from oxcore.tables.reading import Facts
    from oxcore.tables.references import Reference
    from oxcore.tables.rewrite.edits import Edits, Raw
    from oxcore.tables.sketch import Bin, ColumnStats, Sketch, recall_sketches
    from oxcore.tables.source import Source
    from oxcore.tables.sql import ask
    from oxcore.tables.table import Table
    from oxcore.tables.values import plain, text, texts
    from oxcore.tables.writing import write

__all__ = [
    "About",
    "Bar",
    "Bin",
    "ColumnDrift",
    "ColumnStats",
    "Edits",
    "Facts",
    "Part",
    "Picked",
    "Query",
    "Raw",
    "Reference",
    "Share",
    "Sketch",
    "Source",
    "Table",
    "TableDrift",
    "ask",
    "check_name",
    "plain",
    "recall",
    "recall_sketches",
    "table_drift",
    "text",
    "texts",
    "write",
]

__getattr__ = late(
    __name__,
    {
        "about": "About recall",
        "asking": "Part Query",
        "drift": "Bar ColumnDrift Share TableDrift table_drift",
        "formatnames": "check_name",
        "pick": "Picked",
        "reading": "Facts",
        "references": "Reference",
        "rewrite.edits": "Edits Raw",
        "sketch": "Bin ColumnStats Sketch recall_sketches",
        "source": "Source",
        "sql": "ask",
        "table": "Table",
        "values": "plain text texts",
        "writing": "write",
    },
)
