"""Which commits one side has and the other lacks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from oxcore.errors import InvalidError, MissingError
from oxcore.history import walk
from oxcore.model.commits import Commit
from oxcore.model.ids import Kind, parse_id
from oxcore.repo import Repository
from oxcore.wire.messages import CommitsRequest

ReadCommit = Callable[[bytes], Commit]
_MAX_TAGS = 16  # tags of tags of tags


class Link(NamedTuple):
    """What a walk needs of a commit."""

    tree: bytes
    parents: tuple[bytes, ...]


class Peeled(NamedTuple):
    """What an id leads to: the annotated tags on the way, and the commit at the end."""

    tags: tuple[bytes, ...]
    commit: bytes


def peel(repo: Repository, oid: bytes) -> Peeled:
    """Follow tags from ``oid`` to a commit.

    Raises ``MissingError`` for what is not here, ``InvalidError`` where neither a tag nor a commit
    stands.
    """
    tags: list[bytes] = []
    while len(tags) <= _MAX_TAGS:
        where = repo.store.locate((oid,))[0]
        if where is None:
            raise MissingError(f"object {oid.hex()} is not here", items=(oid.hex(),))
        if where.kind == Kind.COMMIT:
            return Peeled(tuple(tags), oid)
        tag = repo.tag(oid)
        if tag is None:
            raise InvalidError(f"object {oid.hex()} is neither a commit nor a tag")
        tags.append(oid)
        oid = tag.target
    raise InvalidError(f"{tags[0].hex()} is a tag of a tag, too many times over")


def peel_all(repo: Repository, oids: Iterable[bytes]) -> tuple[list[bytes], list[bytes]]:
    """The tags on the way and the commits that those of ``oids`` lead to which are here."""
    tags: dict[bytes, None] = {}
    commits: dict[bytes, None] = {}
    for oid in oids:
        try:
            found = peel(repo, oid)
        except (MissingError, InvalidError):
            continue
        tags.update(dict.fromkeys(found.tags))
        commits[found.commit] = None
    return list(tags), list(commits)


def ref_commits(repo: Repository) -> list[bytes]:
    """The commits that the refs and a detached HEAD of a repository lead to."""
    view = repo.view()
    values = set(view.refs().values())
    name, head = view.head()
    if name is None and head is not None:
        values.add(head)
    return peel_all(repo, map(parse_id, sorted(values)))[1]


def new_commits(
    repo: Repository, tips: Iterable[bytes], hide: Iterable[bytes], cut: frozenset[bytes]
) -> Iterator[tuple[bytes, Link]]:
    """Commits that ``tips`` reach and ``hide`` do not, newest first; commits in ``cut``, and the
    shallow ones of the repository, count as having no parents."""
    for oid, commit in walk(cut_reader(repo, cut), list(tips), hide=list(hide)):
        yield oid, Link(commit.tree, commit.parents)


def cut_reader(repo: Repository, cut: frozenset[bytes]) -> ReadCommit:
    """Reads commits; those in ``cut`` and the shallow ones of the repository have no parents."""
    edge = cut | repo.shallow()

    def read(oid: bytes) -> Commit:
        commit = repo.commit(oid)
        return commit._replace(parents=()) if oid in edge else commit

    return read


class Selection(NamedTuple):
    """The answer to a request for commits: what to stream, and wanted ids that are not here."""

    ids: list[bytes]
    missing: list[bytes]


def select(repo: Repository, request: CommitsRequest) -> Selection:
    """The tags and commits that ``request`` asks for, tags first."""
    missing, tags, tips = [], dict[bytes, None](), dict[bytes, None]()
    for oid in request.want:
        try:
            found = peel(repo, oid)
        except MissingError:
            missing.append(oid)
            continue
        tags.update(dict.fromkeys(found.tags))
        tips[found.commit] = None
    have = peel_all(repo, request.have)[1]
    cut = frozenset(request.shallow)
    if request.depth is None:
        commits = [oid for oid, _ in new_commits(repo, tips, have, cut)]
    else:
        hidden = {oid for oid, _ in new_commits(repo, have, (), cut)}
        commits = _to_depth(repo, tips, hidden, request.depth)
    return Selection([*tags, *commits], missing)


def _to_depth(
    repo: Repository, tips: Iterable[bytes], hidden: set[bytes], depth: int
) -> list[bytes]:
    """Commits at most ``depth`` steps from a tip (the tip is the first) and not hidden.

    The walk goes through hidden ones: who deepens a history has its tips already.
    """
    read = cut_reader(repo, frozenset())
    found: dict[bytes, None] = {}
    level = list(tips)
    while level and depth:
        found.update(dict.fromkeys(level))
        parents = (parent for oid in level for parent in read(oid).parents)
        level = [oid for oid in dict.fromkeys(parents) if oid not in found]
        depth -= 1
    return [oid for oid in found if oid not in hidden]
