"""One module a verb; each takes a ``Repository`` and returns plain values.

A module loads when it is first asked for: ``verbs.log`` imports ``oxcore.verbs.log``. This is
the one place where ox loads its floors lazily, so that ``ox status`` does not wait for what
only ``ox push`` needs.

The verbs stand here by their names; those on tables have a room of their own, ``tabular``. What
several verbs share lies in the rooms below: ``comparing``, ``statistics``, ``moving``, ``storing``,
``upkeep``; the questions that all of them ask, of names, files and paths, in ``oxcore.repo``.
``verbs.NAME`` is the module of that name, in whichever room it lies.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from oxcore.repo import files as files
    from oxcore.repo import merging as merging
    from oxcore.repo import names as names
    from oxcore.verbs import add as add
    from oxcore.verbs import branch as branch
    from oxcore.verbs import clone as clone
    from oxcore.verbs import commit as commit
    from oxcore.verbs import diff as diff
    from oxcore.verbs import du as du
    from oxcore.verbs import fetch as fetch
    from oxcore.verbs import fsck as fsck
    from oxcore.verbs import gc as gc
    from oxcore.verbs import info as info
    from oxcore.verbs import log as log
    from oxcore.verbs import merge as merge
    from oxcore.verbs import oplog as oplog
    from oxcore.verbs import pull as pull
    from oxcore.verbs import push as push
    from oxcore.verbs import remotes as remotes
    from oxcore.verbs import remove as remove
    from oxcore.verbs import replay as replay
    from oxcore.verbs import reset as reset
    from oxcore.verbs import resolve as resolve
    from oxcore.verbs import show as show
    from oxcore.verbs import stash as stash
    from oxcore.verbs import stats as stats
    from oxcore.verbs import status as status
    from oxcore.verbs import switch as switch
    from oxcore.verbs import tag as tag
    from oxcore.verbs import transaction as transaction
    from oxcore.verbs import undo as undo
    from oxcore.verbs import verify as verify
    from oxcore.verbs.comparing import pair as pair
    from oxcore.verbs.comparing import tablediff as tablediff
    from oxcore.verbs.moving import place as place
    from oxcore.verbs.tabular import blame as blame
    from oxcore.verbs.tabular import blametable as blametable
    from oxcore.verbs.tabular import conflicts as conflicts
    from oxcore.verbs.tabular import df as df
    from oxcore.verbs.tabular import edit as edit
    from oxcore.verbs.tabular import kept as kept
    from oxcore.verbs.tabular import leaving as leaving
    from oxcore.verbs.tabular import rowlog as rowlog
    from oxcore.verbs.tabular import schema as schema
    from oxcore.verbs.tabular import settle as settle
    from oxcore.verbs.tabular import sql as sql

_ROOMS = {  # modules that are asked for by name, and the rooms that they lie in
    "blame": "oxcore.verbs.tabular",
    "blametable": "oxcore.verbs.tabular",
    "conflicts": "oxcore.verbs.tabular",
    "df": "oxcore.verbs.tabular",
    "edit": "oxcore.verbs.tabular",
    "files": "oxcore.repo",
    "kept": "oxcore.verbs.tabular",
    "leaving": "oxcore.verbs.tabular",
    "merging": "oxcore.repo",
    "names": "oxcore.repo",
    "pair": "oxcore.verbs.comparing",
    "place": "oxcore.verbs.moving",
    "rowlog": "oxcore.verbs.tabular",
    "schema": "oxcore.verbs.tabular",
    "settle": "oxcore.verbs.tabular",
    "sql": "oxcore.verbs.tabular",
    "tablediff": "oxcore.verbs.comparing",
}


def __getattr__(name: str) -> object:
    home = f"{_ROOMS.get(name, __name__)}.{name}"
    try:
        module = import_module(home)
    except ModuleNotFoundError as error:
        if error.name != home:
            raise
        raise AttributeError(f"there is no verb {name!r}") from None
    globals()[name] = module
    return module
