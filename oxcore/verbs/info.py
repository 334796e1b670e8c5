"""``info``: a repository, or one file or folder, at a glance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from oxcore import history, tree
from oxcore.codec import repoformat
from oxcore.errors import NotFoundError
from oxcore.media import ImageFacts
from oxcore.model.commits import Commit, Json
from oxcore.model.entries import Entry, show_path
from oxcore.model.ids import Kind, parse_id
from oxcore.repo import Repository
from oxcore.repo.names import resolve
from oxcore.verbs.comparing.details import image_facts
from oxcore.verbs.upkeep.usage import Meter, Usage


@dataclass(frozen=True, slots=True)
class Objects:
    """Objects of one kind: how many, their bytes, and their bytes as they lie in packs."""

    count: int
    raw: int
    stored: int


@dataclass(frozen=True, slots=True)
class RepoInfo:
    """Facts of a repository: where its files lie, format, counts.

    ``head``: of HEAD, None before the first commit; ``files`` and ``size`` (bytes) of its tree;
    ``commits``: reachable from any ref; ``packs`` and their ``pack_bytes`` on disk; ``objects``
    by kind (chunk, file, segment, tree, commit, tag).
    """

    folder: str
    worktree: str | None
    format: int
    chunking: Mapping[str, Json]
    branch: str | None
    head: bytes | None
    files: int
    size: int
    branches: int
    tags: int
    commits: int
    operations: int
    shallow: bool
    packs: int
    pack_bytes: int
    objects: Mapping[str, Objects]


@dataclass(frozen=True, slots=True)
class PathInfo:
    """Facts of a file or folder of one version.

    ``entry`` None: a folder, of which ``usage`` counts ``files``. ``first`` and ``last``: the
    oldest and newest commit, from that version on back, that changed it. ``image``: what the
    header of an image says.
    """

    path: bytes
    entry: Entry | None
    usage: Usage
    first: tuple[bytes, Commit] | None
    last: tuple[bytes, Commit] | None
    image: ImageFacts | None


def repo_info(repo: Repository) -> RepoInfo:
    """The facts of the repository; reads the whole index and all commits."""
    view = repo.view()
    ref, head = view.head()
    files, size = tree.summary(repo.store, repo.head_tree())
    packs = repo.store.packs()
    return RepoInfo(
        folder=repo.folder,
        worktree=repo.worktree,
        format=repoformat.VERSION,
        chunking=repo.form.chunking,
        branch=None if ref is None else ref.removeprefix("refs/heads/"),
        head=None if head is None else parse_id(head),
        files=files,
        size=size,
        branches=len(view.refs("refs/heads/")),
        tags=len(view.refs("refs/tags/")),
        commits=_count_commits(repo),
        operations=view.number,
        shallow=bool(repo.shallow()),
        packs=len(packs),
        pack_bytes=sum(pack.size for pack in packs),
        objects=_count_objects(repo),
    )


def path_info(repo: Repository, path: bytes, rev: str = "HEAD") -> PathInfo:
    """The facts of a file or folder; ``NotFoundError`` if it is not in that version."""
    found = resolve(repo, rev)
    root, nodes = repo.commit(found.id).tree, tree.Nodes(repo.store)
    entry = tree.get(nodes, root, path) if path else None
    prefix = path if entry is not None else path + b"/" if path else b""
    usage = Usage()
    Meter(repo).add(usage, ((one.id, one.size) for _, one in tree.walk(nodes, root, prefix)))
    if not usage.files:
        raise NotFoundError(
            f"{show_path(path)} is not in {rev}", hint=f"see what is: ox ls -r --rev {rev}"
        )
    commits = list(_changed_by(repo, nodes, path, found.id))
    return PathInfo(
        path,
        entry,
        usage,
        commits[-1] if commits else None,
        commits[0] if commits else None,
        None if entry is None else image_facts(repo, path, entry),
    )


def _changed_by(
    repo: Repository, nodes: tree.Nodes, path: bytes, tip: bytes
) -> Iterator[tuple[bytes, Commit]]:
    read = repo.history()
    for oid, commit in history.walk(read, [tip]):
        parents = [read(parent).tree for parent in commit.parents] or [tree.EMPTY]
        if all(_differs(nodes, before, commit.tree, path) for before in parents):
            yield oid, commit


def _differs(nodes: tree.Nodes, old: bytes, new: bytes, path: bytes) -> bool:
    return next(tree.diff(nodes, old, new, prefix=path), None) is not None


def _count_commits(repo: Repository) -> int:
    values = {*repo.view().refs().values(), repo.view().head()[1]} - {None}
    tips = {repo.peel(parse_id(value)) for value in values if value}
    return sum(1 for _ in history.walk(repo.history(), sorted(tips)))


def _count_objects(repo: Repository) -> dict[str, Objects]:
    sums = {kind: [0, 0, 0] for kind in Kind}
    for _, where in repo.index.locations.ids():
        row = sums[Kind(where.kind)]
        row[0] += 1
        row[1] += where.raw
        row[2] += where.stored
    return {kind.name.lower(): Objects(*row) for kind, row in sums.items()}
