"""A repository on a hub, over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from oxcore.errors import BusyError, UnreachableError
from oxcore.model.counters import Counters
from oxcore.model.run import Run
from oxcore.remote.client import Connection, HubClient
from oxcore.wire.append import AppendReply, AppendRequest
from oxcore.wire.frames import encode_stream
from oxcore.wire.ids import pack_ids, unpack_bits
from oxcore.wire.messages import CommitsRequest, PutReply, RefsReply, SwapReply, SwapRequest
from oxcore.wire.routes import IDS_TYPE, JSON_TYPE, RepoName, action_path


class HttpRemote:
    """The repository ``repo`` of the hub at ``base`` as a ``transfer.Remote``."""

    def __init__(
        self,
        base: str,
        repo: RepoName,
        token: str | None = None,
        counters: Counters | None = None,
        connection: Connection | None = None,
    ) -> None:
        self.client = HubClient(base, token, counters, connection)
        self._repo = repo

    @property
    def address(self) -> str:
        """The URL."""
        return f"{self.client.base}/{self._repo}"

    def refs(self) -> RefsReply:
        """Its branches and tags."""
        return RefsReply.decode(self.client.call("GET", self._path("refs")))

    def has(self, oids: Sequence[bytes]) -> list[bool]:
        """For each id, whether it is there."""
        if not oids:
            return []
        answer = self.client.call("POST", self._path("has"), pack_ids(oids), IDS_TYPE)
        return unpack_bits(answer, len(oids))

    def fetch(self, oids: Sequence[bytes]) -> Iterator[Run]:
        """These objects. Where the line breaks, the rest is asked for again."""
        left = dict.fromkeys(oids)

        def again() -> Iterator[Run]:
            return self.client.open_stream(self._path("objects"), pack_ids(list(left)), IDS_TYPE)

        return self._resumed(again, left)

    def commits(self, request: CommitsRequest) -> Iterator[Run]:
        """The commits and tags that ``request`` asks for, from the start again where the line
        breaks, each given once."""

        def again() -> Iterator[Run]:
            return self.client.open_stream(self._path("commits"), request.encode(), JSON_TYPE)

        return _once(self._resumed(again, {}))

    def put(self, runs: Iterable[Run]) -> PutReply:
        """Stream these objects, once: after ``UnreachableError`` ask ``has``, and send the rest."""
        return PutReply.decode(self.client.send_stream(self._path("push"), encode_stream(runs)))

    def swap(self, request: SwapRequest) -> SwapReply:
        """Move refs; repeated under the same write-id where the answer is lost."""
        answer = self.client.call("POST", self._path("swap"), request.encode(), JSON_TYPE)
        return SwapReply.decode(answer)

    def append(self, request: AppendRequest) -> AppendReply:
        """Add files to the tip of a branch."""
        answer = self.client.call("POST", self._path("append"), request.encode(), JSON_TYPE)
        return AppendReply.decode(answer)

    def create(self) -> None:
        """Make the repository."""
        self.client.create(self._repo)

    def close(self) -> None:
        """Close the connections."""
        self.client.close()

    def _path(self, action: str) -> str:
        return action_path(self._repo, action)

    def _resumed(
        self, again: Callable[[], Iterator[Run]], left: dict[bytes, None]
    ) -> Iterator[Run]:
        """Objects of ``again()``, begun anew after a break; what was given goes out of ``left``."""
        failed = 0
        while True:
            try:
                for run in again():
                    failed = 0
                    for oid in run.ids:
                        left.pop(oid, None)
                    yield run
            except (UnreachableError, BusyError):
                failed += 1
                if failed >= self.client.connection.tries:
                    raise
                self.client.pause(failed)
            else:
                return


def _once(runs: Iterator[Run]) -> Iterator[Run]:
    seen: set[bytes] = set()
    for run in runs:
        fresh = [at for at, oid in enumerate(run.ids) if oid not in seen]
        seen.update(run.ids)
        yield run if len(fresh) == len(run.ids) else run.pick(fresh)
