"""Mending a repository: sound objects out of damaged packs, lost ones from a remote."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from oxcore.codec.commit import decode_commit, decode_tag
from oxcore.codec.manifest import decode_manifest, decode_segment
from oxcore.codec.node import Inner
from oxcore.codec.node import decode as decode_node
from oxcore.errors import CorruptError, MissingError
from oxcore.model.ids import ID_LEN, Kind, object_id
from oxcore.model.protocols import Stored
from oxcore.model.run import objects_of
from oxcore.repo import Repository
from oxcore.store import content
from oxcore.transfer import Remote
from oxcore.verbs.upkeep.audit import rows_of
from oxcore.verbs.upkeep.prove import FAULTS

_AT_ONCE = 256  # objects fetched together: some tens of megabytes at most


def save_packs(repo: Repository, bad: Mapping[bytes, Sequence[bytes]]) -> list[str]:
    """Copy the sound objects of damaged packs into a new one, then put the packs aside.

    ``bad``: names of packs, and ids of objects known to be wrong in each. Gives the paths under
    which the damaged files lie now.
    """
    aside = []
    for name, oids in bad.items():
        rows = rows_of(repo, name)
        repo.store.replace_objects(_sound(repo, [oid for oid, _ in rows], set(oids)))
        # A pack of just the same objects has the same name: it took the damaged one's place.
        if oids or not repo.store.check_pack(name).sound:
            aside.append(repo.store.quarantine(name))
    return aside


def _sound(repo: Repository, oids: Sequence[bytes], wrong: set[bytes]) -> Iterator[Stored]:
    places = repo.store.locate(oids)
    for oid, where in zip(oids, places, strict=True):
        if where is None or oid in wrong:
            continue
        try:
            repo.store.get(oid, Kind(where.kind))
            yield repo.store.get_stored(oid)
        except FAULTS:
            continue


class Healer:
    """Brings objects from ``remote``, each proved before it is kept, and what they lack in turn."""

    def __init__(self, repo: Repository, remote: Remote) -> None:
        self._repo = repo
        self._remote = remote
        self._tried: set[bytes] = set()
        self._edge = repo.shallow()
        self.spoiled: set[bytes] = set()  # what the remote has, but damaged

    def heal(self, ids: Iterable[bytes]) -> int:
        """Get these objects anew, and those that they name and that are not here; how many came.

        What the remote does not have, or has damaged too, is left out.
        """
        count = 0
        pending = list(ids)
        while pending:
            wanted = [oid for oid in dict.fromkeys(pending) if oid not in self._tried]
            self._tried.update(wanted)
            pending = []
            for start in range(0, len(wanted), _AT_ONCE):
                items = list(self._fetch(wanted[start : start + _AT_ONCE]))
                count += self._keep(items)
                for item, data in items:
                    pending += self._absent(self._named(item, data))
        return count

    def _named(self, item: Stored, data: bytes) -> list[bytes]:
        return _names(Kind(item.kind), data, edge=item.id in self._edge)

    def _keep(self, items: Sequence[tuple[Stored, bytes]]) -> int:
        plain = [item for item, _ in items if item.kind != Kind.FILE]
        count = self._repo.store.replace_objects(plain)
        for item, data in items:
            if item.kind == Kind.FILE:
                count += self._keep_manifest(item, data)
        return count

    def _keep_manifest(self, item: Stored, data: bytes) -> int:
        """First what it names, then the proof, then the manifest itself."""
        count = self.heal(self._absent(decode_manifest(data).children()))
        try:
            content.prove_manifest(self._repo.store, item.id, data)
        except (CorruptError, MissingError):
            return count
        return count + self._repo.store.replace_objects([item])

    def _fetch(self, oids: Sequence[bytes]) -> Iterator[tuple[Stored, bytes]]:
        """Objects with their bytes, those only whose bytes give the id that was asked for."""
        there = self._remote.has(oids)
        wanted = {oid for oid, here in zip(oids, there, strict=True) if here}
        rest = set(wanted)
        try:
            for item in objects_of(self._remote.fetch(sorted(wanted)) if wanted else ()):
                data = self._data(item)
                if data is not None and item.id in wanted:
                    rest.discard(item.id)
                    yield item, data
        except (MissingError, CorruptError):  # the remote is damaged itself
            if len(wanted) > 1:
                for oid in sorted(rest):
                    yield from self._fetch([oid])
                return
        self.spoiled |= rest

    def _data(self, item: Stored) -> bytes | None:
        try:
            data = self._repo.store.decode(item.how, item.payload, item.raw)
            if item.kind == Kind.FILE:
                decode_manifest(data)
                return data
            return data if object_id(Kind(item.kind), data) == item.id else None
        except (*FAULTS, KeyError, ValueError):
            return None

    def _absent(self, oids: Sequence[bytes]) -> list[bytes]:
        there = self._repo.store.has_many(oids)
        return [oid for oid, here in zip(oids, there, strict=True) if not here]


def _names(kind: Kind, data: bytes, *, edge: bool) -> list[bytes]:
    """The ids that an object names; of a commit at the edge of a shallow clone no parents."""
    if kind == Kind.COMMIT:
        commit = decode_commit(data)
        return [commit.tree] if edge else [commit.tree, *commit.parents]
    if kind == Kind.TAG:
        return [decode_tag(data).target]
    if kind == Kind.SEGMENT:
        return decode_segment(data).children()
    if kind != Kind.TREE:
        return []
    node = decode_node(data)
    if isinstance(node, Inner):
        return node.children()
    return [node.ids[at : at + ID_LEN] for at in range(0, len(node.ids), ID_LEN)]
