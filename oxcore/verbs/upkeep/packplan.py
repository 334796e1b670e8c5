"""Which packs go, which are written anew, and exactly what that gives."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from oxcore.codec.pack import HEADER, TRAILER_SIZE
from oxcore.model.ids import ID_LEN, Kind
from oxcore.model.protocols import How, Location
from oxcore.repo import Repository
from oxcore.store import PACK_SIZE, PackInfo

SHARE = 0.7  # of a pack's bytes must be needed, or it is written anew
SMALL = 1 << 20  # bytes; packs below are gathered into one,
FEW = 50  # if there are more than so many of them

_ROW = ID_LEN + 10  # bytes of one entry of a pack's index, see oxcore.codec.pack
_FRAME = len(HEADER) + TRAILER_SIZE
_CHUNK, _DELTA = int(Kind.CHUNK), int(How.DELTA)

Row = tuple[bytes, Location]


@dataclass(slots=True)
class PackPlan:
    """Names of packs to ``drop`` and to ``rewrite``, ids to ``keep``, and the sums before and
    after; ``young`` counts packs that are left alone for their age. ``copies``: id and kind of
    objects of which one copy goes and another stays."""

    drop: list[bytes] = field(default_factory=list)
    rewrite: list[bytes] = field(default_factory=list)
    keep: set[bytes] = field(default_factory=set)
    copies: list[tuple[bytes, int]] = field(default_factory=list)
    young: int = 0
    objects: int = 0
    objects_gone: int = 0
    packs_before: int = 0
    packs_after: int = 0
    bytes_before: int = 0
    bytes_after: int = 0


@dataclass(slots=True)
class _Look:
    """One pack: entries and bytes of payloads, in all and of those needed; whether it holds a
    manifest, node or commit that nobody needs."""

    info: PackInfo
    rows: int = 0
    nbytes: int = 0
    live: int = 0
    live_bytes: int = 0
    loose: bool = False

    def is_thin(self) -> bool:
        return self.loose or self.live_bytes < SHARE * self.nbytes


def plan_packs(repo: Repository, needed: set[bytes], young: set[bytes]) -> PackPlan:
    """Plan for the packs that are not ``young``. ``needed`` grows by the bases of deltas.

    Raises ``CorruptError`` for a pack whose index is damaged.
    """
    names = sorted(repo.store.files.names())
    with_deltas = [name for name in names if any(_deltas(repo, name))]
    _add_bases(repo, with_deltas, needed, young)
    looks = _looks(repo, needed)
    old = [look for name, look in looks.items() if name not in young]
    plan = PackPlan(keep=needed, young=len(looks) - len(old))
    small = [look for look in old if look.live and look.info.size < SMALL]
    gathered = {look.info.name for look in small} if len(small) > FEW else set()
    plan.drop = [look.info.name for look in old if not look.live]
    plan.rewrite = [
        look.info.name
        for look in old
        if look.live and (look.is_thin() or look.info.name in gathered)
    ]
    _spare_bases(repo, plan, with_deltas)
    _sum_up(repo, plan, looks)
    return plan


def _rows(repo: Repository, name: bytes) -> Iterator[Row]:
    return repo.store.files.index(name).rows()


def _deltas(repo: Repository, name: bytes) -> Iterator[Row]:
    index = repo.store.files.index(name)
    if _DELTA not in index.hows:
        return iter(())
    return (row for row in index.rows() if row[1].how == _DELTA)


def _bases(repo: Repository, name: bytes, among: set[bytes] | None = None) -> Iterator[bytes]:
    """The bases of a pack's deltas; of those whose id is ``among`` these, if given."""
    handle = repo.store.files.open(name)
    for oid, where in _deltas(repo, name):
        if among is None or oid in among:
            yield handle.read(where.offset, ID_LEN)


def _add_bases(
    repo: Repository, names: Sequence[bytes], needed: set[bytes], young: set[bytes]
) -> None:
    """A base is needed as long as a delta is; bases may be deltas themselves."""
    size = -1
    while size != len(needed):
        size = len(needed)
        for name in names:
            needed.update(list(_bases(repo, name, None if name in young else needed)))


def _looks(repo: Repository, needed: set[bytes]) -> dict[bytes, _Look]:
    numbers = {name: number for number, name in repo.index.locations.packs().items()}
    looks: dict[bytes, _Look] = {}
    for info in repo.store.packs():
        look = looks[info.name] = _Look(info)
        rows = list(_rows(repo, info.name))
        places = repo.store.locate([oid for oid, _ in rows])
        for (oid, row), where in zip(rows, places, strict=True):
            look.rows += 1
            look.nbytes += row.stored
            if oid not in needed:
                look.loose |= row.kind != _CHUNK
            elif where is None or where.pack == numbers.get(info.name):
                look.live += 1
                look.live_bytes += row.stored
    return looks


def _spare_bases(repo: Repository, plan: PackPlan, with_deltas: Sequence[bytes]) -> None:
    """What stays as it is may hold deltas nobody needs, and they still name their bases.

    Dropped in one go are packs that hold no base of a delta elsewhere.
    """
    doomed = {*plan.drop, *plan.rewrite}
    plan.keep.update(_all_bases(repo, with_deltas, doomed))
    while plan.drop and with_deltas:
        bases = _all_bases(repo, with_deltas, set(plan.drop))
        held = [name for name in plan.drop if any(oid in bases for oid, _ in _rows(repo, name))]
        if not held:
            break
        plan.drop = [name for name in plan.drop if name not in held]
        plan.rewrite = sorted([*plan.rewrite, *held])


def _all_bases(repo: Repository, names: Iterable[bytes], without: set[bytes]) -> set[bytes]:
    return {base for name in names if name not in without for base in _bases(repo, name)}


def _sum_up(repo: Repository, plan: PackPlan, looks: dict[bytes, _Look]) -> None:
    doomed = [*plan.drop, *plan.rewrite]
    sizes = _copied(repo, plan)
    plan.objects = sum(look.rows for look in looks.values())
    plan.objects_gone = sum(looks[name].rows for name in doomed) - sum(map(len, sizes))
    plan.packs_before, plan.packs_after = len(looks), len(looks) - len(doomed) + len(sizes)
    plan.bytes_before = sum(look.info.size for look in looks.values())
    written = sum(_FRAME + sum(_ROW + size for size in pack) for pack in sizes)
    plan.bytes_after = plan.bytes_before + written - sum(looks[one].info.size for one in doomed)


def _copied(repo: Repository, plan: PackPlan) -> list[list[int]]:
    """Stored lengths of what goes into new packs, pack by pack, as the store will write them."""
    doomed = {*plan.drop, *plan.rewrite}
    leaving = {n for n, name in repo.index.locations.packs().items() if name in doomed}
    packs: list[list[int]] = []
    taken: set[bytes] = set()
    end = PACK_SIZE
    for oid, row, stays in _kept_rows(repo, plan, leaving):
        if stays:
            plan.copies.append((oid, row.kind))
        elif oid not in taken:
            taken.add(oid)
            if end >= PACK_SIZE:
                packs.append([])
                end = len(HEADER)
            packs[-1].append(row.stored)
            end += row.stored
    return packs


def _kept_rows(
    repo: Repository, plan: PackPlan, leaving: set[int]
) -> Iterator[tuple[bytes, Location, bool]]:
    """Rows of packs that go whose objects do not, and whether another copy of it stays."""
    for name in [*plan.drop, *plan.rewrite]:
        rows = [row for row in _rows(repo, name) if row[0] in plan.keep]
        places = repo.store.locate([oid for oid, _ in rows])
        for (oid, row), where in zip(rows, places, strict=True):
            yield oid, row, where is not None and where.pack not in leaving
