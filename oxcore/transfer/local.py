"""A remote that is another folder: no server, the same rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from oxcore.errors import ExistsError, MissingError, NotARepoError, NotFoundError, counted
from oxcore.model.run import Run
from oxcore.model.settings import Settings
from oxcore.repo import Repository
from oxcore.transfer.endpoint import Endpoint
from oxcore.wire.append import AppendReply, AppendRequest
from oxcore.wire.messages import CommitsRequest, PutReply, RefsReply, SwapReply, SwapRequest


class LocalRemote:
    """The repository in the folder ``path`` (work tree, ``.ox`` or bare) as a ``Remote``.

    ``settings`` decides who is named in its operation log. Raises ``NotFoundError`` if there is
    no repository.
    """

    def __init__(self, path: str, settings: Settings | None = None) -> None:
        self.path = path
        try:
            self.repo = Repository.open(path, settings)
        except NotARepoError as error:
            raise NotFoundError(
                f"no repository at {path}", hint="make one with: ox init --bare PATH"
            ) from error
        self._end = Endpoint(self.repo, who=str(self.repo.who() or ""))

    @property
    def address(self) -> str:
        """The path."""
        return self.path

    @property
    def packs(self) -> str:
        """The folder of its packs, for hard links."""
        return self.repo.store.files.folder

    def refs(self) -> RefsReply:
        """Its branches and tags."""
        return self._end.refs()

    def has(self, oids: Sequence[bytes]) -> list[bool]:
        """For each id, whether it is there."""
        return self._end.has(oids)

    def fetch(self, oids: Sequence[bytes]) -> Iterator[Run]:
        """These objects; ``MissingError`` after the last if some are not there."""
        return _whole(*self._end.objects(oids))

    def commits(self, request: CommitsRequest) -> Iterator[Run]:
        """The commits and tags that ``request`` asks for."""
        return _whole(*self._end.commits(request))

    def put(self, runs: Iterable[Run]) -> PutReply:
        """Verify and store these objects."""
        return self._end.put(runs)

    def swap(self, request: SwapRequest) -> SwapReply:
        """Move refs, all or none."""
        return self._end.swap(request)

    def append(self, request: AppendRequest) -> AppendReply:
        """Add files to the tip of a branch."""
        return self._end.append(request)

    def create(self) -> None:
        """It is there: ``ExistsError``."""
        raise ExistsError(f"there is a repository at {self.path} already")

    def close(self) -> None:
        """Close the repository."""
        self.repo.close()


def _whole(runs: Iterator[Run], missing: list[bytes]) -> Iterator[Run]:
    yield from runs
    if missing:
        raise MissingError(
            f"the remote lacks {counted(len(missing), 'object')}",
            items=[oid.hex() for oid in missing],
        )
