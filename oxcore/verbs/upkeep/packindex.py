"""The index against the packs: it is a cache, and the packs are the truth."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import islice

from oxcore.errors import CorruptError, FormatError, MissingError
from oxcore.model.protocols import Location
from oxcore.repo import Repository

_AT_ONCE = 4096  # objects looked up together


@dataclass(slots=True)
class IndexReport:
    """Objects of packs that the index lacks (``missing``) or has elsewhere in the same pack
    (``wrong``); ``dangling``: objects that it claims and that no pack has; names of packs that it
    does not know (``unknown``) or that are gone (``vanished``)."""

    objects: int = 0
    missing: int = 0
    wrong: int = 0
    dangling: int = 0
    unknown: list[bytes] = field(default_factory=list)
    vanished: list[bytes] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Whether index and packs say the same."""
        return not (self.missing or self.wrong or self.dangling or self.unknown or self.vanished)


def check_index(repo: Repository) -> IndexReport:
    """Compare every entry of the index with the indexes of the packs.

    Packs whose own index is damaged are left out. Reads no object.
    """
    report = IndexReport()
    numbers = repo.index.locations.packs()
    by_name = {name: number for number, name in numbers.items()}
    there = repo.store.files.names()
    report.vanished = sorted(set(by_name) - there)
    agreed: Counter[int] = Counter()
    unread: set[int | None] = set()
    for name in sorted(there):
        number = by_name.get(name)
        try:
            rows = repo.store.files.index(name).rows(-1 if number is None else number)
        except (CorruptError, FormatError, MissingError):
            unread.add(number)
            continue
        if number is None:
            report.unknown.append(name)
            continue
        while batch := list(islice(rows, _AT_ONCE)):
            _compare(repo, batch, number, report, agreed)
    claimed = Counter(where.pack for _, where in repo.index.locations.ids())
    report.dangling = sum(
        max(0, count - agreed[number]) for number, count in claimed.items() if number not in unread
    )
    return report


def rebuild_index(repo: Repository) -> None:
    """Throw away what the index says about packs and read it from them anew. It needs the lock."""
    repo.index.locations.clear()
    repo.store.refresh()


def _compare(
    repo: Repository,
    batch: list[tuple[bytes, Location]],
    number: int,
    report: IndexReport,
    agreed: Counter[int],
) -> None:
    places = repo.store.locate([oid for oid, _ in batch])
    for (_, row), where in zip(batch, places, strict=True):
        report.objects += 1
        if where is None:
            report.missing += 1
        elif where == row:
            agreed[number] += 1
        elif where.pack == number:
            report.wrong += 1
            agreed[number] += 1
