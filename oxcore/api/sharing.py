"""The area of other repositories: clone, remotes, fetch, pull, push."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

from oxcore import verbs
from oxcore.api.base import RepoBase, with_author
from oxcore.errors import UsageError
from oxcore.model.commits import Person
from oxcore.model.settings import Settings

if TYPE_CHECKING:
    from oxcore.verbs.clone import Cloned
    from oxcore.verbs.fetch import Fetched
    from oxcore.verbs.merge import Forward
    from oxcore.verbs.pull import Pulled
    from oxcore.verbs.push import Pushed
    from oxcore.verbs.remotes import RemoteInfo


class Sharing(RepoBase):
    """``clone``, ``fetch``, ``pull``, ``push`` and the remotes they go to.

    A remote is a path, a ``file://`` address or ``http://HOST:PORT/NS/NAME`` on a hub.
    """

    _cloned: Cloned | None = None

    @classmethod
    def clone(
        cls,
        url: str,
        path: str | None = None,
        *,
        branch: str | None = None,
        depth: int | None = None,
        bare: bool = False,
        author: str | Person | None = None,
        settings: Settings | None = None,
    ) -> Self:
        """Copy the repository at ``url`` into the new folder ``path`` and open it.

        ``author``, as in ``"Name <mail>"``, stands before that of ``settings``.
        An interrupted clone goes on when it is called again. Raises ``ExistsError`` for a
        folder that holds something else, ``NotFoundError``, ``UnreachableError``,
        ``DeniedError``.
        """
        chosen = with_author(settings, author)
        handle, report = verbs.clone.clone(
            url, path, branch=branch, depth=depth, bare=bare, settings=chosen
        )
        repo = cls(handle)
        repo._cloned = report
        return repo

    @property
    def cloned(self) -> Cloned:
        """What ``clone`` did, on the object that it gave; ``UsageError`` on another."""
        if self._cloned is None:
            raise UsageError("this object does not come from clone")
        return self._cloned

    def remotes(self) -> list[RemoteInfo]:
        """The remotes, by name."""
        return verbs.remotes.remotes(self._repo)

    def add_remote(self, name: str, url: str) -> RemoteInfo:
        """Know a repository by a name; ``ExistsError`` if the name is taken."""
        return verbs.remotes.add_remote(self._repo, name, url)

    def set_remote_url(self, name: str, url: str) -> RemoteInfo:
        """Change the address of a remote; ``NotFoundError``."""
        return verbs.remotes.set_url(self._repo, name, url)

    def rename_remote(self, name: str, new: str) -> None:
        """Give a remote another name; ``NotFoundError``, ``ExistsError``."""
        verbs.remotes.rename_remote(self._repo, name, new)

    def remove_remote(self, name: str) -> None:
        """Forget a remote and what was seen of it; ``NotFoundError``."""
        verbs.remotes.remove_remote(self._repo, name)

    def fetch(
        self,
        remote: str | None = None,
        branches: Sequence[str] = (),
        *,
        tags: bool | None = None,
        prune: bool = False,
        depth: int | None = None,
        unshallow: bool = False,
    ) -> Fetched:
        """Get branches (all, or those named) and tags of a remote; the work tree stays as it is.

        ``tags`` None: with all branches come all tags, with named ones none. ``prune`` forgets
        branches that are gone there, ``depth`` limits how many commits come, ``unshallow`` gets
        what a limit left out. Raises ``NotFoundError``, ``UnreachableError``,
        ``DeniedError``; what has arrived stays.
        """
        return verbs.fetch.fetch(
            self._repo,
            remote,
            branches,
            tags=tags,
            prune=prune,
            depth=depth,
            unshallow=unshallow,
        )

    def pull(
        self,
        remote: str | None = None,
        branch: str | None = None,
        *,
        forward: Forward = "auto",
        allow_leak: bool = False,
    ) -> Pulled:
        """Fetch, then merge the upstream (or ``branch``) into the present branch.

        ``forward`` "only" refuses (``RejectedError``) anything but a fast-forward; ``allow_leak``
        as in ``merge``.
        """
        guard = self._guard(allow=allow_leak)
        return verbs.pull.pull(self._repo, remote, branch, forward=forward, guard=guard)

    def push(
        self,
        remote: str | None = None,
        refspecs: Sequence[str] = (),
        *,
        set_upstream: bool = False,
        tags: bool = False,
        all_branches: bool = False,
        force_with_lease: bool = False,
        delete: bool = False,
    ) -> Pushed:
        """Send branches and tags; by default the present branch to what it follows.

        ``refspecs``: ``NAME``, ``SOURCE:NAME`` or, to delete, ``:NAME``. All refs move there,
        or none. Raises ``RejectedError`` if the remote has moved on (pull, then push again),
        ``NotFoundError``, ``UnreachableError``, ``DeniedError``.
        """
        return verbs.push.push(
            self._repo,
            remote,
            refspecs,
            set_upstream=set_upstream,
            tags=tags,
            all_branches=all_branches,
            force_with_lease=force_with_lease,
            delete=delete,
        )
