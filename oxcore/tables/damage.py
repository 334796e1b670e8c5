"""What Arrow raises for bytes that break a format."""

from __future__ import annotations

import pyarrow as pa

DAMAGE = (
    pa.ArrowInvalid,
    pa.ArrowNotImplementedError,
    pa.ArrowMemoryError,
    OSError,
    EOFError,
    UnicodeError,
)
"""Damage, a length of petabytes among it."""
