"""What a commit would let training and test share: looked for where it changes a dataset.

A dataset is a folder whose ``split.json`` keeps a share (``split``). Its two sides are compared,
and with what each parent of the commit has of them. Nothing is read where no such file is found.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from oxcore import tree
from oxcore.errors import InvalidError, MissingError
from oxcore.insight import split
from oxcore.model.commits import Commit
from oxcore.model.entries import Entry, Mode, show_path
from oxcore.model.protocols import Reader
from oxcore.repo import Repository
from oxcore.store import content

if TYPE_CHECKING:
    from oxcore.insight.sides import Look, Sides

LISTED = 10
"""So many of what leaks are told; the rest is counted."""
_MOST = 1 << 16  # bytes of a file that may keep a share
_MEDIA = b"media"


def found(
    repo: Repository, made: Commit, touched: Collection[bytes], reader: Reader
) -> dict[str, list[str]]:
    """Dataset -> a line for each pair of rows that ``made`` would have in both, for each row that
    it moves from the test to training, and for a table that cannot be read; not what a parent has
    so already.

    ``touched``: the files that it changes, of those that may belong to a dataset; ``reader`` has
    its tree.
    """
    folders = sorted(set(_folders(touched)))
    nodes = tree.Nodes(reader)
    now = _datasets(repo, nodes, made.tree, folders)
    olds = [(root, _datasets(repo, nodes, root, folders)) for root in _parents(repo, made)]
    known = now.union(*(there for _, there in olds))
    if not known:
        return {}
    from oxcore.insight.sides import Look, leaking

    lines: dict[str, list[str]] = {}
    for folder in sorted(known):
        before = list(_before(Look(repo, nodes), folder, now, olds))
        look = Look(repo, nodes)
        told = leaking(look.new(made.tree, folder, before), before)
        told += [why for path, why in look.broken.items() if path in touched]
        if told:
            lines[show_path(folder) or "the top"] = told
    return lines


def refusal(found: Mapping[str, Sequence[str]]) -> InvalidError:
    """The error of a commit that would bring this."""
    return InvalidError(
        f"training and test of {', '.join(found)} would not stay apart: nothing is committed",
        items=listed(found),
        hint="take those rows out of one of the tables (before a merge, on one of the branches); "
        "if it is meant: --allow-leak, and the commit tells of it",
    )


def listed(found: Mapping[str, Sequence[str]]) -> list[str]:
    """The first of the lines, each with its dataset, and how many more there are."""
    lines = [f"{name}: {line}" for name, told in found.items() for line in told]
    rest = len(lines) - LISTED
    return [*lines[:LISTED], *([f"... and {rest:,} more"] if rest > 0 else [])]


def _folders(touched: Iterable[bytes]) -> Iterator[bytes]:
    """The folders whose dataset a file may belong to: that of a table or a share, and each that has
    the inputs below it."""
    for path in touched:
        *above, name = path.split(b"/")
        if name == split.NAME or name.startswith((b"train.", b"test.")):
            yield b"/".join(above)
        yield from (b"/".join(above[:at]) for at, one in enumerate(above) if one == _MEDIA)


def _datasets(
    repo: Repository, nodes: tree.Nodes, root: bytes, folders: Sequence[bytes]
) -> set[bytes]:
    """Which of the folders of a tree have a share."""
    paths = [one + b"/" + split.NAME if one else split.NAME for one in folders]
    entries = dict(zip(sorted(paths), tree.get_many(nodes, root, sorted(paths)), strict=True))
    pairs = zip(folders, paths, strict=True)
    return {one for one, path in pairs if _is_share(repo, path, entries[path])}


def _is_share(repo: Repository, path: bytes, entry: Entry | None) -> bool:
    if entry is None or entry.mode == Mode.LINK or entry.size > _MOST:
        return False
    try:
        split.parse(b"".join(content.read(repo.store, entry.id)), path)
    except InvalidError:  # other datasets call a file so too
        return False
    return True


def _parents(repo: Repository, made: Commit) -> Iterator[bytes]:
    """The trees of the parents, but of those that a shallow clone has left out."""
    for parent in made.parents:
        try:
            yield repo.commit(parent).tree
        except MissingError:
            continue


def _before(
    look: Look, folder: bytes, now: set[bytes], olds: Sequence[tuple[bytes, set[bytes]]]
) -> Iterator[Sides]:
    """What each parent has of a dataset; of one that is new there, what it has of those that are
    gone, for it may be one of them under another name."""
    for root, there in olds:
        same = [folder] if folder in there else sorted(there - now)
        for one in same:
            yield look.old(root, one)
