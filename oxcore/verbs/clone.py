"""``clone``: a new repository that holds what another one has, with its files checked out."""

from __future__ import annotations

import os
import shutil
from contextlib import closing, suppress
from dataclasses import dataclass

from oxcore import tree
from oxcore.codec import config
from oxcore.errors import (
    BusyError,
    ExistsError,
    InvalidError,
    OxError,
    StorageError,
    UnreachableError,
    UnsavedError,
)
from oxcore.model.counters import Counters
from oxcore.model.ids import parse_id
from oxcore.model.settings import Settings
from oxcore.refs import branch_ref, remote_ref
from oxcore.repo import FOLDER, Repository
from oxcore.transfer import FetchReport, Remote, open_remote
from oxcore.transfer import fetch as transfer
from oxcore.transfer.connect import is_url
from oxcore.verbs.fetch import check_branch, listed_shallow
from oxcore.verbs.moving import intent
from oxcore.verbs.moving.update import Moved, move
from oxcore.verbs.remotes import DEFAULT, full_address
from oxcore.wire.messages import RefsReply

_PENDING = "clone.pending"  # the address, as long as a clone has not come to its end


@dataclass(frozen=True, slots=True)
class Cloned:
    """What a clone did: the branch that is checked out (None: a tag), the commit (None: nothing
    was there), what was received and written, and whether it went on with an interrupted one."""

    url: str
    branch: str | None
    commit: bytes | None
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
    chosen = settings or Settings()
    address, counters = full_address(url), Counters()
    target = os.path.abspath(folder or default_folder(address))
    _check_target(address, target, bare=bare)
    token = chosen.token_for(address) if is_url(address) else None
    opened = open_remote(address, token=token, counters=counters, settings=chosen)
    with closing(opened) as remote:
        # Before anything is made here: the remote answers, and has what is asked for.
        refs = remote.refs()
        ref = check_branch(refs, branch, remote) if branch else _head(refs)
        fresh = not os.path.lexists(target)
        repo, resumed = _prepare(address, target, bare=bare, settings=chosen)
        try:
            cloned = _fill(repo, remote, refs, ref, depth, resumed=resumed)
        except BaseException as error:
            if resumed or not _hopeless(error):
                repo.close()
            else:
                _take_back(repo, target, fresh=fresh)
            raise
    repo.counters.requests += counters.requests
    return repo, cloned


def default_folder(address: str) -> str:
    """The folder that a clone goes to: the last part of the address."""
    name = address.rstrip("/").rpartition("/")[2]
    if name in ("", ".", "..", FOLDER):
        raise InvalidError(f"{address!r} gives no name for a folder", hint="ox clone URL FOLDER")
    return name


def _home(target: str, *, bare: bool) -> str:
    return target if bare else os.path.join(target, FOLDER)


def _check_target(address: str, target: str, *, bare: bool) -> None:
    """Raise ``ExistsError`` unless ``target`` is free, or holds an unfinished clone of this."""
    try:
        if os.path.isfile(os.path.join(_home(target, bare=bare), "format")):
            with open(os.path.join(_home(target, bare=bare), "config"), encoding="utf-8") as file:
                if config.parse(file.read()).get(_PENDING) == address:
                    return
    except (OSError, UnicodeDecodeError, InvalidError):
        pass  # it is no unfinished clone, whatever it is
    if os.path.isfile(os.path.join(_home(target, bare=bare), "format")):
        raise ExistsError(f"there is a repository at {target} already", hint="use ox pull in it")
    if os.path.lexists(target) and (not os.path.isdir(target) or os.listdir(target)):
        hint = "name a new folder: ox clone URL FOLDER"
        raise ExistsError(f"{target} is there already and not empty", hint=hint)


def _prepare(
    address: str, target: str, *, bare: bool, settings: Settings
) -> tuple[Repository, bool]:
    if os.path.exists(os.path.join(_home(target, bare=bare), "format")):
        return Repository.open(target, settings), True
    repo = Repository.init(target, bare=bare, settings=settings)
    repo.set_config({f"remote.{DEFAULT}.url": address, _PENDING: address})
    return repo, False


def _fill(
    repo: Repository,
    remote: Remote,
    refs: RefsReply,
    chosen: str | None,
    depth: int | None,
    *,
    resumed: bool,
) -> Cloned:
    with repo.lock("clone"):
        intent.recover(repo)
        wanted = dict(refs.refs)
        if depth is not None:
            wanted = {ref: value for ref, value in refs.refs.items() if ref == chosen}
        ids = [parse_id(value) for value in wanted.values()]
        report = transfer(repo, remote, ids, refs=refs, depth=depth)
        moved = _check_out(repo, chosen, wanted, report)
        branch = None
        if chosen is not None and chosen.startswith("refs/heads/"):
            branch = chosen.removeprefix("refs/heads/")
        _settle(repo, branch, limited=depth is not None)
        address = repo.own_config()[f"remote.{DEFAULT}.url"]
        return Cloned(address, branch, repo.head(), report, moved, resumed)


def _settle(repo: Repository, branch: str | None, *, limited: bool) -> None:
    """Write the settings of a clone that has come to its end."""
    settings: dict[str, str | None] = {_PENDING: None}
    if branch is not None:
        if repo.worktree is not None:
            settings[f"branch.{branch}.remote"] = DEFAULT
            settings[f"branch.{branch}.merge"] = branch
        if limited:
            settings[f"remote.{DEFAULT}.branches"] = branch
    repo.set_config(settings)


def _head(refs: RefsReply) -> str | None:
    """The branch to check out: that of the remote's HEAD, else ``main``, else the first."""
    named = refs.head.removeprefix("ref:")
    heads = sorted(ref for ref in refs.refs if ref.startswith("refs/heads/"))
    for ref in (named, branch_ref("main"), *heads):
        if ref in refs.refs:
            return ref
    return named if not heads and refs.head.startswith("ref:") else None


def _check_out(
    repo: Repository, chosen: str | None, wanted: dict[str, str], report: FetchReport
) -> Moved:
    view = repo.view()
    changes = {"shallow": (view.get("shallow"), listed_shallow(report.shallow))}
    for ref, value in wanted.items():
        place = ref
        if ref.startswith("refs/heads/") and repo.worktree is not None:
            place = remote_ref(DEFAULT, ref.removeprefix("refs/heads/"))
        changes[place] = (view.get(place), value)
    root = tree.EMPTY
    if chosen is not None:
        commit = repo.peel(parse_id(wanted[chosen])).hex() if chosen in wanted else None
        on_branch = chosen.startswith("refs/heads/")
        changes["HEAD"] = (view["HEAD"], f"ref:{chosen}" if on_branch else commit)
        if commit is not None:
            root = repo.commit(parse_id(commit)).tree
            if on_branch:
                changes[chosen] = (view.get(chosen), commit)
    note = repo.own_config()[f"remote.{DEFAULT}.url"]
    # Not the empty tree: a clone may have been broken off after this move, before its settings.
    return move(repo, repo.head_tree(), root, verb="clone", note=note, changes=changes)


def _hopeless(error: BaseException) -> bool:
    """Whether calling again could not go on from what has arrived."""
    again = (UnreachableError, BusyError, StorageError, UnsavedError)
    return isinstance(error, OxError) and not isinstance(error, again)


def _take_back(repo: Repository, target: str, *, fresh: bool) -> None:
    """Remove what was made for a clone that cannot go on, and nothing that others put there."""
    if repo.worktree is not None:
        with suppress(OxError), repo.lock("clone"):
            intent.recover(repo)
    repo.close()
    shutil.rmtree(repo.folder, ignore_errors=True)
    if fresh:
        with suppress(OSError):  # it is not empty, or gone with the folder of a bare one
            os.rmdir(target)
