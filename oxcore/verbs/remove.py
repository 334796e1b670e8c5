"""``rm`` and ``mv``: paths leave the stage, or take another name."""

from __future__ import annotations

import os
from collections.abc import Sequence

from oxcore import tree
from oxcore.errors import ExistsError, NotFoundError, UnsavedError, UsageError, counted
from oxcore.fs.atomic import storage_errors
from oxcore.index import pack_row, row_entry
from oxcore.model.entries import Change, Entry, check_path, show_path
from oxcore.repo import Repository
from oxcore.repo.merging import read_pending, without_conflicts
from oxcore.repo.schemafile import FOLDER, file_of, tracked
from oxcore.repo.select import Selection, fixed_part
from oxcore.repo.survey import Found, differs, sync_stat
from oxcore.store import Batch
from oxcore.verbs.moving import intent
from oxcore.verbs.moving.update import carry
from oxcore.verbs.storing.ingest import Ingest
from oxcore.worktree import UNKNOWN_STAT, exists, peek
from oxcore.worktree.look import refuse_links


def rm(
    repo: Repository,
    patterns: Sequence[bytes],
    *,
    recursive: bool = False,
    cached: bool = False,
    force: bool = False,
) -> list[Change]:
    """Take tracked files out of the stage and, unless ``cached``, out of the work tree; with a
    table its schema.

    Raises ``NotFoundError`` for a pattern without a tracked file, ``UsageError`` for a folder
    without ``recursive``, ``UnsavedError`` for files that differ from the stage or from HEAD
    unless ``force`` (or ``cached``).
    """
    with repo.lock("rm"):
        intent.recover(repo)
        sync_stat(repo)
        chosen = _tracked(repo, patterns)
        _check_folders(patterns, chosen, recursive=recursive)
        chosen = _with_schemas(repo, chosen)
        stage = repo.stage()
        if not (force or cached):
            _check_staged(repo, chosen)
        with repo.batch() as batch:
            new = tree.edit(batch, batch, stage, ((path, None) for path, _ in chosen))
        changes = [Change(path, entry, None) for path, entry in chosen]
        note = counted(len(changes), "file")
        steps = [] if cached else changes
        settled = _settled(repo, [path for path, _ in chosen])
        carry(repo, steps, stage=new, verb="rm", note=note, changes=settled, force=force)
    return changes


def mv(
    repo: Repository, sources: Sequence[bytes], target: bytes, *, force: bool = False
) -> list[tuple[bytes, bytes]]:
    """Rename tracked files or folders, in the work tree and in the stage.

    Several sources, or a ``target`` that is a folder, move into it; with a table its schema.
    Gives old and new paths of files. Raises ``NotFoundError`` for a source that is not tracked,
    ``ExistsError`` where something is in the way; with ``force`` a file is stored, so that
    ``undo`` brings it back, and overwritten. Untracked files move along with their folder.
    """
    root = repo.tree_root()
    with repo.lock("mv"):
        intent.recover(repo)
        sync_stat(repo)
        into = not target or os.path.isdir(os.path.join(os.fsencode(root), target))
        if len(sources) > 1 and not into:
            raise UsageError(f"several files can only move into a folder: {show_path(target)}")
        pairs = [_pair(source, target, into=into) for source in sources]
        _check_apart(pairs)
        moves = [move for pair in pairs for move in _file_moves(repo, *pair)]
        for source, place in pairs:
            _check_free(repo, source, place, force=force)
        schemas = _schema_moves(repo, moves)
        for source, place, _ in schemas:
            _check_place(repo, source, place, force=force)
        pairs += [(source, place) for source, place, _ in schemas]
        moves += schemas
        _stage_moves(repo, pairs, moves)
    return [(old, new) for old, new, _ in moves]


def _tracked(repo: Repository, patterns: Sequence[bytes]) -> list[tuple[bytes, Entry]]:
    selection = Selection(patterns)
    chosen: dict[bytes, Entry] = {}
    for start in selection.roots():
        found = tree.walk(repo.store, repo.stage(), prefix=start)
        chosen.update((path, entry) for path, entry in found if path in selection)
    missing = [show_path(pattern) for pattern in selection.unmatched()]
    if missing:
        raise NotFoundError(f"not tracked: {missing[0]}", items=missing[1:])
    if not chosen:
        raise NotFoundError("no file is tracked here yet")
    return sorted(chosen.items())


def _with_schemas(repo: Repository, chosen: list[tuple[bytes, Entry]]) -> list[tuple[bytes, Entry]]:
    """The files, and the schemas of those that are tables."""
    schemas = tracked(repo.store, repo.stage(), [path for path, _ in chosen])
    return sorted({**dict(chosen), **schemas}.items())


def _schema_moves(
    repo: Repository, moves: list[tuple[bytes, bytes, Entry]]
) -> list[tuple[bytes, bytes, Entry]]:
    """Where the schemas of the moved tables go."""
    places = {file_of(old): file_of(new) for old, new, _ in moves}
    schemas = tracked(repo.store, repo.stage(), [old for old, _, _ in moves])
    return [(path, places[path], entry) for path, entry in schemas.items()]


def _settled(repo: Repository, paths: Sequence[bytes]) -> dict[str, tuple[str | None, str | None]]:
    """Removing a file that is in conflict settles it."""
    pending = read_pending(repo)
    if pending is None:
        return {}
    gone = set(paths)
    rest = tuple(one for one in pending.conflicts if one.path not in gone)
    return without_conflicts(repo, pending, rest)


def _check_folders(
    patterns: Sequence[bytes], chosen: list[tuple[bytes, Entry]], *, recursive: bool
) -> None:
    names = {path for path, _ in chosen}
    for pattern in patterns:
        literal = fixed_part(pattern) == pattern
        if not recursive and literal and pattern not in names:
            raise UsageError(f"{show_path(pattern) or '.'} is a folder", hint="use -r")


def _check_staged(repo: Repository, chosen: list[tuple[bytes, Entry]]) -> None:
    """What is staged but in no commit would be gone with the file."""
    held = tree.get_many(repo.store, repo.head_tree(), [path for path, _ in chosen])
    unsaved = [
        path for (path, entry), committed in zip(chosen, held, strict=True) if entry != committed
    ]
    if unsaved:
        raise UnsavedError(
            f"staged changes in {counted(len(unsaved), 'file')} that are in no commit",
            paths=unsaved,
            hint="commit them, keep the files with --cached, or use --force",
        )


def _pair(source: bytes, target: bytes, *, into: bool) -> tuple[bytes, bytes]:
    name = source.rpartition(b"/")[2]
    place = (target + b"/" + name if target else name) if into else target
    check_path(place)
    if place == source or place.startswith(source + b"/"):
        raise UsageError(f"{show_path(source)} cannot move into itself")
    return source, place


def _file_moves(repo: Repository, source: bytes, place: bytes) -> list[tuple[bytes, bytes, Entry]]:
    moves = [
        (path, place + path[len(source) :], entry)
        for path, entry in tree.walk(repo.store, repo.stage(), prefix=source)
    ]
    if not moves:
        raise NotFoundError(f"not tracked: {show_path(source)}", hint="ox add it first")
    return moves


def _check_apart(pairs: list[tuple[bytes, bytes]]) -> None:
    """Raise where two sources would meet in one place, or one lies in the other."""
    places: set[bytes] = set()
    above = b"/"
    for source, place in sorted(pairs):
        if place in places or source.startswith(above):
            raise UsageError(f"{show_path(source)} and another source are, or would be, in one")
        places.add(place)
        above = source + b"/"


def _check_free(repo: Repository, source: bytes, place: bytes, *, force: bool) -> None:
    base, above = os.fsencode(repo.tree_root()), place.rpartition(b"/")[0]
    _check_place(repo, source, place, force=force)
    if not os.path.isdir(os.path.join(base, above)):
        raise NotFoundError(f"there is no folder {show_path(above)}", hint="make it first")


def _check_place(repo: Repository, source: bytes, place: bytes, *, force: bool) -> None:
    root = repo.tree_root()
    if not exists(root, source):
        raise NotFoundError(f"{show_path(source)} is not in the work tree")
    refuse_links(os.fsencode(root), place.rpartition(b"/")[0])
    if exists(root, place) and not (force and peek(root, place) is not None):
        raise ExistsError(f"{show_path(place)} is in the way", hint="remove it, or use --force")


def _stage_moves(
    repo: Repository,
    pairs: list[tuple[bytes, bytes]],
    moves: list[tuple[bytes, bytes, Entry]],
) -> None:
    """Rename, then stage. Files with unsaved changes stay where a crash finds them; the others
    go back to where they were."""
    old_stage = repo.stage()
    edits: dict[bytes, Entry | None] = {old: None for old, _, _ in moves}
    edits.update({new: entry for _, new, entry in moves})
    with repo.batch() as batch:
        stage = tree.edit(batch, batch, old_stage, sorted(edits.items()), replace=True)
        saved = _saved(repo, batch, [new for _, new, _ in moves])
        before = tree.edit(batch, batch, old_stage, saved, replace=True)
    note = ", ".join(f"{show_path(a)} -> {show_path(b)}" for a, b in pairs[:3])
    known = {old: _same(repo, old, entry) for old, _, entry in moves}
    work = intent.declare(repo, before, stage)
    try:
        _rename(repo, pairs)
        repo.operate("mv", note, {**work, "stage": (old_stage.hex(), stage.hex())})
    except BaseException:
        intent.roll_back(repo)
        raise
    rows = [(new, pack_row(_stat(repo, new, known[old]), entry)) for old, new, entry in moves]
    sync_stat(repo)
    repo.index.stat.touch(stage, rows)
    intent.clear(repo)


def _saved(repo: Repository, batch: Batch, places: list[bytes]) -> list[tuple[bytes, Entry | None]]:
    """The files that are about to be overwritten, stored; None where there is none."""
    seen = [(place, peek(repo.tree_root(), place)) for place in sorted(places)]
    found = [Found(place, now.mode, now.stat, None) for place, now in seen if now is not None]
    ingest = Ingest(repo, batch, "keep")
    saved = {place: row_entry(row) for place, row in ingest.files(found)}
    ingest.check()
    return [(place, saved.get(place)) for place in sorted(places)]


def _rename(repo: Repository, pairs: list[tuple[bytes, bytes]]) -> None:
    """Rename all, or after an error none."""
    base = os.fsencode(repo.tree_root())
    done: list[tuple[bytes, bytes]] = []
    try:
        with storage_errors("rename"):
            for source, place in pairs:
                os.makedirs(os.path.dirname(os.path.join(base, place)), exist_ok=True)
                os.rename(os.path.join(base, source), os.path.join(base, place))
                done.append((source, place))
    except BaseException:
        for source, place in reversed(done):
            os.rename(os.path.join(base, place), os.path.join(base, source))
        raise
    for source, _ in pairs:
        if source.startswith(FOLDER + b"/"):
            _prune(base, source.rpartition(b"/")[0])


def _prune(base: bytes, folder: bytes) -> None:
    """Remove a folder of schemas that is empty now, and those above it."""
    try:
        while folder:
            os.rmdir(os.path.join(base, folder))
            folder = folder.rpartition(b"/")[0]
    except OSError:
        return


def _same(repo: Repository, path: bytes, entry: Entry) -> bool:
    """Whether the file is as staged, so that its new stat may be trusted after the rename."""
    now = peek(repo.tree_root(), path)
    row = repo.index.stat.get_raw([path])[0]
    if now is None or row is None:
        return False
    return row.startswith(now.stat) or differs(repo, Found(path, now.mode, now.stat, entry)) is None


def _stat(repo: Repository, path: bytes, trusted: bool) -> bytes:
    now = peek(repo.tree_root(), path)
    return now.stat if trusted and now is not None else UNKNOWN_STAT
