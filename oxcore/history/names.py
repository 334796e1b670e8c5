"""What the resolution of names needs to know, and what it gives."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from oxcore.model.commits import Commit, Tag
from oxcore.model.ids import Kind


class Names(Protocol):
    """Look-ups in one repository. A ref is named in full: ``refs/heads/main``, or ``HEAD``."""

    def ref(self, name: str) -> bytes | None:
        """The id that a ref holds (of a commit or a tag), or None; ``HEAD`` is followed."""
        ...

    def refs(self) -> Iterable[str]:
        """The full names of all refs below ``refs/``."""
        ...

    def current(self) -> str | None:
        """The full name of the branch that ``HEAD`` is on, None when it is detached."""
        ...

    def kind(self, oid: bytes) -> Kind | None:
        """What the object is, None if it is not here."""
        ...

    def find(self, prefix: bytes) -> Iterable[tuple[bytes, Kind]]:
        """The objects whose id starts with these bytes; those of other kinds than commits and
        tags may be left out."""
        ...

    def commit(self, oid: bytes) -> Commit:
        """The commit; ``MissingError`` if it is not here."""
        ...

    def tag(self, oid: bytes) -> Tag:
        """The annotated tag; ``MissingError`` if it is not here."""
        ...

    def reflog(self, name: str) -> Sequence[tuple[int, bytes | None]]:
        """When (microseconds) a ref or ``HEAD`` was set, and to what; the latest first."""
        ...

    def previous(self, n: int) -> str | None:
        """The full name of the ``n``-th branch that was left, 1 the latest, or the 64 hex digits
        of a detached commit; None if there were not so many."""
        ...

    def upstream(self, name: str) -> str | None:
        """The full name of the ref that a branch follows, or None."""
        ...


class Revision(NamedTuple):
    """A commit, however it was named.

    ``id``: of the commit; ``text``: what was typed; ``ref``: the full name if just a ref was
    named (what ``switch -`` or ``branch -d`` work on); ``tag``: the id of the annotated tag
    that was gone through; ``path``: what stood after ``:``, None without a colon.
    """

    id: bytes
    text: str
    ref: str | None = None
    tag: bytes | None = None
    path: bytes | None = None


class Range(NamedTuple):
    """Revisions to show and to leave out, still as text; ``symmetric`` (``A...B``): leave out
    what both have, which is what is reachable from their merge bases."""

    include: tuple[str, ...]
    exclude: tuple[str, ...]
    symmetric: bool = False
