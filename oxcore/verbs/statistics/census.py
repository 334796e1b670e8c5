"""What the files of a folder are, counted: kinds, and of images sizes and modes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from oxcore.media import ImageFacts, is_image_name
from oxcore.model.entries import Entry, Mode
from oxcore.repo import Repository
from oxcore.verbs.statistics.pictures import Picture, image_facts

_AT_ONCE = 2048  # images whose facts are looked up together
_LONGEST = 12  # characters of a suffix; more is no kind


class Span(NamedTuple):
    """The least, the median and the greatest of some numbers."""

    min: int
    median: int
    max: int


class Kind(NamedTuple):
    """Files whose names end alike (``suffix`` in lower case, without its dot), and their bytes."""

    suffix: str
    files: int
    size: int


class Images(NamedTuple):
    """``files`` that are images, and ``broken`` ones that are only called so, or whose data are not
    here; ``width`` and ``height`` in pixels, None without an image; how many are of each ``mode``
    and ``format`` of Pillow's, the most frequent first; how many are ``animated``."""

    files: int
    broken: int
    width: Span | None
    height: Span | None
    modes: tuple[tuple[str, int], ...]
    formats: tuple[tuple[str, int], ...]
    animated: int


class Content(NamedTuple):
    """Files, their bytes, their kinds, and what the images among them are (None: there is none)."""

    files: int
    size: int
    kinds: tuple[Kind, ...]
    images: Images | None


class Census:
    """Counts files. ``content()`` gives what was counted."""

    def __init__(self) -> None:
        self.files = self.size = self.broken = self.animated = 0
        self._kinds: dict[str, list[int]] = {}
        self._widths: Counter[int] = Counter()
        self._heights: Counter[int] = Counter()
        self._modes: Counter[str] = Counter()
        self._formats: Counter[str] = Counter()

    def note(self, path: bytes, size: int) -> None:
        """Count a file by its name."""
        self.files += 1
        self.size += size
        row = self._kinds.setdefault(suffix_of(path), [0, 0])
        row[0] += 1
        row[1] += size

    def note_image(self, found: ImageFacts | None) -> None:
        """Count an image; None for one that is broken."""
        if found is None:
            self.broken += 1
            return
        self._widths[found.width] += 1
        self._heights[found.height] += 1
        self._modes[found.mode] += 1
        self._formats[found.format] += 1
        self.animated += found.frames > 1

    def kinds(self) -> tuple[Kind, ...]:
        """Kinds of files, those with the most bytes first."""
        made = [Kind(suffix, *row) for suffix, row in self._kinds.items()]
        return tuple(sorted(made, key=lambda kind: (-kind.size, kind.suffix)))

    def images(self) -> Images | None:
        """What the images are; None where there is none."""
        count = self._widths.total()
        if not count + self.broken:
            return None
        return Images(
            count,
            self.broken,
            _span(self._widths),
            _span(self._heights),
            _ranked(self._modes),
            _ranked(self._formats),
            self.animated,
        )

    def content(self) -> Content:
        """All that was counted."""
        return Content(self.files, self.size, self.kinds(), self.images())


class ImageQueue:
    """Looks at images by the batch, and tells each census that waits for one."""

    def __init__(self, repo: Repository) -> None:
        self._repo = repo
        self._waiting: list[tuple[Picture, tuple[Census, ...]]] = []

    def add(self, path: bytes, entry: Entry, *censuses: Census) -> None:
        """Let each census count the file, if it is called like an image."""
        if entry.mode != Mode.LINK and is_image_name(path):
            self._waiting.append((Picture(entry.id, entry.size), censuses))
            if len(self._waiting) >= _AT_ONCE:
                self.flush()

    def flush(self) -> None:
        """Look at all that wait."""
        waiting, self._waiting = self._waiting, []
        found = image_facts(self._repo, [picture for picture, _ in waiting])
        for (_, censuses), one in zip(waiting, found, strict=True):
            for census in censuses:
                census.note_image(one)
        self._repo.settings.progress.step(len(waiting))


def suffix_of(path: bytes) -> str:
    """What comes behind the last dot of a name, in lower case, as ``png``; nothing without one."""
    stem, dot, suffix = path.rpartition(b"/")[2].rpartition(b".")
    if not (stem and dot) or len(suffix) > _LONGEST:
        return ""
    return suffix.decode("utf-8", "replace").lower()


def folder_at(depth: int) -> Callable[[bytes], bytes]:
    """Path -> the folder above it that is at most ``depth`` levels down, ending in '/'."""
    known: dict[bytes, bytes] = {}

    def folder(path: bytes) -> bytes:
        parent = path.rpartition(b"/")[0]
        found = known.get(parent)
        if found is None:
            parts = parent.split(b"/")[:depth] if parent else []
            found = known[parent] = b"".join(part + b"/" for part in parts)
        return found

    return folder


def _ranked(counts: Counter[str]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _span(counts: Counter[int]) -> Span | None:
    """The median is the least value that at least half of all do not exceed."""
    reached, total, values = 0, counts.total(), sorted(counts)
    for value in values:
        reached += counts[value]
        if 2 * reached >= total:
            return Span(values[0], value, values[-1])
    return None
