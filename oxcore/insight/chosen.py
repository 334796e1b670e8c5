"""Records with a label, picked to learn from: each with its label, its output and its input."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from oxcore import tree
from oxcore.insight.examples import Examples
from oxcore.model.entries import Entry, Mode
from oxcore.repo import Repository
from oxcore.tables.engine import literal

TEXTS = ("group_key", "output", "params", "input_hash", "input_path", "mime", "truth_source")
"""The lazy columns of examples that are read."""
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,10}$")
PROPOSING = ("rule", "model")
"""Sources whose labels are proposals, until a person says the same."""


class Chosen(NamedTuple):
    """A record. ``label``: its current label as text, ``value`` as JSON; ``entry``: the file of its
    input, None where none was kept."""

    record_id: str
    label: str
    source: str | None
    value: str | None
    output: str | None
    prediction: str | None
    group_key: str | None
    mime: str | None
    path: str | None
    entry: Entry | None

    @property
    def key(self) -> str:
        """What it goes by when a dataset is split: its group, else its input."""
        return self.group_key or (self.entry.id.hex() if self.entry else self.record_id)

    @property
    def media(self) -> str | None:
        """Where its input lies in a folder that keeps inputs by the BLAKE3 of their bytes."""
        if self.entry is None:
            return None
        oid, suffix = self.entry.id.hex(), _SUFFIX.search(self.path or "")
        return f"media/{oid[:2]}/{oid}{suffix.group() if suffix else ''}"


class Picked(NamedTuple):
    """The records that were picked, by id, and how many were left aside: those without a label,
    those whose label is only proposed, by a rule or a model."""

    rows: list[Chosen]
    unlabelled: int
    proposed: int


def pick(
    repo: Repository,
    found: Examples,
    root: bytes,
    folder: bytes,
    where: str = "true",
    *,
    proposed: bool = False,
) -> Picked:
    """The labelled records for which ``where`` holds; with ``proposed`` those too whose label
    nobody but a rule or a model gave. ``root``: the tree whose ``folder`` has them."""
    doubt = f"coalesce(truth_source IN ({', '.join(map(literal, PROPOSING))}), false)"
    counts = (
        "SELECT count(*) FILTER (WHERE truth IS NULL), "
        f"count(*) FILTER (WHERE truth IS NOT NULL AND {doubt}) FROM examples WHERE ({where})"
    )
    unlabelled, doubtful = found.sql.rows(counts)[0]
    kept = "truth IS NOT NULL" if proposed else f"truth IS NOT NULL AND NOT {doubt}"
    rows = found.sql.rows(_QUERY.format(where=f"({where}) AND {kept}"))
    entries = _entries(repo, root, folder, (row[-1] for row in rows))
    made = [Chosen._make((*row, entries.get(row[-1]))) for row in rows]
    return Picked(made, unlabelled, 0 if proposed else doubtful)


_QUERY = """
SELECT x.record_id, x.truth, x.truth_source, v.value, x.output, x.prediction, x.group_key, x.mime,
    x.input_path
FROM (SELECT * FROM examples WHERE {where}) x LEFT JOIN (
    SELECT record_id, ts, source, arg_max(value, event_id) AS value FROM e
    WHERE kind IN ('label', 'correction') GROUP BY record_id, ts, source
) v ON v.record_id = x.record_id AND v.ts = x.truth_ts
    AND v.source IS NOT DISTINCT FROM x.truth_source
ORDER BY x.record_id
"""


def _entries(
    repo: Repository, root: bytes, folder: bytes, paths: Iterable[str | None]
) -> dict[str | None, Entry]:
    """The files of inputs by the path that records tell, of those that are there."""
    base = folder + b"/" if folder else b""
    named = {base + path.encode(): path for path in paths if path}
    wanted = sorted(named)
    found = zip(wanted, tree.get_many(repo.store, root, wanted), strict=True)
    return {named[path]: one for path, one in found if one is not None and one.mode != Mode.LINK}
