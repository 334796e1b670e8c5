"""``status``: what is staged, what changed, what is untracked, what is in progress."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from oxcore import tree
from oxcore.errors import BusyError
from oxcore.index import pack_row
from oxcore.model.entries import Change
from oxcore.model.ids import parse_id
from oxcore.repo import Repository
from oxcore.repo.select import Selection
from oxcore.repo.survey import Aside, Gone, catch_up, differs, survey

if TYPE_CHECKING:
    from oxcore.repo.merging import Pending


class Listing:
    """Changes with their counts by letter; the list may be cut, the counts are whole."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.changes: list[Change] = []

    def note(self, change: Change, limit: int | None) -> None:
        """Count a change and keep it if there is room."""
        self.counts[change.letter] += 1
        if limit is None or len(self.changes) < limit:
            self.changes.append(change)

    @property
    def total(self) -> int:
        """How many changes there are."""
        return self.counts.total()


class Status:
    """The state of a work tree.

    ``branch`` None: HEAD is detached; ``head`` None: no commit yet. ``staged`` is the stage
    against HEAD, ``changed`` the work tree against the stage (``new.id`` is empty where the
    size alone told), ``untracked`` maps a path (a folder ends in '/') to its number of files.
    ``ahead`` and ``behind`` count commits against ``upstream`` (None: there is none).
    ``interrupted``: a move of the work tree was broken off, and what changed is partly its doing;
    the next verb that writes puts it back. ``bare``: there is no work tree to look at.
    """

    def __init__(self, *, head: bytes | None, pending: Pending | None, bare: bool) -> None:
        self.branch: str | None = None
        self.head = head
        self.upstream: str | None = None
        self.ahead = self.behind = 0
        self.staged = Listing()
        self.changed = Listing()
        self.untracked: dict[bytes, int] = {}
        self.pending = pending
        self.interrupted = False
        self.bare = bare
        self.aside = Aside()

    @property
    def clean(self) -> bool:
        """Whether there is nothing to add or commit."""
        return not (self.staged.total or self.changed.total or self.untracked or self.pending)


def status(
    repo: Repository,
    patterns: Sequence[bytes] = (),
    *,
    limit: int | None = None,
    each_untracked: bool = False,
) -> Status:
    """Look at the work tree. Lists hold at most ``limit`` changes each; counts are whole.

    ``each_untracked`` lists every untracked file instead of the topmost untracked folder.
    Rows of files that turn out clean are refreshed if no other process writes.
    """
    view = repo.view()
    ref, head = view.head()
    result = Status(
        head=None if head is None else parse_id(head),
        pending=_pending(repo),
        bare=repo.worktree is None,
    )
    if ref is not None:
        result.branch = ref.removeprefix("refs/heads/")
        _compare_upstream(repo, result)
    selection = Selection(patterns)
    before, stage = repo.head_tree(), repo.stage()
    if before != stage:  # mostly they are the same
        for change in tree.diff(repo.store, before, stage):
            if change.path in selection:
                result.staged.note(change, limit)
    if repo.worktree is not None:
        result.interrupted = _interrupted(repo)
        _look_at_files(repo, selection, result, limit, each_untracked=each_untracked)
    return result


def _pending(repo: Repository) -> Pending | None:
    if "merge" not in repo.view():
        return None
    from oxcore.repo.merging import read_pending  # seldom needed

    return read_pending(repo)


def _interrupted(repo: Repository) -> bool:
    if not os.path.exists(repo.intent):
        return False
    from oxcore.verbs.moving.intent import interrupted  # seldom needed

    return interrupted(repo)


def _look_at_files(
    repo: Repository,
    selection: Selection,
    result: Status,
    limit: int | None,
    *,
    each_untracked: bool,
) -> None:
    catch_up(repo, "status")
    clean: list[tuple[bytes, bytes]] = []
    loose: list[bytes] = []
    for item in survey(repo, selection, result.aside):
        if isinstance(item, Gone):
            result.changed.note(Change(item.path, item.entry, None), limit)
        elif item.entry is None:
            loose.append(item.path)
        else:
            now = differs(repo, item)
            if now is None:
                clean.append((item.path, pack_row(item.stat, item.entry)))
            else:
                result.changed.note(Change(item.path, item.entry, now), limit)
    result.untracked = dict.fromkeys(loose, 1) if each_untracked else _by_folder(repo, loose)
    _refresh(repo, clean)


def _refresh(repo: Repository, rows: list[tuple[bytes, bytes]]) -> None:
    if not rows or repo.readable_only:
        return
    try:
        with repo.lock("status", wait=0.0):
            repo.index.stat.touch(repo.stage(), rows)
    except BusyError:
        return  # the next status looks at these files again


def _by_folder(repo: Repository, loose: Sequence[bytes]) -> dict[bytes, int]:
    """Each untracked file under the topmost folder that holds no tracked file."""
    tracked = {b""}
    for folder in repo.index.stat.folders():
        while folder not in tracked:
            tracked.add(folder)
            folder = folder.rpartition(b"/")[0]
    counts: dict[bytes, int] = {}
    tops: dict[bytes, bytes | None] = {}
    for path in loose:
        folder = path.rpartition(b"/")[0]
        if folder not in tops:
            tops[folder] = _top(folder, tracked)
        top = tops[folder]
        key = path if top is None else top + b"/"
        counts[key] = counts.get(key, 0) + 1
    return dict(sorted(counts.items()))


def _top(folder: bytes, tracked: set[bytes]) -> bytes | None:
    """The topmost part of ``folder`` that is not tracked; None if all of it is."""
    if folder in tracked:
        return None
    parts = folder.split(b"/")
    for count in range(1, len(parts) + 1):
        part = b"/".join(parts[:count])
        if part not in tracked:
            return part
    return None


def _compare_upstream(repo: Repository, result: Status) -> None:
    settings = repo.own_config()
    remote = settings.get(f"branch.{result.branch}.remote")
    name = settings.get(f"branch.{result.branch}.merge", result.branch or "")
    if not remote:
        return
    result.upstream = f"{remote}/{name}"
    tip = repo.view().get(f"refs/remotes/{remote}/{name}")
    if tip is None or result.head is None:
        return
    from oxcore.repo.apart import ahead_behind  # where branches follow others, and only there

    result.ahead, result.behind = ahead_behind(repo, result.head, parse_id(tip))
