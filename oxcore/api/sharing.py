"""The area of sharing."""

from __future__ import annotations

from oxcore.api.base import RepoBase


class Sharing(RepoBase):
    """Verbs of sharing."""
