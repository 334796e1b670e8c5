"""Exact counts of what was done, for ``--stats`` and for tests that hold costs in place."""

from __future__ import annotations

TYPE_CHECKING = False  # see `oxcore`
if TYPE_CHECKING:
    from collections.abc import Mapping


class Counters:
    """How often something dear happened since the counters were made.

    One instance belongs to one ``Repo`` (or one hub client) and is handed to its rooms.
    """

    def __init__(self, **counts: int) -> None:
        self.files_opened = 0
        self.bytes_hashed = 0
        self.chunks_hashed = 0
        self.chunks_stored = 0
        self.bytes_stored = 0
        self.nodes_read = 0
        self.nodes_written = 0
        self.objects_read = 0
        self.rows = 0  # of tables
        self.fsyncs = 0
        self.requests = 0
        self.objects_sent = 0
        self.bytes_sent = 0
        self.objects_received = 0
        self.bytes_received = 0
        for name, count in counts.items():
            setattr(self, name, count)

    def add_rows(self, count: int) -> None:
        """Count rows that were read, from any thread: a sum without a call in it is not parted."""
        self.rows += count

    def add(self, counts: Mapping[str, int]) -> None:
        """Count what another process has counted."""
        for name, count in counts.items():
            setattr(self, name, getattr(self, name) + count)

    def as_dict(self) -> dict[str, int]:
        """Name -> count."""
        return dict(vars(self))
