"""Gets what is lacking here from the other side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from oxcore.model.ids import parse_id
from oxcore.repo import Repository
from oxcore.transfer.commits import Link, new_commits, ref_commits
from oxcore.transfer.inflow import Inflow
from oxcore.transfer.levels import new_nodes, read_from
from oxcore.transfer.local import LocalRemote
from oxcore.transfer.remote import Remote
from oxcore.wire.ids import MAX_IDS
from oxcore.wire.messages import CommitsRequest, RefsReply


@dataclass(slots=True)
class FetchReport:
    """What a fetch did: commits that were new here, objects and payload bytes received.

    ``shallow``: the commits whose parents are not here, as the state must tell from now on;
    ``linked``: packs taken over as hard links.
    """

    commits: int = 0
    objects: int = 0
    nbytes: int = 0
    shallow: frozenset[bytes] = frozenset()
    linked: int = 0


def fetch(
    repo: Repository,
    remote: Remote,
    wants: Iterable[bytes],
    *,
    refs: RefsReply | None = None,
    depth: int | None = None,
    files: bool = True,
) -> FetchReport:
    """Get all that the commits and tags ``wants`` need and that is not here; moves no ref.

    ``depth`` leaves out commits beyond so many; ``files`` False leaves out the content of files.
    ``refs``: the answer of ``remote.refs()``, if the caller has it. What has arrived stays when
    this is interrupted, and is not asked for again. Raises ``MissingError`` where the other
    side lacks something itself, ``CorruptError`` for bytes that do not fit their id.
    """
    targets = tuple(dict.fromkeys(wants))
    advertised = refs if refs is not None else remote.refs()
    report = FetchReport(shallow=repo.shallow())
    if depth is None and set(targets) <= {parse_id(one) for one in repo.view().refs().values()}:
        return report
    if depth is None and files:
        report.linked = _link(repo, remote)
    objects, size = repo.counters.objects_received, repo.counters.bytes_received
    have = tuple(ref_commits(repo)[:MAX_IDS])
    request = CommitsRequest(targets, have, tuple(sorted(repo.shallow()))[:MAX_IDS], depth)
    repo.settings.progress.start("receiving history", unit="objects")
    with repo.store.batch() as batch:
        batch.seal_partial()
        inflow = Inflow(repo, remote, batch)
        links = inflow.commits(request)
        edge = _Edge(repo, links, have, limited=depth is not None or bool(advertised.shallow))
        report.shallow = edge.shallow()
        _trees(repo, inflow, links, edge.bases(), files=files)
        inflow.finish()
    repo.settings.progress.done()
    report.commits = len(links)
    report.objects = repo.counters.objects_received - objects
    report.nbytes = repo.counters.bytes_received - size
    return report


def _trees(
    repo: Repository,
    inflow: Inflow,
    links: dict[bytes, Link],
    bases: set[bytes],
    *,
    files: bool,
) -> None:
    roots = {link.tree for link in links.values()}
    local = read_from(repo.store)
    for run in new_nodes(roots, bases, inflow.read_nodes, local, inflow.want_nodes):
        if files:
            inflow.want_files(run.files())
    inflow.finish_files()


class _Edge:
    """Where the new commits meet what is here: base trees, and commits without their parents."""

    def __init__(
        self, repo: Repository, links: dict[bytes, Link], have: Sequence[bytes], *, limited: bool
    ) -> None:
        self._repo = repo
        self._links = links
        self._outer = {parent for link in links.values() for parent in link.parents} - links.keys()
        self._old = repo.shallow()
        # Without limits the other side leaves out only what `have` reaches. Else it must be looked
        # up: a commit that is here may be what an interrupted fetch left, without its files.
        self._limited = limited or bool(self._old)
        if self._limited:
            reached = {oid for oid, _ in new_commits(repo, have, (), frozenset())}
            self._outer &= reached

    def bases(self) -> set[bytes]:
        """The trees of the old commits that new ones stand on."""
        return {self._repo.commit(oid).tree for oid in self._outer}

    def shallow(self) -> frozenset[bytes]:
        """All commits of the repository that lack a parent."""
        if not self._limited:
            return frozenset()
        new = {oid: link.parents for oid, link in self._links.items()}
        old = {oid: self._repo.commit(oid).parents for oid in self._old}
        return frozenset(
            oid
            for oid, parents in {**old, **new}.items()
            if not all(parent in self._links or parent in self._outer for parent in parents)
        )


def _link(repo: Repository, remote: Remote) -> int:
    """Take over the packs of a local remote as hard links, if there is nothing here yet."""
    if not isinstance(remote, LocalRemote) or repo.store.files.names():
        return 0
    return len(repo.store.link_from(remote.packs))
