"""The answering side: what a repository says to another one, over whatever wire."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter

from oxcore.model.ids import parse_id
from oxcore.model.protocols import Location
from oxcore.model.run import Run
from oxcore.refs.names import HEADS, TAGS
from oxcore.repo import Repository
from oxcore.transfer.append import apply_append
from oxcore.transfer.commits import select
from oxcore.transfer.receive import receive
from oxcore.transfer.update import apply_swap
from oxcore.wire.append import AppendReply, AppendRequest
from oxcore.wire.messages import CommitsRequest, PutReply, RefsReply, SwapReply, SwapRequest


class Endpoint:
    """Answers for ``repo``; ``who`` is written into its operation log, ``write`` is what
    ``refs`` tells of the caller's rights."""

    def __init__(self, repo: Repository, *, who: str = "", write: bool = True) -> None:
        self.repo = repo
        self._who = who
        self._write = write

    def refs(self) -> RefsReply:
        """Branches and tags."""
        view = self.repo.view()
        refs = {**view.refs(HEADS), **view.refs(TAGS)}
        name, commit = view.head()
        head = f"ref:{name}" if name is not None else commit or ""
        return RefsReply(head, refs, tuple(sorted(self.repo.shallow())), self._write)

    def has(self, oids: Sequence[bytes]) -> list[bool]:
        """For each id, whether it is here."""
        return self.repo.store.has_many(oids)

    def objects(self, oids: Sequence[bytes]) -> tuple[Iterator[Run], list[bytes]]:
        """Those of the objects that are here, in the order of the disk, chunks as deltas where
        they lie so; the ids of the others."""
        found: dict[bytes, Location] = {}
        missing: list[bytes] = []
        for oid, where in zip(oids, self.repo.store.locate(oids), strict=True):
            if where is None:
                missing.append(oid)
            else:
                found[oid] = where
        places = sorted(found.items(), key=itemgetter(1))
        return self.repo.store.get_runs_at(places, deltas=True), missing

    def commits(self, request: CommitsRequest) -> tuple[Iterator[Run], list[bytes]]:
        """The commits and tags that are asked for, and wanted ids that are not here."""
        chosen = select(self.repo, request)
        return self.repo.store.get_runs(chosen.ids), chosen.missing

    def put(self, runs: Iterable[Run]) -> PutReply:
        """Verify and store."""
        return receive(self.repo, runs)

    def swap(self, request: SwapRequest) -> SwapReply:
        """Move refs."""
        return apply_swap(self.repo, request, self._who)

    def append(self, request: AppendRequest) -> AppendReply:
        """Add files to the tip of a branch."""
        return apply_append(self.repo, request, self._who)

    def branch_tip(self, name: str) -> bytes | None:
        """The commit of a branch, or None."""
        value = self.repo.view().get(f"{HEADS}{name}")
        return None if value is None else parse_id(value)
