"""The audit of stored data: packs down to each payload, the index, the operation log."""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from oxcore.codec import oplog
from oxcore.errors import CorruptError, FormatError, MissingError
from oxcore.fs.atomic import storage_errors
from oxcore.model.ids import Kind
from oxcore.model.protocols import Location
from oxcore.refs import gaps, sound_records
from oxcore.repo import Repository
from oxcore.store import PackReport, content
from oxcore.verbs.upkeep.packindex import IndexReport, check_index
from oxcore.verbs.upkeep.prove import FAULTS, Problem

_FILE = int(Kind.FILE)


@dataclass(slots=True)
class PackAudit:
    """What was found in the packs: counts, ``bad`` packs with the ids of their wrong objects
    (none: the pack as a whole can't be read), manifests that were ``proved``, and those that are
    ``broken`` because a part is missing, or because it names a wrong one."""

    packs: int = 0
    objects: int = 0
    nbytes: int = 0
    bad: dict[bytes, tuple[bytes, ...]] = field(default_factory=dict)
    proved: set[bytes] = field(default_factory=set)
    broken: dict[bytes, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def bad_ids(self) -> set[bytes]:
        """The ids of all objects with wrong bytes."""
        return {oid for oids in self.bad.values() for oid in oids}


def audit_packs(repo: Repository, *, deep: bool = True) -> PackAudit:
    """Read every pack: its checksum and lengths and, if ``deep``, the bytes of each object.

    A manifest must also assemble to its id, if its parts are here.
    """
    audit = PackAudit()
    names = sorted(repo.store.files.names())
    repo.settings.progress.start("checking packs", len(names), "packs")
    for name in names:
        report = repo.store.check_pack(name, deep=deep)
        if report.problem and name not in repo.store.files.names():
            continue  # it was collected meanwhile
        audit.packs += 1
        audit.objects += report.objects
        audit.nbytes += report.size
        wrong = list(_wrong_manifests(repo, report, audit)) if deep else []
        if wrong or not report.sound:
            audit.bad[name] = (*report.bad, *wrong)
            audit.problems.extend(_problems(report, wrong))
        repo.settings.progress.step(1, report.size)
    repo.settings.progress.done()
    for oid, why in audit.broken.items():
        text = f"file {oid.hex()} is not whole: {why}"
        audit.problems.append(Problem("missing", oid.hex(), text))
    return audit


def _problems(report: PackReport, wrong: list[bytes]) -> Iterator[Problem]:
    pack = f"{report.name.hex()}.pack"
    if report.problem:
        yield Problem("corrupt", pack, report.problem)
    for oid in (*report.bad, *wrong):
        yield Problem("corrupt", oid.hex(), f"object {oid.hex()} in {pack} is damaged")


def _wrong_manifests(repo: Repository, report: PackReport, audit: PackAudit) -> Iterator[bytes]:
    """Manifests of one pack that do not assemble to their id."""
    for oid, data in _manifests(repo, report):
        try:
            content.prove_manifest(repo.store, oid, data)
        except MissingError as error:
            if _is_outdone(repo, oid, data):
                yield oid
            else:
                audit.broken[oid] = error.message
        except CorruptError as error:
            if error.items[:1] == (oid.hex(),):
                yield oid
        else:
            audit.proved.add(oid)


def _is_outdone(repo: Repository, oid: bytes, data: bytes) -> bool:
    """Whether another copy of a manifest is whole, so that this one is to blame for the gap."""
    try:
        if repo.store.get(oid, Kind.FILE) == data:
            return False
        return all(content.read(repo.store, oid))
    except FAULTS:
        return False


def _manifests(repo: Repository, report: PackReport) -> Iterator[tuple[bytes, bytes]]:
    """Id and bytes of each manifest in the pack that can be read."""
    if report.problem:
        return
    with suppress(*FAULTS):
        handle = repo.store.files.open(report.name)
        for oid, row in repo.store.files.index(report.name).rows():
            if row.kind == _FILE and oid not in report.bad:
                payload = handle.read(row.offset, row.stored)
                yield oid, repo.store.decode(row.how, payload, row.raw)


def audit_index(repo: Repository) -> tuple[IndexReport, list[Problem]]:
    """Compare the index with the packs; a difference is looked at again with the lock held."""
    repo.store.refresh()
    report = check_index(repo)
    if not report.sound:
        with repo.lock("fsck"):
            repo.store.refresh()
            report = check_index(repo)
    told = {
        "objects of packs are not in the index": report.missing,
        "objects are elsewhere in their pack than the index says": report.wrong,
        "objects in the index are in no pack": report.dangling,
        "packs are not in the index": len(report.unknown),
        "packs in the index are gone": len(report.vanished),
    }
    return report, [
        Problem("index", "index", f"{count:,} {what}") for what, count in told.items() if count > 0
    ]


def audit_log(repo: Repository) -> tuple[int, list[Problem]]:
    """Read the operation log to its end: how many operations it holds, and what is wrong."""
    with storage_errors("read the operation log"), open(log_path(repo), "rb") as file:
        data = file.read()
    try:
        oplog.check_header(data)
    except (CorruptError, FormatError) as error:
        return 0, [Problem("log", "oplog", error.message)]
    numbers, end, between = array("Q"), len(oplog.HEADER), 0
    based = False
    for record in sound_records(data):
        based |= not numbers and record.operation.verb == "base"
        between += record.start - end
        numbers.append(record.operation.number)
        end = record.start + len(record.raw)
    texts = list(_lacking(numbers, between, based=based))
    if end != len(data):
        texts.append(
            f"{len(data) - end:,} bytes behind operation {numbers[-1] if numbers else 0} are no "
            "sound record: damaged, or of an operation that a crash cut short before it was done"
        )
    return len(numbers), [Problem("log", "oplog", text) for text in texts]


def _lacking(numbers: Sequence[int], between: int, *, based: bool) -> Iterator[str]:
    """What is wrong before the last sound record; ``between``: bytes that are in none."""
    lost = list(gaps(numbers, based=based))
    for first, last in lost:
        if first > last:
            yield f"the operation log is out of order before operation {last + 1}"
        elif first == last:
            yield f"operation {first} of the operation log is damaged or missing"
        else:
            yield f"operations {first} to {last} of the operation log are damaged or missing"
    if between and not lost:
        yield f"{between:,} bytes between operations are no sound record"


def log_path(repo: Repository) -> str:
    """Where the operation log lies."""
    return os.path.join(repo.folder, "oplog")


def rows_of(repo: Repository, name: bytes) -> list[tuple[bytes, Location]]:
    """The objects of a pack: as it says itself or, if it cannot, as the index remembers it."""
    try:
        return list(repo.store.files.index(name).rows())
    except (CorruptError, FormatError):
        numbers = [n for n, known in repo.index.locations.packs().items() if known == name]
        every = repo.index.locations.ids()
        return [(oid, where) for oid, where in every if where.pack in numbers]
