"""All formats, and the export in one of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from oxcore.errors import NothingToDoError, UsageError
from oxcore.insight.exports.chat import chat, is_pair, preference
from oxcore.insight.exports.folder import Folder, folder
from oxcore.insight.exports.pictures import coco, imagefolder
from oxcore.insight.exports.samples import Faults, Sample, by_split
from oxcore.insight.exports.tables import hf, parquet
from oxcore.repo import Repository

Format = Callable[[Repository, list[Sample], Folder, Faults], None]

FORMATS: dict[str, Format] = {
    "chat": chat,
    "preference": preference,
    "parquet": parquet,
    "hf": hf,
    "imagefolder": imagefolder,
    "coco": coco,
}


class Exported(NamedTuple):
    """What was written: records by split (``counts``), those left out by reason (``skipped``), how
    many files, and what ``manifest.json`` says."""

    format: str
    counts: dict[str, int]
    skipped: dict[str, int]
    files: int
    size: int
    manifest: dict[str, Any]


def check_format(name: str) -> str:
    """The name, if there is such a format; ``UsageError``."""
    if name not in FORMATS:
        raise UsageError(f"{name!r} is no format", hint=f"one of {', '.join(FORMATS)}")
    return name


def export(
    repo: Repository,
    samples: list[Sample],
    name: str,
    target: str,
    query: Mapping[str, object],
    commits: list[str],
) -> Exported:
    """Write the samples to the folder ``target``, which is there when all of it is right.

    The same samples are the same bytes. Raises ``InvalidError`` that lists records and fields that
    the format cannot hold, ``NothingToDoError`` without a sample, ``ExistsError``.
    """
    if not samples:
        raise NothingToDoError("no labelled record is chosen", hint="see: ox failures, ox rule")
    skipped: dict[str, int] = {}
    if name == "preference":
        pairs = [one for one in samples if is_pair(one)]
        skipped["no answer but the label"] = len(samples) - len(pairs)
        samples = pairs
    if not samples:
        raise NothingToDoError("no answer differs from its label: there is no pair to write")
    faults = Faults()
    with folder(target) as out:
        FORMATS[name](repo, samples, out, faults)
        faults.check()
        counts = {split: len(found) for split, found in by_split(samples)}
        told: dict[str, object] = {"format": name, "query": dict(query), "commits": commits}
        manifest = out.manifest({**told, "records": counts, "skipped": skipped})
    sizes = (one.size for one in out.files.values())
    return Exported(name, counts, skipped, len(out.files), sum(sizes), manifest)
