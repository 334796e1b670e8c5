"""The area of history."""

from __future__ import annotations

from oxcore.api.base import RepoBase


class History(RepoBase):
    """Verbs of history."""
