"""The area of branching."""

from __future__ import annotations

from oxcore.api.base import RepoBase


class Branching(RepoBase):
    """Verbs of branching."""
