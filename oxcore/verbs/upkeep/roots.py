"""Which objects the values of the state name: where every walk over all data begins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from oxcore.codec import canonical
from oxcore.codec.oplog import Operation
from oxcore.model.ids import Kind, parse_id
from oxcore.refs.view import SYMBOLIC
from oxcore.repo.merging import decode_pending
from oxcore.tree import Conflict
from oxcore.verbs.moving.intent import trees_of


class Root(NamedTuple):
    """An object that a value names. ``Kind.COMMIT`` may be a tag, ``Kind.FILE`` a chunk; ``why``
    is the key of the state."""

    kind: Kind
    id: bytes
    why: str


def roots_of(key: str, value: str | None) -> Iterator[Root]:
    """The objects that ``value`` names under ``key``. ``shallow`` names none: it takes away."""
    if value is None:
        return
    if key == "stage":
        yield Root(Kind.TREE, parse_id(value), key)
    elif key == "work":
        yield from (Root(Kind.TREE, one, key) for one in trees_of(value))
    elif key == "merge":
        yield from _waiting(value)
    elif key.startswith("refs/") or (key == "HEAD" and not value.startswith(SYMBOLIC)):
        yield Root(Kind.COMMIT, parse_id(value), key)


def view_roots(view: Mapping[str, str]) -> list[Root]:
    """The objects that the present state names, without what only ``undo`` needs (``work``)."""
    return [root for key, value in view.items() if key != "work" for root in roots_of(key, value)]


def operation_roots(operations: Iterable[Operation]) -> Iterator[Root]:
    """The objects that ``undo`` and the log need to take these operations back, or do again."""
    for operation in operations:
        for key, pair in operation.changes.items():
            for value in pair:
                yield from roots_of(key, value)


def shallow_ids(value: str | None) -> frozenset[bytes]:
    """The commits that a value of ``shallow`` lists."""
    listed = [] if value is None else canonical.loads(value.encode(), "the shallow commits")
    ids = listed if isinstance(listed, list) else []
    return frozenset(parse_id(str(one)) for one in ids)


def _waiting(value: str) -> Iterator[Root]:
    pending = decode_pending(value)
    yield Root(Kind.TREE, pending.before, "merge")
    yield from (Root(Kind.COMMIT, parent, "merge") for parent in pending.parents)
    for conflict in pending.conflicts:
        yield from _sides(conflict)
    for state in pending.tables:
        if state.listed is not None:
            yield Root(Kind.FILE, state.listed.id, "merge")


def _sides(conflict: Conflict) -> Iterator[Root]:
    for entry in (conflict.base, conflict.ours, conflict.theirs):
        if entry is not None:
            yield Root(Kind.FILE, entry.id, "merge")
