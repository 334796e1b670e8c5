"""``pull``: fetch, then merge what the branch follows."""

from __future__ import annotations

from dataclasses import dataclass

from oxcore.errors import NotFoundError, UsageError
from oxcore.model.ids import parse_id
from oxcore.repo import Repository
from oxcore.verbs.fetch import Fetched, fetch
from oxcore.verbs.merge import Forward, Merged, merge
from oxcore.verbs.remotes import default_name


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a pull did: the fetch, and how the merge ended."""

    fetched: Fetched
    branch: str
    merged: Merged


def pull(
    repo: Repository,
    name: str | None = None,
    branch: str | None = None,
    *,
    forward: Forward = "auto",
) -> Pulled:
    """Fetch from a remote and merge one of its branches into the present one.

    By default that is the upstream of the branch, else the branch of the same name. Raises as
    ``fetch`` and ``merge``; ``forward`` "only" refuses anything but a fast-forward.
    """
    ref, _ = repo.view().head()
    if ref is None and branch is None:
        raise UsageError("HEAD is on no branch", hint="ox switch BRANCH, or name one to pull")
    own = "" if ref is None else ref.removeprefix("refs/heads/")
    remote = name or default_name(repo)
    settings = repo.own_config()
    follows = settings.get(f"branch.{own}.remote") == remote
    upstream = settings.get(f"branch.{own}.merge", own) if follows else own
    wanted = branch or upstream
    fetched = fetch(repo, remote)
    tip = fetched.heads.get(wanted)
    if tip is None:
        raise NotFoundError(
            f"{remote} has no branch {wanted!r}", items=sorted(fetched.heads), hint="push it first"
        )
    label = f"{fetched.remote or fetched.url}/{wanted}"
    return Pulled(fetched, wanted, merge(repo, parse_id(tip), label, forward=forward))
