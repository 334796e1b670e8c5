"""``show``: one commit, tag, file or folder of history."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from oxcore import tree
from oxcore.errors import NotFoundError
from oxcore.media import ImageFacts
from oxcore.model.commits import Commit, Tag
from oxcore.model.entries import Entry, show_path
from oxcore.repo import Repository
from oxcore.repo.changes import FileChange
from oxcore.repo.files import Listed, ls
from oxcore.repo.names import decorations, resolve, resolve_path
from oxcore.store import ContentFile
from oxcore.verbs.comparing.details import image_facts, is_text
from oxcore.verbs.log import changes_of

_START = 8192  # bytes that are looked at to tell text from other files


@dataclass(frozen=True, slots=True)
class ShownCommit:
    """A commit: its id, the refs on it (full names), files and bytes of its tree, the annotated
    tag by which it was named (or None), and ``changes()`` against its first parent."""

    id: bytes
    commit: Commit
    refs: tuple[str, ...]
    files: int
    size: int
    tag: Tag | None
    tag_id: bytes | None
    changes: Callable[[], Iterator[FileChange]]


@dataclass(frozen=True, slots=True)
class ShownFile:
    """A file of a version; ``text``: whether its start looks like text; ``image``: what the
    header of an image says."""

    path: bytes
    entry: Entry
    text: bool
    image: ImageFacts | None


@dataclass(frozen=True, slots=True)
class ShownFolder:
    """A folder of a version, with what is right below it."""

    path: bytes
    items: tuple[Listed, ...]


def show(repo: Repository, text: str = "HEAD") -> ShownCommit | ShownFile | ShownFolder:
    """What a revision, tag or ``REV:path`` is; ``NotFoundError`` if there is no such path."""
    colon = text.startswith(":")
    found = None if colon else resolve(repo, text)
    if found is None or found.path is not None:
        return _at_path(repo, text)
    commit = repo.commit(found.id)
    files, size = tree.summary(repo.store, commit.tree)
    return ShownCommit(
        found.id,
        commit,
        decorations(repo).get(found.id, ()),
        files,
        size,
        None if found.tag is None else repo.tag(found.tag),
        found.tag,
        lambda: changes_of(repo, commit),
    )


def _at_path(repo: Repository, text: str) -> ShownFile | ShownFolder:
    root, path = resolve_path(repo, text)
    entry = tree.get(repo.store, root, path) if path else None
    if entry is not None:
        return _file(repo, path, entry)
    if not tree.exists_folder(repo.store, root, path):
        rev = text.rpartition(":")[0] or "the stage"
        raise NotFoundError(f"{show_path(path)} is not in {rev}", hint="see what is: ox ls -r")
    return ShownFolder(path, tuple(ls(repo, path, text)))


def _file(repo: Repository, path: bytes, entry: Entry) -> ShownFile:
    with ContentFile(repo.store, entry.id, entry.size) as file:
        text = is_text(file.read(_START))
    return ShownFile(path, entry, text, image_facts(repo, path, entry))
