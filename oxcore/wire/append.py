"""The messages of ``append``: files for the tip of a branch, whatever that is by then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Self

from oxcore.codec import canonical
from oxcore.errors import InvalidError
from oxcore.model.commits import Json, Person
from oxcore.model.ids import parse_id
from oxcore.wire import shapes

MAX_FILES = 65_536
"""One append adds at most so many files."""


class Appended(NamedTuple):
    """A file to add: where, and the id and size in bytes of its content."""

    path: str
    id: bytes
    size: int


@dataclass(frozen=True, slots=True)
class AppendRequest:
    """Adds ``files`` to the branch of this name, which is made if it is not there. ``author`` None:
    whoever asks."""

    branch: str
    message: str
    files: tuple[Appended, ...]
    author: Person | None = None

    def encode(self) -> bytes:
        """The JSON bytes."""
        author = None if self.author is None else str(self.author)
        files: list[Json] = [
            {"id": one.id.hex(), "path": one.path, "size": one.size} for one in self.files
        ]
        record: dict[str, Json] = {"branch": self.branch, "message": self.message}
        return canonical.dumps({**record, "author": author, "files": files})

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The value of JSON bytes; ``InvalidError`` for another shape or a path named twice."""
        record = shapes.parse_object(data, "an append")
        listed = shapes.items(record.get("files"), "files", MAX_FILES)
        files = tuple(_file(shapes.mapping(row, "a file")) for row in listed)
        if not files or len({one.path for one in files}) != len(files):
            raise InvalidError("an append names each path once, and at least one")
        author = shapes.text_or_none(record.get("author"), "author")
        return cls(
            branch=shapes.text(record.get("branch"), "branch"),
            message=shapes.text(record.get("message"), "message"),
            files=files,
            author=None if author is None else Person.parse(author),
        )


def _file(row: dict[str, Json]) -> Appended:
    return Appended(
        shapes.text(row.get("path"), "a path"),
        parse_id(shapes.text(row.get("id"), "an id")),
        shapes.whole(row.get("size"), "a size"),
    )


@dataclass(frozen=True, slots=True)
class AppendReply:
    """The branch holds the files: ``added`` of them were not there; ``commit`` is its tip (64 hex
    digits)."""

    commit: str
    added: int

    def encode(self) -> bytes:
        """The JSON bytes."""
        return canonical.dumps({"added": self.added, "commit": self.commit})

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The value of JSON bytes; ``InvalidError`` for another shape."""
        record = shapes.parse_object(data, "the answer to an append")
        return cls(
            shapes.hex_id(record.get("commit"), "commit"),
            shapes.whole(record.get("added"), "added"),
        )
