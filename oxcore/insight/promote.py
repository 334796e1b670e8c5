"""Captured records into a dataset to train on and to test with: what is added, and what leaks.

A record goes where the hash of its group says (``split``), so that neither adding records nor
promoting them again moves any. What training and test would share is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from oxcore.errors import InvalidError, counted
from oxcore.insight import split
from oxcore.insight.alike import kind_of, likenesses
from oxcore.insight.chosen import Chosen, Picked
from oxcore.insight.dataset import (
    SPLITS,
    Dataset,
    Leak,
    Row,
    dump,
    join,
    leaks,
    load,
    table_path,
)
from oxcore.model.entries import Entry, show_path
from oxcore.repo import Repository

_LISTED = 20  # leaks that an error names


class Origin(NamedTuple):
    """Where records come from: the folder, and the commit in hex."""

    folder: str
    commit: str


class Candidate(NamedTuple):
    """A record that may become a row: the file of its input, and the row but for its split."""

    key: str
    entry: Entry
    row: Row


@dataclass(slots=True)
class Promoted:
    """What was promoted: rows ``added`` and ``relabelled`` by split, those that were there as they
    are (``same``), records left aside by reason, and how many rows the dataset has now.

    ``files``: what is to be written, by path; ``commit``: the new commit's id, with ``onto``."""

    share: float
    added: dict[str, int]
    relabelled: dict[str, int]
    same: int
    left: dict[str, int]
    leaks: list[Leak]
    totals: dict[str, int]
    files: dict[bytes, bytes | Entry] = field(default_factory=dict)
    commit: bytes | None = None


class Job:
    """What is to be promoted, to plan it on whatever the dataset at ``place`` then is. ``made`` and
    ``note`` are what the last plan came to."""

    made: Promoted

    def __init__(
        self,
        place: bytes,
        found: Sequence[Candidate],
        wanted: Sequence[str],
        share: float | None,
        *,
        drop_leaks: bool = False,
    ) -> None:
        self.place, self.found, self.wanted = place, found, wanted
        self.share, self.drop_leaks = share, drop_leaks

    def plan(self, repo: Repository, root: bytes) -> Promoted:
        """What becomes of the dataset in the tree ``root``; ``InvalidError`` if something leaks."""
        dataset = load(repo, root, self.place)
        share = share_of(dataset, self.share)
        made, rows, taken = merged(
            dataset, self.found, self.wanted, share, drop_leaks=self.drop_leaks
        )
        if rows != dataset.rows:
            made.files = files(self.place, made, dataset, rows, taken)
        self.made = made
        return made

    @property
    def note(self) -> str:
        """What was done, in words."""
        n = sum(self.made.added.values()) + sum(self.made.relabelled.values())
        sources = sorted({one.row["source_commit"][:12] for one in self.found})
        source = f" of {', '.join(sources)}" if sources else ""
        return f"promote {counted(n, 'record')}{source} into {show_path(self.place) or 'the top'}"


def candidates(repo: Repository, picked: Picked, origin: Origin) -> list[Candidate]:
    """The records that kept an input, each of which is read once for its likeness."""
    rows = [(one, one.entry) for one in picked.rows if one.entry is not None]
    alike = likenesses(repo, {(entry.id, kind_of(one.mime)): entry for one, entry in rows})
    return [
        Candidate(one.key, entry, _row(one, entry, alike[entry.id, kind_of(one.mime)], origin))
        for one, entry in rows
    ]


def merged(
    dataset: Dataset,
    found: Sequence[Candidate],
    wanted: Sequence[str],
    share: float,
    *,
    drop_leaks: bool = False,
) -> tuple[Promoted, dict[str, dict[str, Row]], list[Candidate]]:
    """The dataset with the records that belong to a split in ``wanted``: what changes, its rows,
    and the records that came in. ``InvalidError`` lists what training and test would share."""
    taken = [one for one in found if split.side(one.key, share) in wanted]
    away = len(found) - len(taken)
    rows, bad = _rows(dataset, taken, share), list[Leak]()
    if found_leaks := leaks(rows):
        new = {one.row["record_id"] for one in taken}
        if not drop_leaks:
            raise leaking(found_leaks)
        taken, bad = _without(dataset, taken, share, new)
        rows = _rows(dataset, taken, share)
    made = _counted(dataset, taken, rows, share)
    made.leaks = bad
    made.left = {"of the other split": away, "leaking": len(bad)}
    return made, rows, taken


def files(
    folder: bytes,
    made: Promoted,
    dataset: Dataset,
    rows: Mapping[str, Mapping[str, Row]],
    taken: Iterable[Candidate],
) -> dict[bytes, bytes | Entry]:
    """The files that the dataset gets: tables that change, new inputs, and its share."""
    found: dict[bytes, bytes | Entry] = {}
    if dataset.share is None:
        found[join(folder, split.NAME)] = split.dump(made.share)
    for name in SPLITS:
        if rows[name] != dataset.rows[name]:
            found[table_path(folder, name)] = dump(rows[name], dataset.more[name])
    for one in taken:
        found[join(folder, one.row["path"].encode())] = one.entry
    return found


def share_of(dataset: Dataset, asked: float | None) -> float:
    """The share of the test: what the dataset keeps, or what is asked the first time."""
    if dataset.share is None:
        return split.check(split.DEFAULT if asked is None else asked)
    if asked is not None and asked != dataset.share:
        raise InvalidError(
            f"the test's share is {dataset.share:g}, and stays",
            hint="another share would move rows: begin another dataset (--into)",
        )
    return dataset.share


def _row(one: Chosen, entry: Entry, alike: str | None, origin: Origin) -> Row:
    return {
        "record_id": one.record_id,
        "path": one.media,
        "mime": one.mime,
        "label": one.label,
        "value": one.value,
        "label_source": one.source,
        "output": one.output,
        "prediction": one.prediction,
        "group_key": one.group_key,
        "split": "",
        "input_hash": entry.id.hex(),
        "likeness": alike,
        "source_folder": origin.folder,
        "source_commit": origin.commit,
    }


_LABEL = ("label", "value", "label_source")


def _rows(dataset: Dataset, taken: Iterable[Candidate], share: float) -> dict[str, dict[str, Row]]:
    """All rows: those that are there stay as they are, unless their label is another now."""
    rows = {name: dict(dataset.rows[name]) for name in SPLITS}
    for one in taken:
        name = split.side(one.key, share)
        new = {**one.row, "split": name}
        old = rows[name].get(new["record_id"])
        if old is None or any(old[column] != new[column] for column in _LABEL):
            rows[name][new["record_id"]] = {**(old or {}), **new}
    return rows


def _without(
    dataset: Dataset, taken: list[Candidate], share: float, new: set[str]
) -> tuple[list[Candidate], list[Leak]]:
    """The records without those that leak; what is in the dataset already stays in it."""
    bad: list[Leak] = []
    while found := leaks(_rows(dataset, taken, share)):
        there = [{*dataset.rows[name]} for name in SPLITS]
        drop: set[str] = set()
        for leak in found:
            if leak.train in new and (leak.train not in there[0] or leak.train == leak.test):
                drop.add(leak.train)
            elif leak.test in new and leak.test not in there[1]:
                drop.add(leak.test)
            else:
                raise leaking([leak])
        bad += found
        taken = [one for one in taken if one.row["record_id"] not in drop]
    return taken, bad


def _counted(
    dataset: Dataset,
    taken: Iterable[Candidate],
    rows: Mapping[str, Mapping[str, Row]],
    share: float,
) -> Promoted:
    added, relabelled, same = dict.fromkeys(SPLITS, 0), dict.fromkeys(SPLITS, 0), 0
    for one in taken:
        name, record = split.side(one.key, share), one.row["record_id"]
        if record not in dataset.rows[name]:
            added[name] += 1
        elif rows[name][record] != dataset.rows[name][record]:
            relabelled[name] += 1
        else:
            same += 1
    totals = {name: len(rows[name]) for name in SPLITS}
    return Promoted(share, added, relabelled, same, {}, [], totals)


def leaking(found: Sequence[Leak]) -> InvalidError:
    """The error that lists what training and test would share."""
    return InvalidError(
        f"training and test would share {counted(len(found), 'record')}",
        items=[str(one) for one in found[:_LISTED]],
        hint="promote without them: --drop-leaks; or keep them together by one group_key",
    )
