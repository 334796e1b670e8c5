"""The walk over the work tree: one ``Folder`` of columns a directory, never a file's bytes."""

from __future__ import annotations

import os
import stat as st
from bisect import bisect_left
from collections.abc import Iterator

from oxcore.worktree.ignore import FILE_NAME, Ignore, Rules
from oxcore.worktree.look import Seen, peek, refuse_links
from oxcore.worktree.rows import PREFIX
from oxcore.worktree.temporary import is_temporary

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_PART = 8192  # entries of a directory that are looked at together
_NEVER = {b".ox", b".git"}
_WORDS = {st.S_IFIFO: "fifo", st.S_IFSOCK: "socket", st.S_IFCHR: "device", st.S_IFBLK: "device"}


class Folder:
    """What one directory holds, as columns: ``names``, ``packed`` and ``modes`` run in step.

    ``path``: relative to the root, b"" for the root itself. ``names``: files and links, sorted;
    ``packed``: 32 bytes each (``rows.PREFIX``); ``modes``: one byte each (``model.Mode``).
    ``folders``: the sub-folders that are walked. The rest is skipped, and told by whole path:
    ``specials`` (with fifo, socket or device), ``nested`` (.ox and .git of other repositories),
    ``ignored`` (a folder ends in '/'), ``leftovers`` of a writer that crashed, and ``errors``
    (path, reason): what could not be looked at is *not* known to be gone. ``has_rules``: there
    is an ``.oxignore``. ``more``: the rest of a large directory follows in another ``Folder`` of
    the same path, its names behind these.
    """

    __slots__ = (
        "errors",
        "folders",
        "has_rules",
        "ignored",
        "leftovers",
        "modes",
        "more",
        "names",
        "nested",
        "packed",
        "path",
        "specials",
    )

    def __init__(self, path: bytes) -> None:
        self.path = path
        self.names: list[bytes] = []
        self.packed: list[bytes] = []
        self.modes = bytearray()
        self.folders: list[bytes] = []
        self.specials: list[tuple[bytes, str]] = []
        self.nested: list[bytes] = []
        self.ignored: list[bytes] = []
        self.leftovers: list[bytes] = []
        self.errors: list[tuple[bytes, str]] = []
        self.has_rules = False
        self.more = False

    def join(self, name: bytes) -> bytes:
        """The path, from the root of the dataset, of ``name`` in this folder."""
        return b"%s/%s" % (self.path, name) if self.path else name


def scan(root: str, ignore: Ignore, *, start: bytes = b"") -> Iterator[Folder]:
    """Walk the work tree ``root`` from ``start`` on; parents first, names in byte order, a large
    directory in several parts.

    ``start`` is a folder, or a file: then there is one ``Folder``, of that name alone; nothing
    comes where nothing is. Symbolic links are not followed, ignored folders not entered: files
    that are tracked all the same are the caller's to look for (``peek``). Raises
    ``InvalidError`` if ``start`` lies behind a symbolic link; troubles go into ``errors``.
    """
    base = os.fsencode(root)
    refuse_links(base, os.path.dirname(start))
    found = peek(root, start) if start else None
    if found is not None:
        yield _alone(start, found, ignore)
    elif ignore.ignores(start, is_folder=True):
        folder = Folder(start)
        folder.ignored.append(start + b"/")
        yield folder
    elif os.path.isdir(_place(base, start)):
        yield from _walk(base, ignore, start)


def _alone(path: bytes, found: Seen, ignore: Ignore) -> Folder:
    """The folder of one file that was named; without it if it is ignored."""
    parent, name = os.path.split(path)
    folder = Folder(parent)
    if ignore.ignores(path):
        folder.ignored.append(path)
        return folder
    folder.names.append(name)
    folder.packed.append(found.stat)
    folder.modes.append(found.mode)
    return folder


def _walk(base: bytes, ignore: Ignore, start: bytes) -> Iterator[Folder]:
    stack: list[tuple[bytes, Rules]] = [(start, ignore.above(start))]
    while stack:
        path, rules = stack.pop()
        folder = Folder(path)
        names = _list(base, folder)
        rules = ignore.enter(path, rules, has_file=folder.has_rules)
        if rules:
            names = [name for name in names if not _ignored(base, folder, name, rules)]
        below: list[bytes] = []
        for part in _parts(base, folder, names):
            below += map(part.join, part.folders)
            yield part
        stack.extend((name, rules) for name in reversed(below))


def _parts(base: bytes, folder: Folder, names: list[bytes]) -> Iterator[Folder]:
    """Fill ``folder``, and others after it where there is much, so that what was looked at can
    be let go part by part."""
    names.reverse()
    try:
        handle = os.open(_place(base, folder.path), _DIRECTORY) if names else -1
    except OSError as error:  # removed, or closed to us since the listing
        folder.errors.append((folder.path, error.strerror or str(error)))
        names, handle = [], -1
    try:
        while names:
            part = names[: -_PART - 1 : -1]
            del names[-_PART:]
            _fill(folder, part, handle)
            folder.more = bool(names)
            yield folder
            if not names:
                return
            folder = Folder(folder.path)
        yield folder
    finally:
        if handle >= 0:
            os.close(handle)


def _place(base: bytes, path: bytes) -> bytes:
    return b"%s/%s" % (base, path) if path else base


def _list(base: bytes, folder: Folder) -> list[bytes]:
    """The names sorted, without those that are never part of a dataset."""
    try:
        names = sorted(os.listdir(_place(base, folder.path)))
    except OSError as error:
        folder.errors.append((folder.path, error.strerror or str(error)))
        return []
    start, end = bisect_left(names, b"."), bisect_left(names, b"/")
    hidden = names[start:end]
    if hidden:
        folder.has_rules = FILE_NAME in hidden
        names[start:end] = [name for name in hidden if not _is_ours(folder, name)]
    return names


def _is_ours(folder: Folder, name: bytes) -> bool:
    """Note and refuse .ox and .git in any case, and temporary files of a writer."""
    if name.lower() in _NEVER:
        if folder.path:
            folder.nested.append(folder.join(name))
        return True
    if is_temporary(name):
        folder.leftovers.append(folder.join(name))
        return True
    return False


def _ignored(base: bytes, folder: Folder, name: bytes, rules: Rules) -> bool:
    """Whether a rule ignores the name, which is then noted."""
    path = folder.join(name)
    if not rules.may_match(path, name):
        return False
    is_folder = _is_folder(_place(base, path))
    if not rules.decide(path, is_folder=is_folder):
        return False
    folder.ignored.append(path + b"/" if is_folder else path)
    return True


def _is_folder(place: bytes) -> bool:
    try:
        return st.S_ISDIR(os.lstat(place).st_mode)
    except OSError:
        return False


def _fill(folder: Folder, found: list[bytes], handle: int) -> None:
    """Stat the files and put them into the columns: the hot loop of ``status``.

    A name and a handle of the directory: no entry of ``scandir`` for each, which weighs four
    times its name as long as its directory is walked, and is no faster.
    """
    pack, look = PREFIX.pack, os.stat
    names, packed, modes = folder.names, folder.packed, folder.modes
    for name in found:
        try:
            stat = look(name, dir_fd=handle, follow_symlinks=False)
        except FileNotFoundError:
            continue  # removed since the listing: it is not there
        except OSError as error:
            folder.errors.append((folder.join(name), error.strerror or str(error)))
            continue
        mode = stat.st_mode
        kind = mode & 0o170000
        if kind == 0o100000:
            modes.append(2 if mode & 0o100 else 1)
        elif kind == 0o040000:
            folder.folders.append(name)
            continue
        elif kind == 0o120000:
            modes.append(3)
        else:
            folder.specials.append((folder.join(name), _WORDS.get(kind, "special file")))
            continue
        names.append(name)
        packed.append(pack(stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino))
