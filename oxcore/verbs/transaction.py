"""Programmatic commits: put bytes, remove paths, and the branch moves; no work tree needed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from oxcore import tree
from oxcore.codec.commit import encode_commit
from oxcore.errors import MissingError, RejectedError
from oxcore.model.commits import Commit, Json
from oxcore.model.entries import Entry, Mode, check_path, path_bytes, show_path
from oxcore.model.ids import Kind, object_id, parse_id
from oxcore.refs import branch_ref, check_ref_name
from oxcore.repo import Repository
from oxcore.store import Batch, bases, content
from oxcore.verbs.moving import intent
from oxcore.verbs.moving.update import move
from oxcore.verbs.storing.deposit import Whole, put_bytes, put_stream
from oxcore.verbs.storing.line import Fill

if TYPE_CHECKING:
    from oxcore.model.protocols import Guard

_TRIES = 5  # times that edits are put on top of a branch that moved meanwhile


class Transaction:
    """Edits of one branch, collected; they become a commit when the block ends.

    ``put`` stores bytes at once (bounded memory); the branch moves at the end. ``commit_id`` is
    the new commit's id afterwards, None if nothing changed.
    """

    def __init__(self, repo: Repository, batch: Batch, base: bytes) -> None:
        self._repo = repo
        self._batch = batch
        self._base = base
        self._nodes = tree.Nodes(batch)  # each is asked for by many paths
        self._edits: dict[bytes, Entry | None] = {}
        self.commit_id: bytes | None = None

    def put(self, path: str | bytes, data: bytes | BinaryIO, *, executable: bool = False) -> bytes:
        """Write a file: ``data`` is its bytes, or a file open for reading. Gives its id."""
        name = path_bytes(path)
        check_path(name)
        if isinstance(data, bytes | bytearray | memoryview):
            size, oid = len(data), put_bytes(self._repo, self._batch, bytes(data), self._old(name))
        else:
            whole, fill = _whole(data), _filler(data)
            oid, size = put_stream(self._repo, self._batch, fill, self._old(name), whole=whole)
        self._edits[name] = Entry(Mode.EXEC if executable else Mode.FILE, size, oid)
        return oid

    def keep(self, path: str | bytes, entry: Entry) -> None:
        """Write a file that is stored already, as another version has it."""
        name = path_bytes(path)
        check_path(name)
        self._edits[name] = entry

    def link(self, path: str | bytes, target: str | bytes) -> None:
        """Write a symbolic link to ``target``."""
        name, content = path_bytes(path), path_bytes(target)
        check_path(name)
        oid = put_bytes(self._repo, self._batch, content)
        self._edits[name] = Entry(Mode.LINK, len(content), oid)

    def remove(self, path: str | bytes) -> None:
        """Remove a file, or a folder with all that is in it. What is not there is no error."""
        name = path_bytes(path)
        check_path(name)
        self._edits = {
            kept: entry
            for kept, entry in self._edits.items()
            if kept != name and not kept.startswith(name + b"/")
        }
        for found, _ in tree.walk(self._batch, self._base, prefix=name):
            self._edits[found] = None

    def _old(self, path: bytes) -> bytes | None:
        """The id of what the branch holds there."""
        entry = tree.get(self._nodes, self._base, path)
        return None if entry is None or entry.mode == Mode.LINK else entry.id

    def edits(self) -> list[tuple[bytes, Entry | None]]:
        """What changes, by path."""
        return sorted(self._edits.items())


@contextmanager
def transaction(
    repo: Repository,
    branch: str,
    *,
    message: str,
    meta: Mapping[str, Json] | None = None,
    allow_empty: bool = False,
    start: bytes | None = None,
    guard: Guard | None = None,
) -> Iterator[Transaction]:
    """Edit ``branch`` (made if it is not there, on top of the commit ``start`` or of nothing) and
    commit when the block ends.

    An exception in the block leaves the branch as it was. If another writer moved the branch
    meanwhile, the edits are applied on top of the new tip. If the work tree is on the branch,
    its files follow; ``UnsavedError`` if that would overwrite unsaved work. ``guard`` may refuse.
    """
    ref = branch_ref(branch)
    check_ref_name(ref)
    author = repo.author()
    tip = _tip(repo, ref) or start
    seen = _packs(repo)
    with repo.batch() as batch:
        edits = Transaction(repo, batch, tree.EMPTY if tip is None else repo.commit(tip).tree)
        yield edits
    seen.update(batch.sealed)
    below = () if start is None else (start,)
    template = Commit(tree.EMPTY, below, author, repo.settings.clock(), message, dict(meta or {}))
    wanted = _Wanted(edits.edits(), template, allow_empty, guard)
    edits.commit_id = _land(repo, ref, wanted, seen)


class _Wanted(NamedTuple):
    """What is to become a commit."""

    edits: list[tuple[bytes, Entry | None]]
    template: Commit
    allow_empty: bool
    guard: Guard | None


def _land(repo: Repository, ref: str, wanted: _Wanted, seen: set[bytes]) -> bytes | None:
    """Commit the edits on top of the branch; the last try keeps all other writers out."""
    for left in reversed(range(_TRIES)):
        with nullcontext() if left else repo.lock("transaction"):
            if _collected(repo, seen):
                _check_content(repo, wanted.edits)
                seen = _packs(repo)
            tip = _tip(repo, ref)
            made = _commit_of(repo, tip, wanted, seen)
            if made is None:
                return None
            with repo.lock("transaction"):
                if not _collected(repo, seen) and _swap(repo, ref, tip, made):
                    return _id_of(made)
    raise RejectedError(f"{ref} moves too fast: {_TRIES} tries failed", hint="try again")


def _commit_of(
    repo: Repository, tip: bytes | None, wanted: _Wanted, seen: set[bytes]
) -> Commit | None:
    """The edits as a commit on ``tip`` (None: on the parents of the template), stored; None if they
    change nothing. ``seen`` learns of the new packs."""
    parents = wanted.template.parents if tip is None else (tip,)
    old = repo.commit(parents[0]).tree if parents else tree.EMPTY
    with repo.batch() as batch:
        root = tree.edit(batch, batch, old, wanted.edits, replace=True)
        if root == old and tip is not None and not wanted.allow_empty:
            return None
        made = wanted.template._replace(tree=root, parents=parents)
        if (guard := wanted.guard) is not None:
            touched = [path for path, _ in wanted.edits if guard.concerns(path)]
            made = guard.check(made, touched, batch)
        batch.put(_id_of(made), Kind.COMMIT, encode_commit(made))
    seen.update(batch.sealed)
    return made


def _id_of(made: Commit) -> bytes:
    return object_id(Kind.COMMIT, encode_commit(made))


def _swap(repo: Repository, ref: str, tip: bytes | None, made: Commit) -> bool:
    """Move the branch, with the lock held; False if it is not on ``tip`` any more."""
    view = repo.view()
    if _tip(repo, ref) != tip:
        return False
    changes = {ref: (view.get(ref), _id_of(made).hex())}
    if view.head()[0] == ref:
        intent.recover(repo)
        old = tree.EMPTY if tip is None else repo.commit(tip).tree
        move(repo, old, made.tree, verb="transaction", note=made.title, changes=changes)
    else:
        repo.operate("transaction", made.title, changes)
    return True


def _packs(repo: Repository) -> set[bytes]:
    return set(repo.index.locations.packs().values())


def _collected(repo: Repository, seen: set[bytes]) -> bool:
    """Whether ``gc`` took a pack away that was there when objects were put, or found there."""
    return not seen <= _packs(repo)


def _check_content(repo: Repository, edits: list[tuple[bytes, Entry | None]]) -> None:
    """Raise ``RejectedError`` if ``gc`` took content that no commit named yet."""
    for path, entry in edits:
        if entry is None:
            continue
        try:
            ids = [part.oid for part in content.parts(repo.store, entry.id)]
        except MissingError:
            ids = []
        ids += bases(repo.store, ids).values()
        if not ids or not all(repo.store.has_many(ids)):
            raise RejectedError(
                f"the content of {show_path(path)} was collected before it was committed",
                hint="try again",
            )


def _tip(repo: Repository, ref: str) -> bytes | None:
    text = repo.view().get(ref)
    return None if text is None else parse_id(text)


def _whole(source: BinaryIO) -> Whole | None:
    """The rest of a file that can be looked at elsewhere; of a pipe there is no such thing."""
    if not source.seekable():
        return None
    start = source.tell()
    size = source.seek(0, os.SEEK_END) - start
    source.seek(start)

    def read_at(place: int, count: int) -> bytes:
        here = source.tell()
        try:
            source.seek(start + max(place, 0))
            return source.read(count)
        finally:
            source.seek(here)

    return Whole(size, read_at)


def _filler(source: BinaryIO) -> Fill:
    """``source.read`` as what fills buffers: not every file that is open has a ``readinto``."""

    def fill(view: memoryview) -> int:
        data = source.read(len(view))
        view[: len(data)] = data
        return len(data)

    return fill
