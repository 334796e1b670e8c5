"""Mending the operation log: go on from what is sound in it, and lose no commit."""

from __future__ import annotations

import os
from typing import NamedTuple

from oxcore import tree
from oxcore.fs.atomic import storage_errors, write_atomic
from oxcore.model.commits import Commit
from oxcore.model.ids import Kind, parse_id
from oxcore.refs import Salvage, View, salvage
from oxcore.refs.names import HEADS
from oxcore.repo import Repository
from oxcore.verbs.upkeep.audit import log_path
from oxcore.verbs.upkeep.prove import FAULTS
from oxcore.verbs.upkeep.roots import operation_roots, view_roots

LOST = "refs/lost/"
_MAIN = HEADS + "main"


class MendedLog(NamedTuple):
    """Paths of what was put ``aside`` (nothing: the log was left as it is), and the refs that were
    made for commits that no other names (``rescued``)."""

    aside: list[str]
    rescued: list[str]


def mend_log(repo: Repository) -> MendedLog:
    """Cut off what lies behind the last sound operation or, if there is damage before it, write
    the log anew. It needs the lock.

    The new log goes on from the state as far as it is known, with the operations behind the
    damage. Commits that nobody's parent is and that no sound operation names may be what the lost
    ones made: each gets a name ``refs/lost/N``, the newest first.
    """
    found = salvage(repo.folder)
    if found.sound:
        cut = _cut(repo, found)
        return MendedLog(cut, _rescue(repo, found) if cut else [])
    path = _put_aside(log_path(repo), "bad")
    base = None if found.base is None else _valid(repo, found)
    records = b"".join(record.raw for record in found.kept)
    repo.state.rewrite(base, records, repo.settings.clock())
    return MendedLog([path], _rescue(repo, found))


def _cut(repo: Repository, found: Salvage) -> list[str]:
    path = log_path(repo)
    last = found.kept[-1]
    end = last.start + len(last.raw)
    with storage_errors("mend the operation log"):
        if end == os.path.getsize(path):
            return []
        aside = _put_aside(path, "cut", end)
        os.truncate(path, end)
    return [aside]


def _put_aside(path: str, ending: str, start: int = 0) -> str:
    """Keep the log from byte ``start`` on beside it; gives the path."""
    aside, count = f"{path}.{ending}", 1
    while os.path.exists(aside):
        count += 1
        aside = f"{path}.{ending}-{count}"
    with storage_errors("keep the damaged operation log"), open(path, "rb") as file:
        file.seek(start)
        write_atomic(aside, file.read())
    return aside


def _valid(repo: Repository, found: Salvage) -> View:
    """The state to go on from, with a HEAD and a stage whatever was lost."""
    base, final = dict(found.base or {}), found.values()
    if "HEAD" not in final:
        branches = View(final, 0).refs(HEADS)
        branch = _MAIN if _MAIN in branches else next(iter(branches), _MAIN)
        final["HEAD"] = base["HEAD"] = f"ref:{branch}"
    if "stage" not in final:
        base["stage"] = _head_tree(repo, View(final, 0)).hex()
    return View(base, max(1, found.base.number if found.base else 0))


def _head_tree(repo: Repository, view: View) -> bytes:
    _, head = view.head()
    try:
        return tree.EMPTY if head is None else repo.commit(parse_id(head)).tree
    except FAULTS:
        return tree.EMPTY


def _rescue(repo: Repository, found: Salvage) -> list[str]:
    """Name the commits that nothing else names, and give the stage a tree that is here."""
    view = repo.view()
    tips = _lost(repo, found)
    used = [key.removeprefix(LOST) for key in view.refs(LOST)]
    first = max((int(number) for number in used if number.isdecimal()), default=0) + 1
    names = {f"{LOST}{first + place}": oid for place, oid in enumerate(tips)}
    if names:
        changes = {name: (None, oid.hex()) for name, oid in names.items()}
        repo.operate("fsck", f"{len(names)} lost", changes)
    if view["stage"] != tree.EMPTY.hex() and repo.store.locate([repo.stage()]) == [None]:
        stage = _head_tree(repo, view).hex()
        repo.operate("fsck", "the staged tree is lost", {"stage": (view["stage"], stage)})
    return list(names)


def _lost(repo: Repository, found: Salvage) -> list[bytes]:
    """The commits that are nobody's parent and that neither a ref nor a sound operation names,
    the newest first."""
    commits = _commits(repo)
    known = {parent for commit in commits.values() for parent in commit.parents}
    roots = (*view_roots(repo.view()), *operation_roots(found.seen))
    for root in roots:
        known.add(root.id)
        known.add(_target(repo, root.id))
    lost = [oid for oid in commits if oid not in known]
    return sorted(lost, key=lambda oid: (-commits[oid].time.us, oid))


def _target(repo: Repository, oid: bytes) -> bytes:
    try:
        return repo.peel(oid)
    except FAULTS:
        return oid


def _commits(repo: Repository) -> dict[bytes, Commit]:
    """Every commit in the packs that can be read."""
    found = {}
    for oid, where in repo.store.locator.ids():
        if where.kind == Kind.COMMIT:
            try:
                found[oid] = repo.commit(oid)
            except FAULTS:
                continue
    return found
