"""From revision names to commits, trees and paths of one repository.

``RepoNames`` is ``history.Names`` over a repository; the functions below are what verbs call.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from oxcore import history
from oxcore.codec.commit import decode_tag
from oxcore.codec.oplog import Operation
from oxcore.errors import InvalidError, MissingError, NotFoundError
from oxcore.history import Revision, Selection
from oxcore.model.commits import Commit, Tag
from oxcore.model.entries import path_bytes
from oxcore.model.ids import Kind, parse_id
from oxcore.refs import branch_ref, remote_ref
from oxcore.refs.view import SYMBOLIC, before
from oxcore.repo import Repository

STASH = "refs/stash"  # means the latest of refs/stash/N, as in git
_FOUND = 1 << 16  # objects looked at for one short id
_HEADS = "refs/heads/"


class RepoNames:
    """The look-ups that the resolution of names needs (``history.Names``)."""

    def __init__(self, repo: Repository) -> None:
        self._repo = repo

    def ref(self, name: str) -> bytes | None:
        """The id that a ref holds, or None; ``HEAD`` is followed."""
        view = self._repo.view()
        if name == "HEAD":
            value = view.head()[1]
        elif name == STASH:
            return next(iter(self._stashes()), None)
        else:
            value = view.get(name) if name.startswith("refs/") else None
        return None if value is None else parse_id(value)

    def refs(self) -> Iterable[str]:
        """The full names of all refs."""
        return self._repo.view().refs()

    def current(self) -> str | None:
        """The full name of the branch that ``HEAD`` is on, None when it is detached."""
        return self._repo.view().head()[0]

    def kind(self, oid: bytes) -> Kind | None:
        """What the object is, None if it is not here; ``MissingError`` that says how to get it
        where a clone of limited depth may have left it out."""
        where = self._repo.store.locate([oid])[0]
        if where is None and self._repo.shallow():
            raise MissingError(
                f"commit {oid.hex()[:12]} was left out of this clone",
                items=[oid.hex()],
                hint="get older commits with: ox fetch --unshallow",
            )
        return None if where is None else Kind(where.kind)

    def find(self, prefix: bytes) -> Iterable[tuple[bytes, Kind]]:
        """Commits and tags whose id starts with these bytes."""
        rows = self._repo.store.find_prefix(prefix, _FOUND)
        wanted = (Kind.COMMIT, Kind.TAG)
        return [(oid, Kind(where.kind)) for oid, where in rows if where.kind in wanted]

    def commit(self, oid: bytes) -> Commit:
        """The commit; ``MissingError`` if it is not here, by a shallow clone or by damage."""
        return self._repo.commit(oid)

    def tag(self, oid: bytes) -> Tag:
        """The annotated tag; ``MissingError`` if it is not here."""
        return decode_tag(self._repo.store.get(oid, Kind.TAG))

    def reflog(self, name: str) -> Sequence[tuple[int, bytes | None]]:
        """When a ref or ``HEAD`` was set, and to what; the latest first."""
        if name == STASH:
            return [(0, oid) for oid in self._stashes()]
        if name == "HEAD":
            rows = [(op.time.us, value) for op, value in head_log(self._repo)]
        else:
            rows = [(op.time.us, value) for op, value in self._repo.state.reflog(name)]
        return [(us, None if value is None else parse_id(value)) for us, value in rows]

    def previous(self, n: int) -> str | None:
        """The full name of the ``n``-th branch that was left, or the digits of a commit."""
        for value in left(self._repo):
            n -= 1
            if not n:
                return value
        return None

    def upstream(self, name: str) -> str | None:
        """The full name of the remote branch that a branch follows, or None."""
        return upstream(self._repo, name)

    def _stashes(self) -> list[bytes]:
        kept = self._repo.view().refs(STASH + "/")
        order = sorted(kept, key=lambda name: (len(name), name), reverse=True)
        return [parse_id(kept[name]) for name in order]


def head_log(repo: Repository) -> Iterator[tuple[Operation, str | None]]:
    """Every operation that moved ``HEAD`` or the branch it was on, newest first, with the commit
    that ``HEAD`` was on after it (hex; None before the first commit is left out)."""
    values = dict(repo.view())
    for operation in repo.state.operations():
        head = values.get("HEAD", "")
        ref = head.removeprefix(SYMBOLIC)
        commit = values.get(ref) if head.startswith(SYMBOLIC) else head
        if commit and not operation.changes.keys().isdisjoint({"HEAD", ref}):
            yield operation, commit
        before(values, operation.changes)


def left(repo: Repository) -> Iterator[str]:
    """What ``HEAD`` was on before each of its moves, newest first: a ref, or hex digits.

    A branch that was renamed was not left.
    """
    for operation, _ in repo.state.reflog("HEAD"):
        old, new = operation.changes["HEAD"]
        if old is None or new is None:
            continue
        name = old.removeprefix(SYMBOLIC)
        if operation.changes.get(name, ("", ""))[1] is not None:
            yield name


def upstream(repo: Repository, ref: str) -> str | None:
    """The ref under ``refs/remotes/`` that the branch ``ref`` follows by the settings, or None.

    It may not have been fetched yet.
    """
    branch, settings = ref.removeprefix(_HEADS), repo.config()
    remote = settings.get(f"branch.{branch}.remote")
    if not remote:
        return None
    followed = settings.get(f"branch.{branch}.merge", branch).removeprefix(_HEADS)
    return branch_ref(followed) if remote == "." else remote_ref(remote, followed)


def resolve(repo: Repository, text: str) -> Revision:
    """The commit that ``text`` names, with the ref, tag and path named on the way.

    See ``history.resolve`` for the grammar and the errors.
    """
    zone = repo.settings.clock().offset
    return history.resolve(text, RepoNames(repo), zone=zone)


def resolve_commit(repo: Repository, text: str) -> bytes:
    """The id of the commit that ``text`` names; ``InvalidError`` if a path is in it."""
    found = resolve(repo, text)
    if found.path is not None:
        raise InvalidError(
            f"{text!r} names a path, and a commit is asked for",
            hint="leave out what stands after the colon",
        )
    return found.id


def resolve_tree(repo: Repository, text: str) -> bytes:
    """The root of the tree of the commit that ``text`` names."""
    return repo.commit(resolve_commit(repo, text)).tree


def resolve_path(repo: Repository, text: str) -> tuple[bytes, bytes]:
    """``REV:path`` -> the root of a tree and a path in it, which need not be there.

    ``:path`` means the stage, as in git; a revision without a colon the top of its tree.
    """
    if text.startswith(":"):
        return repo.stage(), _clean(path_bytes(text[1:]))
    found = resolve(repo, text)
    return repo.commit(found.id).tree, _clean(found.path or b"")


def resolve_range(repo: Repository, *texts: str) -> Selection:
    """Revisions and ranges together (none: ``HEAD``) -> tips to walk from and to hide.

    ``history.walk(repo.history(), tips, hide)`` gives the commits.
    """
    zone = repo.settings.clock().offset
    return history.select(texts, RepoNames(repo), zone=zone, shallow=repo.shallow())


def tips(repo: Repository, texts: Sequence[str]) -> Selection:
    """Like ``resolve_range``, but nothing at all in a repository that has no commit yet."""
    if not texts and repo.head() is None:
        return Selection((), ())
    return resolve_range(repo, *texts)


def find_ref(repo: Repository, name: str) -> str:
    """The full name of the ref that a short name means; ``NotFoundError``, ``AmbiguousError``."""
    found = history.find_ref(name, RepoNames(repo))
    if found is None:
        raise NotFoundError(
            f"no branch or tag is called {name!r}", hint="see: ox branch --all, ox tag"
        )
    return found


def decorations(repo: Repository) -> dict[bytes, tuple[str, ...]]:
    """Commit -> full names of the refs on it; ``HEAD`` first, then its branch; no stashes."""
    view = repo.view()
    current, head = view.head()
    names = [name for name in view.refs() if not name.startswith("refs/stash/")]
    names.sort(key=lambda name: name != current)
    found: dict[bytes, list[str]] = {} if head is None else {parse_id(head): ["HEAD"]}
    for name in names:
        oid = parse_id(view[name])
        if name.startswith("refs/tags/"):
            oid = repo.peel(oid)
        found.setdefault(oid, []).append(name)
    return {oid: tuple(refs) for oid, refs in found.items()}


def _clean(path: bytes) -> bytes:
    return b"/".join(part for part in path.split(b"/") if part not in {b"", b"."})
