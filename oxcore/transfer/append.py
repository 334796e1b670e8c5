"""Adds files to the tip of a branch, under the lock: many may do so at once, and none conflicts."""

from __future__ import annotations

from collections.abc import Sequence

from oxcore import tree
from oxcore.codec.commit import encode_commit
from oxcore.codec.manifest import decode_manifest
from oxcore.errors import InvalidError, MissingError, RejectedError, counted
from oxcore.model.commits import Commit, Person
from oxcore.model.entries import Entry, Mode, check_path, path_bytes
from oxcore.model.ids import Kind, object_id, parse_id
from oxcore.refs import branch_ref, check_ref_name
from oxcore.repo import Repository
from oxcore.transfer.check import missing_files
from oxcore.transfer.update import check_checked_out, point_head
from oxcore.wire.append import AppendReply, AppendRequest

_MAX_NAMED = 1000

Added = list[tuple[bytes, Entry]]


def apply_append(repo: Repository, request: AppendRequest, who: str) -> AppendReply:
    """Commit the files of ``request`` on top of the branch, as one operation of ``repo`` by
    ``who``; no file that is there changes.

    What is there with the same id is left out, so that a retry changes nothing. Raises
    ``RejectedError`` where a path has another content, ``MissingError`` for content that is not
    here, ``InvalidError`` for a name, a path or a size that cannot be.
    """
    ref = branch_ref(request.branch)
    check_ref_name(ref)
    files = _entries(request)
    with repo.lock("append"):
        check_checked_out(repo, repo.view(), [ref])
        tip = repo.view().get(ref)
        root = tree.EMPTY if tip is None else repo.commit(parse_id(tip)).tree
        new = _new(repo, root, files)
        if tip is not None and not new:
            return AppendReply(tip, 0)
        _check_content(repo, new)
        made = _commit(repo, request, who, tip, tree_root=root, new=new)
        repo.state.swap(
            {ref: (tip, made)},
            verb="append",
            note=request.message,
            who=who,
            time=repo.settings.clock(),
        )
        point_head(repo, [ref], who)
    return AppendReply(made, len(new))


def _entries(request: AppendRequest) -> Added:
    files = [
        (path_bytes(one.path), Entry(Mode.FILE, one.size, one.id))
        for one in sorted(request.files, key=lambda one: path_bytes(one.path))
    ]
    for path, _ in files:
        check_path(path)
    return files


def _new(repo: Repository, root: bytes, files: Added) -> Added:
    """Those of the files that are not there."""
    held = tree.get_many(repo.store, root, [path for path, _ in files])
    other = [
        path
        for (path, entry), old in zip(files, held, strict=True)
        if old is not None and old.id != entry.id
    ]
    if other:
        raise RejectedError(
            f"{counted(len(other), 'path')} hold another content: nothing is replaced by append",
            hint="choose other names",
            paths=other[:_MAX_NAMED],
        )
    return [one for one, old in zip(files, held, strict=True) if old is None]


def _check_content(repo: Repository, files: Added) -> None:
    sizes = {entry.id: entry.size for _, entry in files}
    gaps = missing_files(repo, sizes)
    if gaps:
        raise MissingError(
            f"{counted(len(gaps), 'object')} of the files are not here",
            hint="send them first, then append again",
            items=[oid.hex() for oid in gaps[:_MAX_NAMED]],
        )
    ids = list(sizes)
    for oid, size in zip(ids, _sizes(repo, ids), strict=True):
        if size != sizes[oid]:
            raise InvalidError(f"the file {oid.hex()} has {size} bytes, not {sizes[oid]}")


def _sizes(repo: Repository, ids: Sequence[bytes]) -> list[int]:
    found = []
    for oid, where in zip(ids, repo.store.locate(ids), strict=True):
        if where is not None and where.kind == Kind.FILE:
            found.append(decode_manifest(repo.store.get(oid, Kind.FILE)).size)
        elif where is not None and where.kind == Kind.CHUNK:
            found.append(where.raw)
        else:
            raise InvalidError(f"{oid.hex()} is not the content of a file")
    return found


def _commit(
    repo: Repository,
    request: AppendRequest,
    who: str,
    tip: str | None,
    *,
    tree_root: bytes,
    new: Added,
) -> str:
    """Store the commit; gives its id in hex."""
    author = request.author or Person(who or "anonymous")
    parents = () if tip is None else (parse_id(tip),)
    with repo.batch() as batch:
        root = tree.edit(batch, batch, tree_root, new)
        commit = Commit(root, parents, author, repo.settings.clock(), request.message)
        data = encode_commit(commit)
        oid = object_id(Kind.COMMIT, data)
        batch.put(oid, Kind.COMMIT, data)
    return oid.hex()
