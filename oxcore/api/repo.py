"""``Repo``: all areas together."""

from __future__ import annotations

from oxcore.api.branching import Branching
from oxcore.api.history import History
from oxcore.api.proving import Proving
from oxcore.api.sharing import Sharing
from oxcore.api.tables import Tables
from oxcore.api.training import Training
from oxcore.api.upkeep import Upkeep
from oxcore.api.work import Work


class Repo(Work, History, Tables, Training, Proving, Branching, Sharing, Upkeep):
    """One repository: work on files, look at history and tables, branch and merge, share, keep up.

    >>> import oxcore as ox
    >>> with ox.Repo.init("pets") as repo:           # doctest: +SKIP
    ...     repo.add(["."])
    ...     repo.commit("first photos")
    """
