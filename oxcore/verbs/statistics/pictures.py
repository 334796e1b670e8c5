"""The facts of many stored images, each read once ever: they are kept by the id of the content."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple

from oxcore.media import ImageFacts, facts
from oxcore.repo import Repository
from oxcore.store import ContentFile, content

_KIND = "image 1"  # another where what ``media.facts`` finds changes
_SMALL = 1 << 20  # bytes of a file up to which it is read whole, with others
_AT_ONCE = 64  # files read whole together


class Picture(NamedTuple):
    """A stored file that is called like an image: id and size in bytes."""

    id: bytes
    size: int


def image_facts(repo: Repository, pictures: Sequence[Picture]) -> list[ImageFacts | None]:
    """For each its facts; None for one that is no image, is broken or whose data are not here."""
    wanted = list(dict.fromkeys(pictures))
    known = dict(_kept(repo, wanted))
    rest = [one for one in wanted if one.id not in known]
    there = repo.store.has_many([one.id for one in rest])
    found = _read(repo, [one for one, here in zip(rest, there, strict=True) if here])
    repo.index.facts.put_many(_KIND, [(oid, _packed(one)) for oid, one in found.items()])
    known |= found
    return [known.get(one.id) for one in pictures]


def _kept(
    repo: Repository, pictures: Sequence[Picture]
) -> Iterator[tuple[bytes, ImageFacts | None]]:
    """What was kept and can be read."""
    oids = [one.id for one in pictures]
    for oid, fact in zip(oids, repo.index.facts.get_many(oids, _KIND), strict=True):
        if fact is not None:
            with suppress(ValueError, TypeError):
                yield oid, _unpacked(fact)


def _read(repo: Repository, pictures: Sequence[Picture]) -> dict[bytes, ImageFacts | None]:
    found: dict[bytes, ImageFacts | None] = {}
    small = [one.id for one in pictures if one.size <= _SMALL]
    for start in range(0, len(small), _AT_ONCE):
        oids = small[start : start + _AT_ONCE]
        for oid, data in zip(oids, content.read_many(repo.store, oids), strict=True):
            found[oid] = facts(bytes(data))
    for one in pictures:
        if one.size > _SMALL:
            with io.BufferedReader(ContentFile(repo.store, one.id, one.size)) as file:
                found[one.id] = facts(file)
    return found


def _packed(found: ImageFacts | None) -> bytes:
    return json.dumps(found, separators=(",", ":")).encode()


def _unpacked(fact: bytes) -> ImageFacts | None:
    values = json.loads(fact)
    if values is None:
        return None
    kind, width, height, mode, frames, orientation = values
    return ImageFacts(str(kind), int(width), int(height), str(mode), int(frames), int(orientation))
