"""``fsck``: what of the stored data is proved, and what is wrong; with repair.

Checked are every pack (header, lengths, checksum, the bytes of each object), the index against
the packs, the operation log record by record, and all that refs, stashes, the stage and a waiting
merge lead to. See ``oxcore.verbs.upkeep.prove`` for what is proved of these.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field

from oxcore.errors import CorruptError, DeniedError, NotFoundError, UnreachableError, counted
from oxcore.repo import Repository
from oxcore.store import MemoryLocator
from oxcore.verbs.remotes import connect, remotes
from oxcore.verbs.upkeep.audit import PackAudit, audit_index, audit_log, audit_packs
from oxcore.verbs.upkeep.leftovers import bad_packs
from oxcore.verbs.upkeep.packindex import rebuild_index
from oxcore.verbs.upkeep.prove import Known, Problem, Proved, Prover
from oxcore.verbs.upkeep.relog import mend_log
from oxcore.verbs.upkeep.repair import Healer, save_packs

_ROUNDS = 4  # what was mended may show what else is wrong


@dataclass(frozen=True, slots=True)
class Checked:
    """What ``fsck`` found: ``problems`` that are there, those ``repaired``, damaged files that were
    put ``aside`` (paths), and packs that were ``aside_before``; refs that ``rescued`` commits which
    nothing named; remotes that could not be asked, or could not help; and the counts of what was
    read."""

    problems: tuple[Problem, ...]
    repaired: tuple[Problem, ...]
    aside: tuple[str, ...]
    aside_before: tuple[str, ...]
    rescued: tuple[str, ...]
    unreachable: tuple[str, ...]
    unhelpful: tuple[str, ...]
    quick: bool
    packs: int
    objects: int
    nbytes: int
    operations: int
    proved: Proved

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong (any more)."""
        return not self.problems


@dataclass(slots=True)
class _Look:
    audit: PackAudit
    prover: Prover
    operations: int
    problems: dict[tuple[str, str], Problem]
    aside: list[str]

    def wanted(self) -> list[bytes]:
        """Ids of objects that a remote may help with."""
        named = [one.what for one in self.problems.values() if one.kind in ("corrupt", "missing")]
        ids = [bytes.fromhex(name) for name in named if len(name) == 64]
        return list(dict.fromkeys([*self.prover.broken, *ids]))


@dataclass(slots=True)
class _Mended:
    aside: list[str] = field(default_factory=list)
    rescued: list[str] = field(default_factory=list)
    unreachable: list[str] = field(default_factory=list)
    unhelpful: list[str] = field(default_factory=list)


def fsck(
    repo: Repository,
    *,
    quick: bool = False,
    repair: bool = False,
    sources: Sequence[str] = (),
) -> Checked:
    """Check all stored data.

    ``quick`` reads no content of files: packs by checksum and lengths, files by presence.
    ``repair`` rebuilds the index, puts damaged packs aside after saving what is sound in them,
    goes on from what is sound in a damaged log (``verbs.upkeep.relog``), and fetches what is
    missing or damaged from ``sources`` (names of remotes, paths or URLs; none: all remotes); what
    comes is proved before it is kept. It needs the lock.
    """
    look = _look(repo, quick=quick)
    mended = _Mended()
    if not repair or not look.problems:
        return _report(look, look, mended, quick=quick)
    with repo.lock("fsck"):
        last = look = _look(repo, quick=False)
        for _ in range(_ROUNDS):
            if not _mend(repo, last, sources, mended):
                break
            last = _look(repo, quick=False)
    return _report(look, last, mended, quick=False)


def _look(repo: Repository, *, quick: bool) -> _Look:
    _, index = audit_index(repo)
    with _without_index(repo) if index else nullcontext():
        audit = audit_packs(repo, deep=not quick)
        known = Known(audit.bad_ids(), audit.proved, chunks=not quick)
        prover = Prover(repo, full=not quick, known=known)
        prover.problems = {one.what: one for one in audit.problems}
        if _has_state(repo):
            prover.state()
    operations, log = audit_log(repo)
    every = [*index, *log, *prover.problems.values()]
    problems = {(one.kind, f"{one.what} {one.message}"): one for one in every}
    return _Look(audit, prover, operations, problems, [bad.path for bad in bad_packs(repo)])


def _has_state(repo: Repository) -> bool:
    """Whether the log tells what the refs are; if not, that is a problem that ``audit_log`` has."""
    try:
        repo.view()
    except CorruptError:
        return False
    return True


@contextmanager
def _without_index(repo: Repository) -> Iterator[None]:
    """Find objects by what the packs say, held in memory, for the length of the block."""
    usual, repo.store.locator = repo.store.locator, MemoryLocator()
    try:
        repo.store.refresh()
        yield
    finally:
        repo.store.locator = usual
        repo.store.refresh()


def _mend(repo: Repository, look: _Look, sources: Sequence[str], mended: _Mended) -> bool:
    """Mend what can be mended; whether anything was done."""
    kinds = {kind for kind, _ in look.problems}
    done = bool(look.audit.bad)
    mended.aside += save_packs(repo, look.audit.bad)
    if "index" in kinds:
        rebuild_index(repo)
        done = True
    if "log" in kinds:
        log = mend_log(repo)
        mended.aside += log.aside
        mended.rescued += log.rescued
        done |= bool(log.aside)
    wanted = look.wanted()
    return bool(wanted and _fetch(repo, wanted, sources, mended)) or done


def _fetch(repo: Repository, wanted: list[bytes], sources: Sequence[str], mended: _Mended) -> int:
    count = 0
    for source in sources or [remote.name for remote in remotes(repo)]:
        try:
            _, connection = connect(repo, source)
            with connection as remote:
                healer = Healer(repo, remote)
                count += healer.heal(wanted)
        except (UnreachableError, DeniedError, NotFoundError) as error:
            if sources:
                raise
            mended.unreachable.append(f"{source}: {error.message}")
        else:
            if healer.spoiled:
                mended.unhelpful.append(_spoiled(source, len(healer.spoiled)))
    return count


def _spoiled(source: str, count: int) -> str:
    return (
        f"{source}: its copy of {counted(count, 'object')} is damaged too; a clone by path shares "
        "packs with where it came from: ask one that was made over the net or with a copy"
    )


def _report(first: _Look, last: _Look, mended: _Mended, *, quick: bool) -> Checked:
    gone = [one for key, one in first.problems.items() if key not in last.problems]
    return Checked(
        problems=tuple(last.problems.values()),
        repaired=tuple(gone),
        aside=tuple(mended.aside),
        aside_before=tuple(first.aside),
        rescued=tuple(mended.rescued),
        unreachable=tuple(dict.fromkeys(mended.unreachable)),
        unhelpful=tuple(dict.fromkeys(mended.unhelpful)),
        quick=quick,
        packs=last.audit.packs,
        objects=last.audit.objects,
        nbytes=last.audit.nbytes,
        operations=last.operations,
        proved=last.prover.counts,
    )
