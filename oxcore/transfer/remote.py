"""What transfer works with on the other side, whatever it is: a path, a hub over HTTP."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from oxcore.model.run import Run
from oxcore.wire.append import AppendReply, AppendRequest
from oxcore.wire.messages import CommitsRequest, PutReply, RefsReply, SwapReply, SwapRequest

REQUEST_BYTES = 256 << 20
"""About how many bytes of objects one request carries."""


class Remote(Protocol):
    """Another repository. All methods raise the errors of ``oxcore.errors``:
    ``UnreachableError`` where it does not answer, ``DeniedError`` where it does not allow it."""

    @property
    def address(self) -> str:
        """Where it is, for people."""
        ...

    def refs(self) -> RefsReply:
        """Its branches and tags. ``NotFoundError`` if there is no such repository."""
        ...

    def has(self, oids: Sequence[bytes]) -> list[bool]:
        """For each id (at most 65,536), whether an object with it is there."""
        ...

    def fetch(self, oids: Sequence[bytes]) -> Iterator[Run]:
        """These objects (at most 65,536 ids) in any order, not verified. A chunk may come as a
        delta of one that was not asked for: ask for that then.

        Raises ``MissingError`` after the last one if it does not have all of them.
        """
        ...

    def commits(self, request: CommitsRequest) -> Iterator[Run]:
        """The commits and tags that ``request`` asks for; ``MissingError`` as in ``fetch``."""
        ...

    def put(self, runs: Iterable[Run]) -> PutReply:
        """Store these objects, verified there. Answers when they are durable. The base of a delta
        must be there, or among them.

        ``UnreachableError`` may mean that a part of them arrived: ask ``has``.
        """
        ...

    def swap(self, request: SwapRequest) -> SwapReply:
        """Move refs, all or none. ``RejectedError`` if one has moved or would lose commits,
        ``MissingError`` if objects of the new history are not there."""
        ...

    def append(self, request: AppendRequest) -> AppendReply:
        """Add files, whose content is there, to the tip of a branch. Repeating it changes nothing.
        ``RejectedError`` where a path has another content, ``MissingError`` for content that is
        not there."""
        ...

    def create(self) -> None:
        """Make the repository; ``ExistsError`` if it is there."""
        ...

    def close(self) -> None:
        """Let go of connections and files."""
        ...
