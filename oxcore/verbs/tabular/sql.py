"""``sql``: one query over tables of the work tree and of versions."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from oxcore import tree
from oxcore.errors import NotFoundError
from oxcore.model.entries import Mode, show_path
from oxcore.repo import Repository, files
from oxcore.repo.select import Selection, fixed_part
from oxcore.tables import Part, Picked, Reference, Table, ask
from oxcore.verbs.tabular.df import open_table

_WILD = frozenset("*?[")
_OWN = {b".ox", b".git"}


def query(repo: Repository, text: str, here: bytes = b"", part: Part | None = None) -> Picked:
    """What ``text`` gives; its files are those of the work tree (of HEAD in a bare repository),
    or of the revision behind ``@``; their paths start from the folder ``here`` of the dataset."""

    def find(reference: Reference) -> Mapping[str, Table] | Table:
        path = _from(here, reference.file)
        if _WILD.isdisjoint(reference.file):
            return open_table(repo, path, reference.rev)
        rev = reference.rev or ("HEAD" if repo.worktree is None else None)
        paths = sorted(_matching(repo, path, rev))
        if not paths:
            raise NotFoundError(f"no file fits {reference.name!r}", hint="see: ox ls -r")
        return {show_path(path): open_table(repo, path, rev) for path in paths}

    return ask(text, find, part)


def _from(here: bytes, file: str) -> bytes:
    path = os.fsencode(file)
    whole = os.path.normpath(os.path.join(b"/", here, path))
    return whole.lstrip(b"/")


def _matching(repo: Repository, pattern: bytes, rev: str | None) -> Iterator[bytes]:
    selection = Selection([pattern])
    if rev is None:
        top = os.fsencode(repo.tree_root())
        found: Iterator[bytes] = _files(top, fixed_part(pattern))
    else:
        entries = tree.walk(repo.store, files.root_of(repo, rev))
        found = (path for path, entry in entries if entry.mode != Mode.LINK)
    return (path for path in found if path in selection)


def _files(top: bytes, below: bytes) -> Iterator[bytes]:
    for folder, folders, names in os.walk(os.path.join(top, below)):
        folders[:] = [name for name in folders if name not in _OWN]
        for name in names:
            place = os.path.join(folder, name)
            if os.path.isfile(place):
                yield os.path.relpath(place, top)
