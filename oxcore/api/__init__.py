"""The public names: ``Repo``, one repository, and ``Hub``, a server of many.

One file an area; each method is a verb of ``oxcore.verbs`` with its documentation. The
command line calls these methods and nothing else. Each name loads when it is first used: who
opens a repository does not wait for a server.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # type checkers know the name; see `oxcore`
if TYPE_CHECKING:
    from oxcore.api.hub import Hub
    from oxcore.api.repo import Repo

__all__ = ["Hub", "Repo"]

_HOMES = {"Repo": "oxcore.api.repo", "Hub": "oxcore.api.hub"}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'oxcore.api' has no attribute {name!r}")
    return getattr(import_module(home), name)
