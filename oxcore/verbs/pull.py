"""``pull``: fetch, then merge what the branch follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from oxcore.errors import UsageError
from oxcore.model.ids import parse_id
from oxcore.repo import Repository
from oxcore.verbs.fetch import Fetched, fetch, no_branch
from oxcore.verbs.merge import Forward, Merged, merge
from oxcore.verbs.remotes import chosen_branches, default_name, remotes

if TYPE_CHECKING:
    from oxcore.model.protocols import Guard


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
    guard: Guard | None = None,
) -> Pulled:
    """Fetch from a remote and merge one of its branches into the present one.

    By default that is the upstream of the branch, else the branch of the same name. Raises as
    ``fetch`` and ``merge``; ``forward`` "only" refuses anything but a fast-forward.
    """
    ref, _ = repo.view().head()
    if ref is None and branch is None:
        raise UsageError("HEAD is on no branch", hint="ox switch BRANCH, or name one to pull")
    remote = name or default_name(repo)
    wanted = branch or _upstream(repo, remote, ref or "")
    known = any(one.name == remote for one in remotes(repo))
    alone = branch is not None or not known or chosen_branches(repo, remote)
    fetched = fetch(repo, remote, [wanted] if alone else [])
    tip = fetched.heads.get(wanted)
    if tip is None:
        raise no_branch(wanted, fetched.heads, fetched.url)
    label = f"{fetched.remote or fetched.url}/{wanted}"
    merged = merge(repo, parse_id(tip), label, forward=forward, guard=guard)
    return Pulled(fetched, wanted, merged)


def _upstream(repo: Repository, remote: str, ref: str) -> str:
    """The branch of ``remote`` that the branch ``ref`` follows, else the one of its name."""
    own, settings = ref.removeprefix("refs/heads/"), repo.own_config()
    follows = settings.get(f"branch.{own}.remote") == remote
    return settings.get(f"branch.{own}.merge", own) if follows else own
