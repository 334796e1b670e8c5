"""Files of a version: list, look up, read."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from oxcore import tree
from oxcore.errors import NotFoundError
from oxcore.model.entries import Entry, show_path
from oxcore.repo import Repository
from oxcore.repo.names import resolve_path
from oxcore.store import ContentFile, content

if TYPE_CHECKING:
    from oxcore.store import PackReader

_BUFFER = 64 << 10  # bytes that an open file reads ahead


class Listed(NamedTuple):
    """A file or folder of a version: ``path`` in the dataset (a folder's ends in '/'); ``entry``
    None for a folder; ``files`` and ``size`` (bytes) of all that is below, or of the file."""

    path: bytes
    entry: Entry | None
    files: int
    size: int


def root_of(repo: Repository, rev: str) -> bytes:
    """The root of the tree of a revision; ``:`` means the stage."""
    return resolve_path(repo, rev)[0]


def entry(repo: Repository, path: bytes, rev: str = "HEAD") -> Entry:
    """The entry at ``path`` in a revision; ``NotFoundError`` if no file is there."""
    root = root_of(repo, rev)
    found = tree.get(repo.store, root, path)
    if found is None:
        raise _no_file(repo, root, path, rev)
    return found


def exists(repo: Repository, path: bytes, rev: str = "HEAD") -> bool:
    """Whether a revision has a file or folder at ``path`` (b"" is always there)."""
    root, nodes = root_of(repo, rev), tree.Nodes(repo.store)
    return tree.get(nodes, root, path) is not None or tree.exists_folder(nodes, root, path)


def pieces(repo: Repository, path: bytes, rev: str = "HEAD") -> Iterator[bytes]:
    """The bytes of a file in pieces, verified (``store.content.read``); a link gives its target."""
    return content.read(repo.store, entry(repo, path, rev).id)


def open_file(repo: Repository, path: bytes, rev: str = "HEAD") -> BinaryIO:
    """The file opened for reading: seekable, and only the chunks that are asked for are read."""
    return open_entry(repo, entry(repo, path, rev))


def open_entry(repo: Repository, found: Entry, reader: PackReader | None = None) -> BinaryIO:
    """``open_file`` of an entry that is at hand; through ``reader``, if it is said."""
    return io.BufferedReader(ContentFile(reader or repo.store, found.id, found.size), _BUFFER)


def named(repo: Repository, folder: bytes, ending: bytes, rev: str) -> Iterator[tuple[str, bytes]]:
    """The files right in ``folder`` that are called NAME and ``ending``: NAME, and all bytes."""
    for path, found in tree.walk(repo.store, root_of(repo, rev), folder + b"/"):
        name = path[len(folder) + 1 :]
        if name.endswith(ending) and b"/" not in name:
            with open_entry(repo, found) as file:
                yield name.removesuffix(ending).decode("utf-8", "backslashreplace"), file.read()


def walk(repo: Repository, rev: str = "HEAD", prefix: bytes = b"") -> Iterator[tuple[bytes, Entry]]:
    """Every path and entry of a revision, or of the file or folder ``prefix``, by path."""
    return tree.walk(repo.store, root_of(repo, rev), prefix)


def ls(
    repo: Repository, path: bytes = b"", rev: str = "HEAD", *, recursive: bool = False
) -> Iterator[Listed]:
    """What is right below the folder ``path``, or all files below it; a file gives itself.

    ``NotFoundError`` if nothing is there (at once, not when the first item is asked for).
    """
    root = root_of(repo, rev)
    nodes = tree.Nodes(repo.store)
    found = tree.get(nodes, root, path) if path else None
    if found is not None:
        return iter([Listed(path, found, 1, found.size)])
    if not tree.exists_folder(nodes, root, path):
        raise _no_file(repo, root, path, rev)
    return _below(nodes, root, path, recursive=recursive)


def _below(nodes: tree.Nodes, root: bytes, path: bytes, *, recursive: bool) -> Iterator[Listed]:
    base = path + b"/" if path else b""
    if recursive:
        for name, one in tree.walk(nodes, root, base):
            yield Listed(name, one, 1, one.size)
        return
    for item in tree.listing(nodes, root, path):
        end = b"/" if item.entry is None else b""
        yield Listed(base + item.name + end, item.entry, item.files, item.size)


def _no_file(repo: Repository, root: bytes, path: bytes, rev: str) -> NotFoundError:
    where = "the stage" if rev.startswith(":") else rev
    if tree.exists_folder(repo.store, root, path):
        name = show_path(path) or "the top"
        return NotFoundError(f"{name} is a folder in {where}, not a file", hint="see: ox ls")
    return NotFoundError(
        f"{show_path(path)} is not in {where}", hint=f"see what is: ox ls -r --rev {rev}"
    )
