"""``gc``: delete what nothing refers to, and keep the packs few and full.

Needed is what the state leads to, what the operations that are kept name (so that ``undo``
works), and what lies in young packs with all that it refers to (somebody may be about to use
it). Of manifests, nodes and commits none is left without what it names: who stores a file later
may trust that a manifest which is there is whole.

Order: the log is pruned first, so that it never names what is gone; new packs are durable and
indexed before an old one goes.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from oxcore import tree
from oxcore.codec.oplog import Operation
from oxcore.errors import CorruptError, MissingError, StorageError
from oxcore.fs.atomic import remove_quietly
from oxcore.model.commits import Moment
from oxcore.model.ids import Kind
from oxcore.model.retention import GRACE, KEEP
from oxcore.repo import Repository
from oxcore.repo.survey import sync_stat
from oxcore.verbs.moving import intent
from oxcore.verbs.upkeep.leftovers import BadPack, bad_packs, clean_leftovers
from oxcore.verbs.upkeep.mark import Marker, always_shallow, row_root
from oxcore.verbs.upkeep.packindex import check_index, rebuild_index
from oxcore.verbs.upkeep.packplan import PackPlan, plan_packs
from oxcore.verbs.upkeep.roots import Root, operation_roots, shallow_ids, view_roots


@dataclass(frozen=True, slots=True)
class Collected:
    """What ``gc`` did or, with ``dry_run``, would do.

    ``objects`` and ``nbytes`` are those that go: objects, and bytes of all pack files together
    before less after; ``kept_objects`` and ``kept_bytes`` what stays. ``packs`` and
    ``packs_after`` count files, ``young`` those that were left alone for their age.
    ``operations`` left the log; ``leftovers`` of crashes were removed. ``damaged`` are ids of
    needed objects whose packs stay because their bytes are wrong: see ``fsck``. Of the damaged
    packs that ``fsck`` put aside, ``aside_gone`` are deleted; ``aside_left`` are too young, or
    something that is needed is missing. Both count bytes, which are in none of the other numbers.
    """

    dry_run: bool
    objects: int
    nbytes: int
    kept_objects: int
    kept_bytes: int
    packs: int
    packs_after: int
    young: int
    operations: int
    leftovers: int
    damaged: tuple[bytes, ...]
    aside_gone: int
    aside_left: int


def gc(
    repo: Repository,
    *,
    grace: float = GRACE,
    keep_operations: float | None = KEEP,
    dry_run: bool = False,
) -> Collected:
    """Delete objects that nothing needs, and repack.

    ``grace``: seconds for which a pack stays as it is. ``keep_operations``: seconds for which
    operations stay in the log and can be undone; None keeps all. Raises ``MissingError`` or
    ``CorruptError`` where something on the way to needed objects cannot be read; then nothing
    was deleted.
    """
    if dry_run:
        repo.store.refresh()
        return _report(repo, _plan(repo, grace, keep_operations), dry_run=True)
    with repo.lock("gc"):
        intent.recover(repo)
        if repo.worktree is not None:
            sync_stat(repo)  # or the stat cache would be of a tree that goes
        repo.store.refresh()
        if not check_index(repo).sound:
            rebuild_index(repo)
        return _collect(repo, grace, keep_operations)


@dataclass(frozen=True, slots=True)
class _Plan:
    packs: PackPlan
    operations: int  # that leave the log
    aside: list[BadPack]  # that go


def _collect(repo: Repository, grace: float, keep_operations: float | None) -> Collected:
    plan = _plan(repo, grace, keep_operations)
    _check_copies(repo, plan.packs)
    since = _since(repo, keep_operations)
    if plan.operations and since is not None:
        try:
            repo.state.prune(time=repo.settings.clock(), keep_since_us=since)
        except StorageError:  # the disk is full: then delete what even the whole log does not name
            plan = _plan(repo, grace, None)
    return _sweep(repo, plan)


def _plan(repo: Repository, grace: float, keep_operations: float | None) -> _Plan:
    kept, gone = _operations(repo, keep_operations)
    before = time.time_ns() - round(grace * 1e9)
    young = {pack.name for pack in repo.store.packs() if pack.mtime_ns > before}
    try:
        needed = _mark(repo, kept, young)
        old = [pack for pack in bad_packs(repo) if pack.since * 1e9 <= before]
        # While something is missing, its damaged bytes may be all that is left of it.
        aside = old if old and all(repo.store.has_many(list(needed - {tree.EMPTY}))) else []
        return _Plan(plan_packs(repo, needed, young), gone, aside)
    except (MissingError, CorruptError) as error:
        raise type(error)(
            f"nothing was deleted: {error.message}",
            hint="repair it first: ox fsck --repair",
            items=error.items,
        ) from error


def _operations(repo: Repository, keep: float | None) -> tuple[list[Operation], int]:
    """The operations that stay in the log, and how many leave it. As ``State.prune`` has it."""
    every = list(repo.state.operations(newest_first=False))
    since = _since(repo, keep)
    first = 0
    if since is not None:
        recent = (place for place, one in enumerate(every) if one.time.us >= since)
        first = next(recent, len(every))
    return every[first:], max(0, first - 1)


def _since(repo: Repository, keep: float | None) -> int | None:
    now: Moment = repo.settings.clock()
    return None if keep is None else now.us - round(keep * 1e6)


def _mark(repo: Repository, operations: list[Operation], young: set[bytes]) -> set[bytes]:
    view = repo.view()
    pairs = [one.changes["shallow"] for one in operations if "shallow" in one.changes]
    never = always_shallow([view.get("shallow"), *(value for pair in pairs for value in pair)])
    edge = shallow_ids(view.get("shallow"))
    repo.settings.progress.start("finding what is needed", unit="objects")
    marker = Marker(repo, edge)
    marker.follow(view_roots(view))
    marker.follow(_parents(repo, edge - never), lenient=True)
    marker.follow(operation_roots(operations), lenient=True)
    for name in sorted(young):
        rows = repo.store.files.index(name).rows()
        marker.follow((row_root(oid, row.kind) for oid, row in rows), lenient=True)
    repo.settings.progress.done()
    return marker.ids


def _parents(repo: Repository, commits: frozenset[bytes]) -> list[Root]:
    return [
        Root(Kind.COMMIT, parent, "shallow")
        for oid in sorted(commits)
        for parent in repo.commit(oid).parents
    ]


def _sweep(repo: Repository, plan: _Plan) -> Collected:
    packs = plan.packs
    damaged: tuple[bytes, ...] = ()
    leftovers = clean_leftovers(repo)
    for bad in plan.aside:
        remove_quietly(bad.path)
    repo.settings.progress.start("repacking", unit="packs")
    if packs.drop:  # first, since it takes no space
        repo.store.rewrite(drop=packs.drop, keep=lambda _: False)
    if packs.rewrite:
        done = repo.store.rewrite(drop=packs.rewrite, keep=packs.keep.__contains__)
        damaged = done.damaged
    repo.settings.progress.done()
    repo.index.facts.sweep(repo.index.locations.kinds)
    return _report(repo, plan, leftovers=leftovers, damaged=damaged)


def _check_copies(repo: Repository, packs: PackPlan) -> None:
    """Where one of two copies goes, the other must be sound."""
    for oid, kind in packs.copies:
        repo.store.get(oid, Kind(kind))


def _report(
    repo: Repository,
    plan: _Plan,
    *,
    dry_run: bool = False,
    leftovers: int = 0,
    damaged: tuple[bytes, ...] = (),
) -> Collected:
    packs = plan.packs
    gone = {bad.path for bad in plan.aside}
    return Collected(
        dry_run=dry_run,
        objects=packs.objects_gone,
        nbytes=packs.bytes_before - packs.bytes_after,
        kept_objects=packs.objects - packs.objects_gone,
        kept_bytes=packs.bytes_after,
        packs=packs.packs_before,
        packs_after=packs.packs_after,
        young=packs.young,
        operations=plan.operations,
        leftovers=leftovers if not dry_run else clean_leftovers(repo, dry_run=True),
        damaged=damaged,
        aside_gone=sum(bad.nbytes for bad in plan.aside),
        aside_left=sum(bad.nbytes for bad in bad_packs(repo) if bad.path not in gone),
    )
