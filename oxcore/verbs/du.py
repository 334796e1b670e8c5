"""``du``: logical and stored size, and what was shared, by folder and by version."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from oxcore import history, tree
from oxcore.codec.node import Leaf
from oxcore.errors import NotFoundError
from oxcore.model.commits import Commit
from oxcore.model.entries import show_path
from oxcore.model.ids import ID_LEN, parse_id
from oxcore.repo import Repository
from oxcore.repo.files import root_of
from oxcore.repo.names import tips
from oxcore.verbs.upkeep.usage import Meter, Usage


class FolderUsage(NamedTuple):
    """A folder (b"" is the top; else it ends in '/') or file, measured as if it were alone: what
    two folders share counts in both."""

    path: bytes
    usage: Usage


class CommitUsage(NamedTuple):
    """A commit and what it adds: files whose content is in none of its parents' trees at the
    same path, measured without the content of every commit that was listed before, and of the
    parents that the range leaves out. ``total``: files and bytes of its whole tree."""

    id: bytes
    commit: Commit
    adds: Usage
    total: tuple[int, int]


def du(
    repo: Repository, path: bytes = b"", rev: str = "HEAD", *, depth: int = 0
) -> list[FolderUsage]:
    """Sizes of a version, or of the folder or file ``path`` of it, and of its folders ``depth``
    levels down: the whole first, then folders by path. ``:`` means the stage.

    See ``Usage`` for what is counted. Raises ``NotFoundError`` if nothing is there.
    """
    root, nodes = root_of(repo, rev), tree.Nodes(repo.store)
    one = tree.get(nodes, root, path) if path else None
    if one is not None:
        usage = Usage()
        Meter(repo).add(usage, [(one.id, one.size)])
        return [FolderUsage(path, usage)]
    if not tree.exists_folder(nodes, root, path):
        raise NotFoundError(f"{show_path(path)} is not in {rev}", hint="see what is: ox ls -r")
    return list(_folders(repo, nodes, root, path + b"/" if path else b"", depth))


def du_history(
    repo: Repository, revisions: Sequence[str] = (), *, everything: bool = False
) -> Iterator[CommitUsage]:
    """What each commit adds, parents before children; ``everything``: of all refs."""
    if everything:
        refs = repo.view().refs()
        shown = [repo.peel(parse_id(value)) for value in refs.values()]
        chosen = history.Selection(tuple(dict.fromkeys(shown)), ())
    else:
        chosen = tips(repo, revisions)
    read = repo.history()
    rows = list(history.walk(read, chosen.tips, chosen.hide, order="topo"))
    nodes, meter = tree.Nodes(repo.store), Meter(repo)
    inside = {oid for oid, _ in rows}
    outside = {parent for _, commit in rows for parent in commit.parents} - inside
    for parent in sorted(outside):
        _measure(meter, Usage(), nodes, repo.commit(parent).tree, b"")
    for oid, commit in reversed(rows):
        adds = _added(meter, nodes, commit, [read(parent).tree for parent in commit.parents])
        yield CommitUsage(oid, commit, adds, tree.summary(nodes, commit.tree))


def _added(meter: Meter, nodes: tree.Nodes, commit: Commit, parents: Sequence[bytes]) -> Usage:
    usage = Usage()
    others = list(parents[1:])
    changed = (
        (change.path, change.new)
        for change in tree.diff(nodes, (*parents, tree.EMPTY)[0], commit.tree)
        if change.new is not None and (change.old is None or change.old.id != change.new.id)
    )
    fresh = (
        (entry.id, entry.size)
        for path, entry in changed
        if not any(_holds(nodes, other, path, entry.id) for other in others)
    )
    meter.add(usage, fresh)
    return usage


def _holds(nodes: tree.Nodes, root: bytes, path: bytes, oid: bytes) -> bool:
    found = tree.get(nodes, root, path)
    return found is not None and found.id == oid


def _folders(
    repo: Repository, nodes: tree.Nodes, root: bytes, folder: bytes, depth: int
) -> Iterator[FolderUsage]:
    usage = Usage()
    _measure(Meter(repo), usage, nodes, root, folder)
    yield FolderUsage(folder, usage)
    if depth > 0:
        for item in tree.listing(nodes, root, folder):
            if item.entry is None:
                below = folder + item.name + b"/"
                yield from _folders(repo, nodes, root, below, depth - 1)


def _measure(meter: Meter, usage: Usage, nodes: tree.Nodes, root: bytes, folder: bytes) -> None:
    for leaf in tree.walk_leaves(nodes, root, folder):
        meter.add(usage, _contents(leaf))


def _contents(leaf: Leaf) -> Iterator[tuple[bytes, int]]:
    ids = leaf.ids
    for at, size in enumerate(leaf.sizes):
        yield ids[at * ID_LEN : (at + 1) * ID_LEN], size
