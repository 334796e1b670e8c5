"""Which objects are needed: all that the state, and the operations that are kept, lead to."""

from __future__ import annotations

from collections.abc import Iterable

from oxcore.codec.manifest import decode_segment
from oxcore.codec.node import Inner
from oxcore.errors import MissingError
from oxcore.model.ids import ID_LEN, Kind
from oxcore.repo import Repository
from oxcore.store import content
from oxcore.tree import EMPTY, Nodes
from oxcore.verbs.upkeep.roots import Root, shallow_ids

_FILE = int(Kind.FILE)


class Marker:
    """Collects in ``ids`` every object that it can reach; each one is visited once.

    Of the commits ``edge`` the parents are not followed.
    """

    def __init__(self, repo: Repository, edge: frozenset[bytes] = frozenset()) -> None:
        self.ids: set[bytes] = {EMPTY}
        self._repo = repo
        self._nodes = Nodes(repo.store)
        self._edge = edge
        self._lenient = False

    def follow(self, roots: Iterable[Root], *, lenient: bool = False) -> None:
        """Mark all that ``roots`` lead to.

        Raises ``MissingError`` and ``CorruptError`` for what stands in the way, since nobody can
        tell what lies behind it. ``lenient`` takes what is there. The content of a file that is
        missing stands in nobody's way.
        """
        self._lenient = lenient
        pending = list(roots)
        while pending:
            root = pending.pop()
            if root.id in self.ids:
                continue
            try:
                pending.extend(self._below(root))
            except MissingError:
                if not lenient:
                    raise

    def _below(self, root: Root) -> Iterable[Root]:
        if root.kind == Kind.FILE:
            self._content([root.id])
            return ()
        self.ids.add(root.id)
        if root.kind == Kind.COMMIT:
            return self._commit(root)
        if root.kind == Kind.TREE:
            return self._node(root)
        segment = decode_segment(self._repo.store.get(root.id, Kind.SEGMENT))
        self._content(segment.children())
        return ()

    def _commit(self, root: Root) -> list[Root]:
        tag = self._repo.tag(root.id)
        if tag is not None:
            return [Root(Kind.COMMIT, tag.target, root.why)]
        commit = self._repo.commit(root.id)
        parents = () if root.id in self._edge else commit.parents
        found = [Root(Kind.COMMIT, parent, root.why) for parent in parents]
        return [*found, Root(Kind.TREE, commit.tree, root.why)]

    def _node(self, root: Root) -> Iterable[Root]:
        node = self._nodes.read(root.id)
        if isinstance(node, Inner):
            return [Root(Kind.TREE, child, root.why) for child in node.children()]
        self._content(node.ids[at : at + ID_LEN] for at in range(0, len(node.ids), ID_LEN))
        return ()

    def _content(self, oids: Iterable[bytes]) -> None:
        """Mark files, and all that they are made of."""
        fresh = [oid for oid in dict.fromkeys(oids) if oid not in self.ids]
        self.ids.update(fresh)
        for oid, where in zip(fresh, self._repo.store.locate(fresh), strict=True):
            if where is not None and where.kind == _FILE:
                self._parts(oid)

    def _parts(self, oid: bytes) -> None:
        try:
            for part in content.parts(self._repo.store, oid):
                self.ids.add(part.oid)
        except MissingError:
            if not self._lenient:
                raise


def always_shallow(states: Iterable[str | None]) -> frozenset[bytes]:
    """The commits that every one of these values of ``shallow`` lists.

    Of the others an ``undo`` may need the parents.
    """
    return frozenset.intersection(*(shallow_ids(one) for one in states))


def row_root(oid: bytes, kind: int) -> Root:
    """An object of a pack as a root."""
    alike = {int(Kind.TAG): Kind.COMMIT, int(Kind.CHUNK): Kind.FILE}
    return Root(alike.get(kind) or Kind(kind), oid, "pack")
