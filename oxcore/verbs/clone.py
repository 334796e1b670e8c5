"""``clone``: a new repository that holds what another one has, with its files checked out."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass

from oxcore import tree
from oxcore.errors import ExistsError, InvalidError, OxError
from oxcore.model.ids import parse_id
from oxcore.refs import branch_ref, remote_ref
from oxcore.repo import FOLDER, Repository, Settings
from oxcore.transfer import FetchReport
from oxcore.transfer import fetch as transfer
from oxcore.verbs import intent
from oxcore.verbs.fetch import check_branch, shallow_change
from oxcore.verbs.remotes import DEFAULT, connect, full_address
from oxcore.verbs.update import Moved, move
from oxcore.wire.messages import RefsReply

_PENDING = "clone.pending"  # the address, as long as a clone has not come to its end


@dataclass(frozen=True, slots=True)
class Cloned:
    """What a clone did: the branch that is checked out (None: a tag, or nothing was there), what
    was received and written, and whether it went on with an interrupted one."""

    branch: str | None
    report: FetchReport
    moved: Moved
    resumed: bool


def clone(
    url: str,
    folder: str | None = None,
    *,
    branch: str | None = None,
    depth: int | None = None,
    bare: bool = False,
    settings: Settings | None = None,
) -> tuple[Repository, Cloned]:
    """Copy the repository at ``url`` (path, ``file://`` or hub) into a new ``folder``.

    ``branch`` (or a tag) is checked out instead of the remote's HEAD; ``depth`` leaves out older
    commits, and then other branches. A clone that was interrupted goes on when it is called
    again. Raises ``ExistsError`` for a folder that holds something else, ``NotFoundError`` for
    an unknown branch or repository; then the folder is not made.
    """
    if depth is not None and depth < 1:
        raise InvalidError(f"a depth of {depth}: at least 1 commit is needed")
    address, target = full_address(url), os.path.abspath(folder or default_folder(url))
    fresh = not os.path.exists(target)
    repo, resumed = _prepare(address, target, bare=bare, settings=settings)
    try:
        return repo, _fill(repo, branch, depth, resumed=resumed)
    except OxError as error:
        repo.close()
        if error.kind in ("not-found", "denied", "invalid") and not resumed:
            _take_back(target, bare=bare, fresh=fresh)
        raise
    except BaseException:
        repo.close()
        raise


def default_folder(url: str) -> str:
    """The folder that a clone of ``url`` goes to: the last part of the address."""
    name = url.rstrip("/").rpartition("/")[2]
    if name in ("", ".", "..", FOLDER):
        raise InvalidError(f"{url!r} gives no name for a folder", hint="ox clone URL FOLDER")
    return name


def _prepare(
    address: str, target: str, *, bare: bool, settings: Settings | None
) -> tuple[Repository, bool]:
    home = target if bare else os.path.join(target, FOLDER)
    if os.path.exists(os.path.join(home, "format")):
        repo = Repository.open(target, settings)
        if repo.own_config().get(_PENDING) == address:
            return repo, True
        repo.close()
        raise ExistsError(f"there is a repository at {target} already", hint="use ox pull in it")
    if os.path.lexists(target) and (not os.path.isdir(target) or os.listdir(target)):
        raise ExistsError(f"{target} is there already and not empty")
    repo = Repository.init(target, bare=bare, settings=settings)
    repo.set_config({f"remote.{DEFAULT}.url": address, _PENDING: address})
    return repo, False


def _fill(repo: Repository, branch: str | None, depth: int | None, *, resumed: bool) -> Cloned:
    _, connection = connect(repo, DEFAULT)
    with connection as remote, repo.lock("clone"):
        intent.recover(repo)
        refs = remote.refs()
        chosen = check_branch(refs, branch, remote) if branch else _head(refs)
        wanted = dict(refs.refs)
        if depth is not None:
            wanted = {ref: value for ref, value in refs.refs.items() if ref == chosen}
        ids = [parse_id(value) for value in wanted.values()]
        report = transfer(repo, remote, ids, refs=refs, depth=depth)
        moved = _check_out(repo, refs, chosen, wanted, report)
    name = None if chosen is None else chosen.removeprefix("refs/heads/")
    on_branch = name if chosen and chosen.startswith("refs/heads/") else None
    settings: dict[str, str | None] = {_PENDING: None}
    if on_branch:
        settings[f"branch.{on_branch}.remote"] = DEFAULT
        settings[f"branch.{on_branch}.merge"] = on_branch
    repo.set_config(settings)
    return Cloned(on_branch, report, moved, resumed)


def _head(refs: RefsReply) -> str | None:
    """The branch to check out: that of the remote's HEAD, else ``main``, else the first."""
    named = refs.head.removeprefix("ref:")
    heads = sorted(ref for ref in refs.refs if ref.startswith("refs/heads/"))
    for ref in (named, branch_ref("main"), *heads):
        if ref in refs.refs:
            return ref
    return named if not heads and refs.head.startswith("ref:") else None


def _check_out(
    repo: Repository,
    refs: RefsReply,
    chosen: str | None,
    wanted: dict[str, str],
    report: FetchReport,
) -> Moved:
    view = repo.view()
    changes = shallow_change(repo, report.shallow)
    for ref, value in wanted.items():
        is_branch = ref.startswith("refs/heads/")
        place = remote_ref(DEFAULT, ref.removeprefix("refs/heads/")) if is_branch else ref
        changes[place] = (view.get(place), value)
    root = tree.EMPTY
    if chosen is not None and chosen.startswith("refs/heads/"):
        changes["HEAD"] = (view["HEAD"], f"ref:{chosen}")
        if chosen in refs.refs:
            changes[chosen] = (view.get(chosen), refs.refs[chosen])
            root = repo.commit(parse_id(refs.refs[chosen])).tree
    elif chosen is not None:
        commit = repo.peel(parse_id(refs.refs[chosen]))
        changes["HEAD"] = (view["HEAD"], commit.hex())
        root = repo.commit(commit).tree
    note = repo.own_config()[f"remote.{DEFAULT}.url"]
    return move(repo, tree.EMPTY, root, verb="clone", note=note, changes=changes)


def _take_back(target: str, *, bare: bool, fresh: bool) -> None:
    """Remove what was made for a clone that could not even begin."""
    if fresh or bare:
        shutil.rmtree(target, ignore_errors=True)
    else:
        shutil.rmtree(os.path.join(target, FOLDER), ignore_errors=True)
