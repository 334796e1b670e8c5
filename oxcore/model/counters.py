"""Exact counts of what was done, for ``--stats`` and for tests that hold costs in place."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(slots=True)
class Counters:
    """How often something dear happened since the counters were made.

    One instance belongs to one ``Repo`` (or one hub client) and is handed to its rooms.
    """

    files_opened: int = 0
    bytes_hashed: int = 0
    chunks_hashed: int = 0
    chunks_stored: int = 0
    bytes_stored: int = 0
    nodes_read: int = 0
    nodes_written: int = 0
    objects_read: int = 0
    fsyncs: int = 0
    requests: int = 0
    objects_sent: int = 0
    bytes_sent: int = 0
    objects_received: int = 0
    bytes_received: int = 0

    def as_dict(self) -> dict[str, int]:
        """Name -> count."""
        return {f.name: getattr(self, f.name) for f in fields(self)}
