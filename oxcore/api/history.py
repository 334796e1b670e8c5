"""The area of history: what there was, what differs, what it costs, and the files of any version.

Paths are relative to the top of the dataset, ``str`` or ``bytes``. A revision is what git takes
for one (``main``, ``v1``, ``HEAD~2``, ``main@{1}``, ``3f2a9c81``); where files of a version are
asked for, ``":"`` means the stage.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, BinaryIO

from oxcore import verbs
from oxcore.api.base import RepoBase
from oxcore.model.entries import Entry, path_bytes

if TYPE_CHECKING:
    from oxcore.history import Revision, Selection
    from oxcore.repo.changes import FileChange


Path = str | bytes


class History(RepoBase):
    """``log``, ``show``, ``diff``, ``ls``, ``cat``, ``info``, ``du``; files of any version."""

    def revision(self, text: str = "HEAD") -> Revision:
        """The commit that a name means (``id``), with the ref, tag and path named on the way.

        Raises ``NotFoundError``, ``AmbiguousError`` (its items are the candidates),
        ``InvalidError``, ``MissingError`` past the edge of a shallow clone.
        """
        return verbs.names.resolve(self._repo, text)

    def revisions(self, *texts: str) -> Selection:
        """Revisions and ranges (``A..B``, ``A...B``, ``^A``; none: HEAD) as ids of commits to
        walk from and to leave out; raises as ``revision``."""
        return verbs.names.resolve_range(self._repo, *texts)

    def branch_ref(self) -> str | None:
        """The full name of the branch that HEAD is on; None when it is detached."""
        return self._repo.view().head()[0]

    def log(
        self,
        *revisions: str,
        paths: Sequence[Path] = (),
        limit: int | None = None,
        first_parent: bool = False,
        graph: bool = False,
        author: str = "",
        since: int | str | None = None,
        until: int | str | None = None,
    ) -> Iterator[verbs.log.Logged]:
        """Commits reachable from ``revisions`` (names, ``A..B``, ``^A``; none: HEAD), newest first.

        ``paths``: those that change files there (files, folders, globs); ``author``: a part of
        name or address; ``since`` and ``until``: microseconds, or dates and times as ISO 8601 has
        them. ``graph`` draws the lines.
        """
        start, end = self._when(since, end=False), self._when(until, end=True)
        only = verbs.log.Filter(_bytes(paths), author, start, end)
        return verbs.log.log(
            self._repo,
            revisions,
            only=only,
            limit=limit,
            first_parent=first_parent,
            graph=graph,
        )

    def changes(self, rev: str = "HEAD", paths: Sequence[Path] = ()) -> Iterator[FileChange]:
        """What a commit changed against its first parent, by path, with exact renames."""
        oid = verbs.names.resolve_commit(self._repo, rev)
        return verbs.log.changes_of(self._repo, self._repo.commit(oid), _bytes(paths))

    def show(
        self, text: str = "HEAD"
    ) -> verbs.show.ShownCommit | verbs.show.ShownFile | verbs.show.ShownFolder:
        """What a revision, tag or ``REV:path`` is."""
        return verbs.show.show(self._repo, text)

    def diff(
        self,
        *revisions: str,
        staged: bool = False,
        paths: Sequence[Path] = (),
        renames: bool = True,
        keys: str | Sequence[str] = (),
        ordered: bool = False,
        tolerance: float = 0.0,
        text: bool = False,
    ) -> verbs.diff.Difference:
        """Compare versions: iterate for the changes, ask ``detail`` for the inside of one.

        None: stage and work tree; ``A``: A and work tree; ``A, B`` or ``A..B``; ``A...B``: their
        merge base and B; ``staged``: HEAD (or A) and the stage. Tables are compared by rows: those
        of the same ``keys`` (none: as their schema says, or found), or ``ordered``, by their
        order; numbers may be ``tolerance`` apart. ``text``: tables as other files.
        """
        rows = None if text else verbs.tablediff.ByRows(_names(keys), ordered, tolerance)
        return verbs.diff.diff(
            self._repo, revisions, staged=staged, paths=_bytes(paths), renames=renames, rows=rows
        )

    def compare(
        self,
        old: Path,
        new: Path,
        revs: tuple[str | None, str | None] = (None, None),
        *,
        keys: str | Sequence[str] = (),
        ordered: bool = False,
        tolerance: float = 0.0,
        text: bool = False,
    ) -> verbs.pair.Pair:
        """Compare two files, each of a revision (None: as it is in the work tree; ``":"``: staged),
        whatever their names and formats; iterate and ask ``detail`` as of ``diff``."""
        rows = None if text else verbs.tablediff.ByRows(_names(keys), ordered, tolerance)
        files = [(_clean(path), rev) for path, rev in zip((old, new), revs, strict=True)]
        return verbs.pair.compare(self._repo, files[0], files[1], rows)

    def ls(
        self, path: Path = b"", rev: str = "HEAD", *, recursive: bool = False
    ) -> Iterator[verbs.files.Listed]:
        """What is right below a folder of a version (or, ``recursive``, all files below it).

        Raises ``NotFoundError`` if there is neither a file nor a folder at ``path``.
        """
        return verbs.files.ls(self._repo, _clean(path), rev, recursive=recursive)

    def walk(self, rev: str = "HEAD", prefix: Path = b"") -> Iterator[tuple[bytes, Entry]]:
        """Every path and entry of a version, or of the file or folder ``prefix`` in it."""
        return verbs.files.walk(self._repo, rev, path_bytes(prefix))

    def entry(self, path: Path, rev: str = "HEAD") -> Entry:
        """Mode, size and id of a file; ``NotFoundError`` if it is not in that version."""
        return verbs.files.entry(self._repo, _clean(path), rev)

    def read(self, path: Path, rev: str = "HEAD") -> bytes:
        """All bytes of a file, verified; of a link its target."""
        return b"".join(self.cat(path, rev))

    def exists(self, path: Path, rev: str = "HEAD") -> bool:
        """Whether a version has a file or folder at ``path``."""
        return verbs.files.exists(self._repo, _clean(path), rev)

    def cat(self, path: Path, rev: str = "HEAD") -> Iterator[bytes]:
        """The bytes of a file in pieces, verified: each, and before the last the whole."""
        return verbs.files.pieces(self._repo, _clean(path), rev)

    def open_file(self, path: Path, rev: str = "HEAD") -> BinaryIO:
        """A file opened for reading, seekable; it fetches the chunks that are asked for."""
        return verbs.files.open_file(self._repo, _clean(path), rev)

    def info(self) -> verbs.info.RepoInfo:
        """Facts of the repository: format, chunking, counts, packs."""
        return verbs.info.repo_info(self._repo)

    def path_info(self, path: Path, rev: str = "HEAD") -> verbs.info.PathInfo:
        """Facts of a file or folder: size, chunks, stored size, first and last change, image."""
        return verbs.info.path_info(self._repo, _clean(path), rev)

    def du(
        self, path: Path = b"", rev: str = "HEAD", *, depth: int = 0
    ) -> list[verbs.du.FolderUsage]:
        """Logical and stored size of a version, or a part of it, and of folders ``depth`` down."""
        return verbs.du.du(self._repo, _clean(path), rev, depth=depth)

    def du_history(
        self, *revisions: str, everything: bool = False
    ) -> Iterator[verbs.du.CommitUsage]:
        """What each commit of a range (or of all refs) adds to the store, oldest first."""
        return verbs.du.du_history(self._repo, revisions, everything=everything)

    def _when(self, time: int | str | None, *, end: bool) -> int | None:
        return verbs.log.moment(self._repo, time, end=end) if isinstance(time, str) else time


def _bytes(paths: Sequence[Path]) -> tuple[bytes, ...]:
    return tuple(path_bytes(path) for path in paths)


def _clean(path: Path) -> bytes:
    return path_bytes(path).strip(b"/")


def _names(columns: str | Sequence[str]) -> tuple[str, ...]:
    return (columns,) if isinstance(columns, str) else tuple(columns)
