"""The interfaces between rooms. Each is small; a test suite in ``oxcore.testing`` holds for all.

Rooms never import each other: they are handed one of these.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from enum import IntEnum
from typing import NamedTuple, Protocol

from oxcore.model.commits import Commit
from oxcore.model.ids import Kind


class How(IntEnum):
    """How an object's bytes lie in a pack or in a frame; the number is part of both formats."""

    RAW = 0
    ZSTD = 1  # one zstd frame
    DELTA = 2  # 32 bytes: id of the base; then one zstd frame with the base as prefix


class Stored(NamedTuple):
    """An object as it lies in a pack: ``payload`` is encoded as ``how`` says, ``raw`` bytes long
    once decoded."""

    id: bytes
    kind: int
    how: int
    raw: int
    payload: bytes


class Location(NamedTuple):
    """Where an object lies: pack number, offset and stored length in bytes, decoded length."""

    pack: int
    offset: int
    stored: int
    raw: int
    kind: int
    how: int


class Reader(Protocol):
    """Gives verified objects. The smallest thing that history, tree and transfer need."""

    def get(self, oid: bytes, kind: Kind) -> bytes:
        """The decoded bytes; their hash was checked against ``oid``.

        Raises ``MissingError`` if it is not there and ``CorruptError`` if the bytes are wrong
        or the object is of another kind. For ``Kind.FILE`` and ``Kind.SEGMENT`` see
        ``oxcore.store.content``.
        """
        ...

    def has_many(self, oids: Sequence[bytes]) -> list[bool]:
        """For each id, whether an object with it is there."""
        ...


class Sink(Protocol):
    """Takes objects. Putting what is there already costs a look-up and stores nothing."""

    def put(self, oid: bytes, kind: Kind, data: bytes) -> None:
        """Store ``data`` under ``oid``. The caller vouches for the id; ``receive`` checks it."""
        ...


class Locator(Protocol):
    """Finds objects in packs: a cache that can be thrown away and rebuilt from the packs."""

    def find_many(self, oids: Sequence[bytes]) -> list[Location | None]:
        """For each id its location, or None."""
        ...

    def kinds(self, oids: Sequence[bytes]) -> bytes:
        """For each id a byte, the kind of its object, or 0. Cheaper than ``find_many``."""
        ...

    def find_prefix(self, prefix: bytes, limit: int) -> list[tuple[bytes, Location]]:
        """Up to ``limit`` objects whose id starts with ``prefix``, in the order of their ids."""
        ...

    def packs(self) -> Mapping[int, bytes]:
        """Number -> name (32 bytes) of every pack that is indexed."""
        ...

    def add_pack(self, name: bytes, rows: Iterable[tuple[bytes, Location]]) -> int:
        """Index a sealed pack; gives its number. ``Location.pack`` in the rows is ignored.

        An id that is indexed already keeps its old location. Adding a pack twice is harmless.
        """
        ...

    def add_packs(
        self, packs: Iterable[tuple[bytes, Iterable[tuple[bytes, Location]]]]
    ) -> list[int]:
        """``add_pack`` of many, which may be cheaper together; their numbers."""
        ...

    def replace(self, name: bytes, rows: Iterable[tuple[bytes, Location]]) -> int:
        """Like ``add_pack``, but the new locations win (repair and repacking)."""
        ...

    def drop_packs(self, names: Sequence[bytes]) -> None:
        """Forget these packs and every location in them."""
        ...

    def ids(self) -> Iterator[tuple[bytes, Location]]:
        """Every indexed object, in the order of ids."""
        ...


class Guard(Protocol):
    """Looks at a commit before it is made. A verb is handed one by who knows of more than it."""

    @property
    def concerns(self) -> Callable[[bytes], object]:
        """Is true of the path of a file that ``check`` has to be told of if it changed. Called for
        each that did: be cheap."""
        ...

    def check(self, made: Commit, touched: Collection[bytes] | None, reader: Reader) -> Commit:
        """The commit to make, for ``made``; an error of ``oxcore.errors`` refuses it.

        ``touched``: those files that it changes against any parent, and that concern the guard;
        None if there is nothing to compare with, so that all is new. ``reader`` has its tree.
        """
        ...


class RefUpdate(NamedTuple):
    """One step of a compare-and-swap: ``old`` is what the ref must hold now, None for nothing;
    ``new`` None deletes it. Values are 64 hex digits."""

    name: str
    old: str | None
    new: str | None


class Progress(Protocol):
    """What long work tells its caller; the default does nothing.

    ``visible``: a person is looking, so that it is worth a walk to know how much there is to do.
    """

    visible: bool

    def start(self, what: str, total: int | None = None, unit: str = "") -> None:
        """A phase begins: ``total`` steps of ``unit`` ('files', 'bytes', 'objects') or unknown."""
        ...

    def step(self, count: int = 1, nbytes: int = 0) -> None:
        """``count`` more steps are done, ``nbytes`` bytes went through."""
        ...

    def done(self) -> None:
        """The phase is over."""
        ...


class Quiet:
    """A ``Progress`` that says nothing."""

    visible = False

    def start(self, what: str, total: int | None = None, unit: str = "") -> None:
        """Do nothing."""

    def step(self, count: int = 1, nbytes: int = 0) -> None:
        """Do nothing."""

    def done(self) -> None:
        """Do nothing."""
