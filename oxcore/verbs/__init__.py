"""One module a verb; each takes a ``Repository`` and returns plain values.

A module loads when it is first asked for: ``verbs.log`` imports ``oxcore.verbs.log``. This is
the one place where ox loads its floors lazily, so that ``ox status`` does not wait for what
only ``ox push`` needs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from oxcore.verbs import (
        add as add,
    )
    from oxcore.verbs import (
        apart as apart,
    )
    from oxcore.verbs import (
        blame as blame,
    )
    from oxcore.verbs import (
        blametable as blametable,
    )
    from oxcore.verbs import (
        branch as branch,
    )
    from oxcore.verbs import (
        clone as clone,
    )
    from oxcore.verbs import (
        commit as commit,
    )
    from oxcore.verbs import (
        conflicts as conflicts,
    )
    from oxcore.verbs import (
        df as df,
    )
    from oxcore.verbs import (
        diff as diff,
    )
    from oxcore.verbs import (
        du as du,
    )
    from oxcore.verbs import (
        edit as edit,
    )
    from oxcore.verbs import (
        fetch as fetch,
    )
    from oxcore.verbs import (
        files as files,
    )
    from oxcore.verbs import (
        fsck as fsck,
    )
    from oxcore.verbs import (
        gc as gc,
    )
    from oxcore.verbs import (
        info as info,
    )
    from oxcore.verbs import (
        intent as intent,
    )
    from oxcore.verbs import (
        kept as kept,
    )
    from oxcore.verbs import (
        leaving as leaving,
    )
    from oxcore.verbs import (
        log as log,
    )
    from oxcore.verbs import (
        merge as merge,
    )
    from oxcore.verbs import (
        merging as merging,
    )
    from oxcore.verbs import (
        names as names,
    )
    from oxcore.verbs import (
        oplog as oplog,
    )
    from oxcore.verbs import (
        pair as pair,
    )
    from oxcore.verbs import (
        place as place,
    )
    from oxcore.verbs import (
        pull as pull,
    )
    from oxcore.verbs import (
        push as push,
    )
    from oxcore.verbs import (
        remotes as remotes,
    )
    from oxcore.verbs import (
        remove as remove,
    )
    from oxcore.verbs import (
        replay as replay,
    )
    from oxcore.verbs import (
        reset as reset,
    )
    from oxcore.verbs import (
        resolve as resolve,
    )
    from oxcore.verbs import (
        rowlog as rowlog,
    )
    from oxcore.verbs import (
        schema as schema,
    )
    from oxcore.verbs import (
        settle as settle,
    )
    from oxcore.verbs import (
        show as show,
    )
    from oxcore.verbs import (
        sql as sql,
    )
    from oxcore.verbs import (
        stash as stash,
    )
    from oxcore.verbs import (
        stats as stats,
    )
    from oxcore.verbs import (
        status as status,
    )
    from oxcore.verbs import (
        switch as switch,
    )
    from oxcore.verbs import (
        tablediff as tablediff,
    )
    from oxcore.verbs import (
        tag as tag,
    )
    from oxcore.verbs import (
        transaction as transaction,
    )
    from oxcore.verbs import (
        undo as undo,
    )
    from oxcore.verbs import (
        verify as verify,
    )


def __getattr__(name: str) -> object:
    try:
        return import_module(f"{__name__}.{name}")
    except ModuleNotFoundError as error:
        if error.name != f"{__name__}.{name}":
            raise
        raise AttributeError(f"there is no verb {name!r}") from None
