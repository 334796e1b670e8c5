"""Which branch of which repository records go to, below which folder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from blake3 import blake3

from oxcore.errors import InvalidError
from oxcore.model.entries import check_path
from oxcore.refs import branch_ref, check_ref_name


class Where(NamedTuple):
    """A place for records. ``address``: the folder of a repository, or the URL of one on a hub."""

    address: str
    branch: str
    directory: str

    @property
    def key(self) -> str:
        """What names it in a folder of spools: 16 hex digits."""
        joined = "\0".join(self).encode("utf-8", "surrogateescape")
        return blake3(joined).hexdigest(8)

    def check(self) -> None:
        """Raise ``InvalidError`` unless a commit could hold it."""
        check_ref_name(branch_ref(self.branch))
        try:
            check_path(self.directory.encode("utf-8"))
        except UnicodeEncodeError as error:
            raise InvalidError(f"not the name of a folder: {self.directory!r}") from error

    def __str__(self) -> str:
        return f"{self.address} {self.branch}:{self.directory}"


class Addition(NamedTuple):
    """A file that is to be on the branch; its path in the dataset says what is in it."""

    path: bytes
    data: bytes


class Target(Protocol):
    """Puts files on the branch. Made anew for each round, closed after it."""

    def land(self, files: Sequence[Addition], message: str) -> None:
        """Commit those of the files that are not there; all or none. What is there is left as it
        is. Raises ``OxError``; then it may be called again with the same files."""
        ...

    def close(self) -> None:
        """Let go of connections and files."""
        ...
