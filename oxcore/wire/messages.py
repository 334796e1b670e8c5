"""The messages that are JSON, as values; each knows its bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from oxcore.codec import canonical
from oxcore.errors import InvalidError
from oxcore.model.commits import Json
from oxcore.model.protocols import RefUpdate
from oxcore.wire import shapes
from oxcore.wire.ids import MAX_IDS

MAX_UPDATES = 10_000
"""A swap moves at most so many refs."""
MAX_REFS = 1_000_000
_MAX_WRITE_ID = 128


@dataclass(frozen=True, slots=True)
class RefsReply:
    """The refs of a repository: ``head`` is ``ref:NAME`` or 64 hex digits; ``refs`` maps full
    names (``refs/heads/...``, ``refs/tags/...``) to 64 hex digits; ``shallow`` are commits whose
    parents it lacks; ``write`` tells whether the caller may move refs."""

    head: str
    refs: Mapping[str, str]
    shallow: tuple[bytes, ...] = ()
    write: bool = False

    def encode(self) -> bytes:
        """The JSON bytes."""
        return canonical.dumps(
            {
                "head": self.head,
                "refs": dict(self.refs),
                "shallow": [oid.hex() for oid in self.shallow],
                "write": self.write,
            }
        )

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The value of JSON bytes; ``InvalidError`` for another shape."""
        record = shapes.parse_object(data, "the list of refs")
        refs = shapes.mapping(record.get("refs"), "refs")
        return cls(
            head=shapes.text(record.get("head"), "head"),
            refs={shapes.text(name, "a ref"): shapes.hex_id(v, name) for name, v in refs.items()},
            shallow=tuple(shapes.id_list(record.get("shallow", []), "shallow")),
            write=shapes.flag(record.get("write", False), "write"),
        )


@dataclass(frozen=True, slots=True)
class CommitsRequest:
    """Asks for the commits that ``want`` (commits or tags) reaches and ``have`` does not.

    ``shallow``: commits that the caller has without their parents. ``depth``: at most so many
    commits from each tip on, None for all.
    """

    want: tuple[bytes, ...]
    have: tuple[bytes, ...] = ()
    shallow: tuple[bytes, ...] = ()
    depth: int | None = None

    def encode(self) -> bytes:
        """The JSON bytes."""
        record: dict[str, Json] = {
            "want": [oid.hex() for oid in self.want],
            "have": [oid.hex() for oid in self.have],
            "shallow": [oid.hex() for oid in self.shallow],
            "depth": self.depth,
        }
        return canonical.dumps(record)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The value of JSON bytes; ``InvalidError`` for another shape."""
        record = shapes.parse_object(data, "a request for commits")
        want, have, shallow = (
            tuple(shapes.id_list(record.get(key, []), key, MAX_IDS))
            for key in ("want", "have", "shallow")
        )
        depth = record.get("depth")
        if depth is not None and not shapes.whole(depth, "depth"):
            raise InvalidError("a depth is at least 1")
        return cls(want, have, shallow, None if depth is None else shapes.whole(depth, "depth"))


@dataclass(frozen=True, slots=True)
class PutReply:
    """What became of a stream: ``received`` objects came, ``kept`` of them were new."""

    received: int
    kept: int

    def encode(self) -> bytes:
        """The JSON bytes."""
        return canonical.dumps({"received": self.received, "kept": self.kept})

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The value of JSON bytes; ``InvalidError`` for another shape."""
        record = shapes.parse_object(data, "the answer to a push")
        return cls(
            shapes.whole(record.get("received"), "received"),
            shapes.whole(record.get("kept"), "kept"),
        )


@dataclass(frozen=True, slots=True)
class SwapRequest:
    """Moves refs, all or none. ``force`` names the refs whose new value need not descend from
    the old one; ``write_id`` is the caller's own mark, the same at each retry."""

    updates: tuple[RefUpdate, ...]
    write_id: str
    force: frozenset[str] = field(default_factory=frozenset)

    def encode(self) -> bytes:
        """The JSON bytes."""
        updates: list[Json] = [
            {"name": one.name, "old": one.old, "new": one.new, "force": one.name in self.force}
            for one in self.updates
        ]
        return canonical.dumps({"updates": updates, "write_id": self.write_id})

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The value of JSON bytes; ``InvalidError`` for another shape or a ref named twice."""
        record = shapes.parse_object(data, "a swap")
        listed = shapes.items(record.get("updates"), "updates", MAX_UPDATES)
        rows = [shapes.mapping(row, "an update") for row in listed]
        updates = tuple(_update(row) for row in rows)
        if not updates or len({one.name for one in updates}) != len(updates):
            raise InvalidError("a swap names each ref once, and at least one")
        write_id = shapes.text(record.get("write_id"), "write_id")
        if not 8 <= len(write_id) <= _MAX_WRITE_ID:
            raise InvalidError(f"a write_id has 8 to {_MAX_WRITE_ID} characters")
        forced = [shapes.flag(row.get("force", False), "force") for row in rows]
        names = (one.name for one, force in zip(updates, forced, strict=True) if force)
        return cls(updates, write_id, frozenset(names))


def _update(row: dict[str, Json]) -> RefUpdate:
    old, new = row.get("old"), row.get("new")
    return RefUpdate(
        shapes.text(row.get("name"), "the name of a ref"),
        None if old is None else shapes.hex_id(old, "old"),
        None if new is None else shapes.hex_id(new, "new"),
    )


@dataclass(frozen=True, slots=True)
class SwapReply:
    """The swap is done: ``operation`` is its number in the log of the receiver (None where it
    changed nothing); ``repeated`` tells that an earlier try with the same write-id did it."""

    operation: int | None
    repeated: bool = False

    def encode(self) -> bytes:
        """The JSON bytes."""
        return canonical.dumps({"operation": self.operation, "repeated": self.repeated})

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The value of JSON bytes; ``InvalidError`` for another shape."""
        record = shapes.parse_object(data, "the answer to a swap")
        number = record.get("operation")
        return cls(
            None if number is None else shapes.whole(number, "operation"),
            shapes.flag(record.get("repeated", False), "repeated"),
        )


@dataclass(frozen=True, slots=True)
class WhoAmI:
    """Who the caller is to a hub: ``user`` is empty without a token; ``scope`` is none, read,
    write or admin; ``namespaces`` are patterns; ``expires`` in microseconds, or None."""

    user: str
    scope: str
    namespaces: tuple[str, ...] = ()
    expires: int | None = None

    def encode(self) -> bytes:
        """The JSON bytes."""
        return canonical.dumps(
            {
                "user": self.user,
                "scope": self.scope,
                "namespaces": list(self.namespaces),
                "expires": self.expires,
            }
        )

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The value of JSON bytes; ``InvalidError`` for another shape."""
        record = shapes.parse_object(data, "the answer to whoami")
        listed = shapes.items(record.get("namespaces", []), "namespaces", MAX_IDS)
        expires = record.get("expires")
        return cls(
            shapes.text(record.get("user"), "user"),
            shapes.text(record.get("scope"), "scope"),
            tuple(shapes.text(name, "a namespace") for name in listed),
            None if expires is None else shapes.whole(expires, "expires"),
        )


@dataclass(frozen=True, slots=True)
class RepoInfo:
    """One repository of a hub, as the list of repositories tells it."""

    namespace: str
    name: str
    write: bool = False


def encode_repos(repos: list[RepoInfo]) -> bytes:
    """The JSON bytes of a list of repositories."""
    rows: list[Json] = [
        {"namespace": one.namespace, "name": one.name, "write": one.write} for one in repos
    ]
    return canonical.dumps({"repos": rows})


def decode_repos(data: bytes) -> list[RepoInfo]:
    """The list of repositories in JSON bytes; ``InvalidError`` for another shape."""
    record = shapes.parse_object(data, "the list of repositories")
    rows = [
        shapes.mapping(row, "a repo")
        for row in shapes.items(record.get("repos"), "repos", MAX_REFS)
    ]
    return [
        RepoInfo(
            shapes.text(row.get("namespace"), "namespace"),
            shapes.text(row.get("name"), "name"),
            shapes.flag(row.get("write", False), "write"),
        )
        for row in rows
    ]
