"""Commits and tags as values; ``oxcore.codec.commit`` gives their bytes."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple, Self

from oxcore.errors import InvalidError

_PERSON = r"([^<>\n\0]*?)\s*(?:<([^<>\s\0]*)>)?"

Json = None | bool | int | str | list["Json"] | dict[str, "Json"]


class Person(NamedTuple):
    """Who did something: a name and an address, both may be empty but not both at once."""

    name: str
    email: str = ""

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>" if self.email else self.name

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``Name <mail>``, either of which may be left out; ``InvalidError`` for neither."""
        found = re.fullmatch(_PERSON, text.strip())
        if found is None or not (found[1] or found[2]):
            hint = "as in: Ann Author <ann@example.org>"
            raise InvalidError(f"not a name with an address: {text!r}", hint=hint)
        return cls(found[1], found[2] or "")


class Moment(NamedTuple):
    """A point in time with the zone of who wrote it.

    ``us``: microseconds since 1970-01-01 UTC; ``offset``: minutes east of UTC.
    """

    us: int
    offset: int = 0

    def iso(self) -> str:
        """ISO 8601 with the offset, e.g. ``2026-11-21T22:07:59.000001+01:00``."""
        from datetime import datetime, timedelta, timezone  # slow to load for who shows no time

        zone = timezone(timedelta(minutes=self.offset))
        start = datetime(1970, 1, 1, tzinfo=timezone.utc)  # noqa: UP017
        return (start + timedelta(microseconds=self.us)).astimezone(zone).isoformat()


class Commit(NamedTuple):
    """One version of the dataset.

    ``tree`` is the id of the root node, ``parents`` the commits it came from (none for the
    first, two for a merge), ``meta`` typed values of the user's own (JSON without floats),
    ``signature`` an armoured signature over the encoding without this field, or None.
    """

    tree: bytes
    parents: tuple[bytes, ...]
    author: Person
    time: Moment
    message: str
    meta: Mapping[str, Json] = MappingProxyType({})
    signature: str | None = None

    @property
    def title(self) -> str:
        """The first line of the message."""
        return self.message.split("\n", 1)[0]


class Tag(NamedTuple):
    """An annotated tag: a name for ``target`` (a commit's id), with who, when and why."""

    target: bytes
    name: str
    tagger: Person
    time: Moment
    message: str
    signature: str | None = None
