"""What every function of the hub works with."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

from oxcore.errors import AmbiguousError, NotFoundError
from oxcore.hub.auth import Anonymous, Tokens
from oxcore.hub.http import Answer, Request
from oxcore.hub.store import Shelf
from oxcore.model.ids import Kind, parse_id
from oxcore.refs.names import HEADS, TAGS
from oxcore.repo import Repository
from oxcore.wire.routes import RepoName, repo_name

_SHORTEST = 4  # hex digits of a short id


@dataclass(frozen=True, slots=True)
class Context:
    """The hub's repositories and tokens, and what those without a token may do."""

    shelf: Shelf
    tokens: Tokens
    anonymous: Anonymous = "none"


Handler = Callable[[Context, Request], Answer]


def named(request: Request, first: int) -> RepoName:
    """The repository that the path names from part ``first`` on."""
    return repo_name(request.step(first), request.step(first + 1))


def opened(context: Context, name: RepoName, stack: ExitStack) -> Repository:
    """The repository, open as long as ``stack``."""
    return stack.enter_context(context.shelf.use(name))


def find_commit(repo: Repository, revision: str) -> bytes:
    """The commit of a revision: HEAD, a branch, a tag, an id or the start of one.

    Raises ``NotFoundError`` or, for a short id of several objects, ``AmbiguousError``.
    """
    view = repo.view()
    value = view.head()[1] if revision in ("", "HEAD") else None
    for prefix in (HEADS, TAGS, ""):
        value = value or (view.refs().get(prefix + revision) if revision else None)
    if value is not None:
        return repo.peel(parse_id(value))
    return repo.peel(_by_id(repo, revision.lower()))


def _by_id(repo: Repository, text: str) -> bytes:
    digits = len(text) // 2 * 2
    try:
        prefix = bytes.fromhex(text[:digits]) if len(text) >= _SHORTEST else b""
    except ValueError:
        prefix = b""
    near = repo.store.find_prefix(prefix, 1000) if prefix else []
    found = sorted(
        oid.hex()
        for oid, where in near
        if oid.hex().startswith(text) and where.kind in (Kind.COMMIT, Kind.TAG)
    )
    if len(found) > 1:
        raise AmbiguousError(f"{text} is the start of several ids", items=found)
    if not found:
        raise NotFoundError(f"no revision {text[:100]!r}", hint="a branch, a tag or a commit id")
    return bytes.fromhex(found[0])
