"""``Repo``: all areas together."""

from __future__ import annotations

from oxcore.api.branching import Branching
from oxcore.api.history import History
from oxcore.api.sharing import Sharing
from oxcore.api.upkeep import Upkeep
from oxcore.api.work import Work


class Repo(Work, History, Branching, Sharing, Upkeep):
    """One repository: work on files, look at history, branch and merge, share, keep in order.

    >>> import oxcore as ox
    >>> with ox.Repo.init("pets") as repo:           # doctest: +SKIP
    ...     repo.add(["."])
    ...     repo.commit("first photos")
    """
