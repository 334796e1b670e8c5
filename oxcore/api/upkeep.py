"""The area of upkeep."""

from __future__ import annotations

from oxcore.api.base import RepoBase


class Upkeep(RepoBase):
    """Verbs of upkeep."""
