"""What the user decides about capture, once for each place that records go to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Literal

from oxcore.capturing.redact import Rule
from oxcore.errors import InvalidError

Durability = Literal["process", "power"]
Policy = Literal["drop", "block", "thin"]


@dataclass(frozen=True)
class Options:
    """How records are kept on their way.

    ``strict``: errors are raised. ``durability``: what ``save`` returned outlives the process, or
    a loss of power. ``max_bytes`` bounds the spool; when it is full, ``full`` says whether to
    drop, to block (``patience`` seconds at most) or, from half full on, to thin. ``sample`` is the
    share of records to keep, beside all errors and all confidences below ``low_confidence``.
    ``redact``: see ``oxcore.capturing.redact``. A segment is sealed after ``seal_records``,
    ``seal_seconds`` or ``seal_bytes``. ``InvalidError`` for what cannot be.
    """

    strict: bool = False
    durability: Durability = "process"
    max_bytes: int = 1 << 30
    full: Policy = "drop"
    patience: float = 10.0
    sample: float = 1.0
    low_confidence: float = 0.5
    redact: Sequence[Rule] = ()
    seal_records: int = 1000
    seal_seconds: float = 5.0
    seal_bytes: int = 16 << 20

    def __post_init__(self) -> None:
        if self.durability not in ("process", "power"):
            raise InvalidError(f"durability is 'process' or 'power', not {self.durability!r}")
        if self.full not in ("drop", "block", "thin"):
            raise InvalidError(f"full is 'drop', 'block' or 'thin', not {self.full!r}")
        if not 0 <= self.sample <= 1:
            raise InvalidError(f"sample is a share from 0 to 1, not {self.sample!r}")
        counts = (self.max_bytes, self.seal_records, self.seal_bytes)
        if min(counts) < 1 or min(self.seal_seconds, self.patience) < 0:
            raise InvalidError("bounds of capture are above zero")


NAMES = frozenset(field.name for field in fields(Options))
"""What the options are called."""
