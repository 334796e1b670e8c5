"""The tree of errors, grouped by what a handler would do.

    OxError
    |-- UsageError           the call itself is wrong                     kind usage
    |-- InvalidError         a name, a value or a file breaks a rule      kind invalid
    |-- NotARepoError        no repository here                           kind not-a-repo
    |-- NotFoundError        a revision, path, ref or remote is unknown   kind not-found
    |-- AmbiguousError       a short name fits several things             kind ambiguous
    |-- ExistsError          it is there already                          kind exists
    |-- NothingToDoError     the verb would change nothing                kind nothing-to-do
    |-- UnsavedError         unsaved work would be lost                   kind unsaved
    |-- ConflictError        a merge needs a person                       kind conflict
    |-- SchemaError          a table leaves its schema                    kind schema
    |-- BusyError            another writer holds the repository          kind busy
    |-- UnstableError        a file kept changing while it was read       kind unstable
    |-- CorruptError         stored bytes are not what their id says      kind corrupt
    |-- MissingError         an object that history needs is not here     kind missing
    |-- FormatError          written by a version that this one can't read  kind format
    |-- RejectedError        a remote refuses the update of a ref         kind rejected
    |-- UnreachableError     a remote does not answer                     kind unreachable
    |-- DeniedError          no permission, or no valid token             kind denied
    `-- StorageError         the disk or the file system refuses          kind storage

Every kind has one exit code (``oxcli/exits.py``) and one entry in ``docs/errors.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar


def counted(number: int, noun: str) -> str:
    """``1 file``, ``2 files``: how messages count."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _readable(path: bytes) -> str:
    return path.decode("utf-8", "backslashreplace")  # as `oxcore.model.entries.show_path`


class OxError(Exception):
    """Something went wrong in a way that a caller can handle.

    ``message`` names the thing, ``hint`` says the way out (may be empty), ``items`` lists
    what is concerned (paths, candidates, ids), already readable. Where that is files of the
    dataset, ``paths`` has them as they are, in the order of ``items``: a caller may show them
    from where the user stands.
    """

    kind: ClassVar[str] = "error"

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        items: Sequence[str] = (),
        paths: Sequence[bytes] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.paths = tuple(paths)
        self.items = tuple(items) or tuple(map(_readable, self.paths))


class UsageError(OxError):
    """The call is wrong whatever the repository holds: options that exclude each other."""

    kind = "usage"


class InvalidError(OxError):
    """A name, a value or a foreign file breaks a rule of the format."""

    kind = "invalid"


class NotARepoError(OxError):
    """No repository at the given place or above it."""

    kind = "not-a-repo"


class NotFoundError(OxError):
    """A revision, path, ref, remote or stash that was named does not exist."""

    kind = "not-found"


class AmbiguousError(OxError):
    """A short name fits more than one thing; ``items`` lists the candidates."""

    kind = "ambiguous"


class ExistsError(OxError):
    """What should be made is there already."""

    kind = "exists"


class NothingToDoError(OxError):
    """The verb would change nothing (nothing staged, nothing to undo)."""

    kind = "nothing-to-do"


class UnsavedError(OxError):
    """Work that is nowhere else would be lost: unsaved files, which ``items`` lists, or the
    commits of a branch. Nothing was changed."""

    kind = "unsaved"


class ConflictError(OxError):
    """A merge stopped, or a merge in progress is in the way; ``items`` lists the paths."""

    kind = "conflict"


class SchemaError(OxError):
    """Tables leave their schema, and the commit is to be strict; ``items`` lists how."""

    kind = "schema"


class BusyError(OxError):
    """Another process writes to the repository and did not finish in time."""

    kind = "busy"


class UnstableError(OxError):
    """Files changed at every try to read them; ``items`` lists the paths."""

    kind = "unstable"


class CorruptError(OxError):
    """Stored bytes do not give the id, or the layout, that they should."""

    kind = "corrupt"


class MissingError(OxError):
    """An object that history refers to is not in the store; ``items`` lists the ids in hex."""

    kind = "missing"


class FormatError(OxError):
    """The file or message is of a version or kind that this release does not know."""

    kind = "format"


class RejectedError(OxError):
    """A remote refuses the update of a ref: it moved, or the update is no fast-forward."""

    kind = "rejected"


class UnreachableError(OxError):
    """A remote does not answer, or breaks off, after all retries."""

    kind = "unreachable"


class DeniedError(OxError):
    """The remote knows no such token, or the token does not allow this."""

    kind = "denied"


class StorageError(OxError):
    """The operating system refuses: disk full, no permission, read-only, input/output error."""

    kind = "storage"
