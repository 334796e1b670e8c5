"""Records to export, and what is wrong with them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from oxcore import tree
from oxcore.errors import InvalidError, counted
from oxcore.insight.chosen import Chosen
from oxcore.insight.dataset import SPLITS, Dataset, join
from oxcore.insight.split import side
from oxcore.model.entries import Entry
from oxcore.repo import Repository
from oxcore.store import content

_TEXTS = ("text/", "application/json", "application/jsonl")
_LISTED = 20  # faults that an error names
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,10}$")


class Sample(NamedTuple):
    """A labelled record: ``label`` as text, ``value`` as JSON; ``prediction`` the model's answer as
    text, ``output`` all of it as JSON; ``entry``: the file of its input."""

    record_id: str
    split: str
    label: str
    value: str | None
    output: str | None
    prediction: str | None
    group_key: str | None
    mime: str
    suffix: str
    entry: Entry | None


class Faults:
    """What is wrong with records, collected, so that one error tells all of it."""

    def __init__(self) -> None:
        self.count = 0
        self.listed: list[str] = []

    def note(self, sample: Sample, field: str, why: str) -> None:
        """Say that a field of a record cannot be exported."""
        self.count += 1
        if len(self.listed) < _LISTED:
            self.listed.append(f"{sample.record_id}, {field}: {why}")

    def check(self) -> None:
        """``InvalidError`` with the list, if there is any."""
        if self.count:
            raise InvalidError(
                f"{counted(self.count, 'fault')} in what is to be exported; nothing was written",
                items=self.listed,
                hint="correct the labels, or leave the records out: --where",
            )


def of_records(rows: list[Chosen], share: float | None) -> list[Sample]:
    """Captured records; ``share`` of them for the test, by the hash of their group."""
    return [
        Sample(
            one.record_id,
            "train" if share is None else side(one.key, share),
            one.label,
            one.value,
            one.output,
            one.prediction,
            one.group_key,
            (one.mime or "").partition(";")[0].strip().lower(),
            _suffix(one.path),
            one.entry,
        )
        for one in rows
    ]


def of_dataset(repo: Repository, root: bytes, folder: bytes, dataset: Dataset) -> list[Sample]:
    """The rows of a promoted dataset."""
    rows = [row for name in SPLITS for _, row in sorted(dataset.rows[name].items())]
    paths = sorted({join(folder, row["path"].encode()) for row in rows})
    entries = dict(zip(paths, tree.get_many(repo.store, root, paths), strict=True))
    return [
        Sample(
            row["record_id"],
            row["split"],
            row["label"],
            row["value"],
            row["output"],
            row["prediction"],
            row["group_key"],
            (row["mime"] or "").partition(";")[0].strip().lower(),
            _suffix(row["path"]),
            entries[join(folder, row["path"].encode())],
        )
        for row in rows
    ]


def by_split(samples: list[Sample]) -> Iterator[tuple[str, list[Sample]]]:
    """The samples of each split that has some, by record."""
    for name in SPLITS:
        found = [one for one in samples if one.split == name]
        if found:
            yield name, sorted(found, key=lambda one: one.record_id)


def data_of(repo: Repository, sample: Sample, faults: Faults) -> bytes | None:
    """The bytes of the input; a fault, and None, where none was kept."""
    if sample.entry is None:
        faults.note(sample, "input", "none was kept")
        return None
    return b"".join(content.read(repo.store, sample.entry.id))


def text_of(repo: Repository, sample: Sample, faults: Faults) -> str | None:
    """The input as text; a fault, and None, where it is none."""
    data = data_of(repo, sample, faults)
    if data is None:
        return None
    if not sample.mime.startswith(_TEXTS):
        faults.note(sample, "input", f"{sample.mime or 'of an unknown kind'}, and no text")
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        faults.note(sample, "input", "not UTF-8")
        return None


def is_text(sample: Sample) -> bool:
    """Whether the input is text."""
    return sample.mime.startswith(_TEXTS)


def name_of(sample: Sample, faults: Faults) -> str | None:
    """A name for a file of the record; a fault where its id can be none."""
    if not _NAME.fullmatch(sample.record_id):
        faults.note(sample, "record_id", "cannot name a file")
        return None
    return sample.record_id + sample.suffix


def line(record: object) -> bytes:
    """A line of JSON."""
    return (
        json.dumps(record, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace") + b"\n"
    )


def _suffix(path: str | None) -> str:
    found = _SUFFIX.search(path or "")
    return found.group() if found else ""
