"""The public names: ``Repo``, one repository, and ``Hub``, a server of many.

One file an area; each method is a verb of ``oxcore.verbs`` with its documentation. The
command line calls these methods and nothing else.
"""

from __future__ import annotations

from oxcore.api.hub import Hub
from oxcore.api.repo import Repo

__all__ = ["Hub", "Repo"]
