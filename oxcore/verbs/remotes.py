"""``remote``: the other repositories that this one knows by name.

They stand in the settings, as ``remote.NAME.url``; what was last seen of their branches stands
in the view, as ``refs/remotes/NAME/BRANCH``.
"""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import dataclass

from oxcore.errors import ExistsError, NotFoundError, UsageError
from oxcore.refs import check_ref_name, remote_ref
from oxcore.repo import Repository
from oxcore.transfer import Remote, open_remote
from oxcore.transfer.connect import is_url

DEFAULT = "origin"


@dataclass(frozen=True, slots=True)
class RemoteInfo:
    """A remote by name: its address and the branches last seen there (name -> commit in hex)."""

    name: str
    url: str
    branches: dict[str, str]


def remotes(repo: Repository) -> list[RemoteInfo]:
    """All remotes, by name."""
    settings = repo.own_config()
    names = sorted(
        key[len("remote.") : -len(".url")]
        for key in settings
        if key.startswith("remote.") and key.endswith(".url")
    )
    return [RemoteInfo(name, settings[f"remote.{name}.url"], tracked(repo, name)) for name in names]


def tracked(repo: Repository, name: str) -> dict[str, str]:
    """Branch -> commit in hex, as last seen on the remote."""
    prefix = f"refs/remotes/{name}/"
    return {ref[len(prefix) :]: value for ref, value in repo.view().refs(prefix).items()}


def add_remote(repo: Repository, name: str, url: str) -> RemoteInfo:
    """Know a repository by a name; ``ExistsError`` if the name is taken."""
    check_ref_name(remote_ref(name, "x"))
    if f"remote.{name}.url" in repo.own_config():
        raise ExistsError(f"there is a remote {name} already", hint=f"ox remote set-url {name} URL")
    with repo.lock("remote"):
        repo.set_config({f"remote.{name}.url": full_address(url)})
    return RemoteInfo(name, full_address(url), {})


def set_url(repo: Repository, name: str, url: str) -> None:
    """Change the address of a remote; ``NotFoundError`` if there is none of that name."""
    _must_know(repo, name)
    with repo.lock("remote"):
        repo.set_config({f"remote.{name}.url": full_address(url)})


def remove_remote(repo: Repository, name: str) -> None:
    """Forget a remote, what was seen of it, and that branches follow it."""
    _must_know(repo, name)
    with repo.lock("remote"):
        gone = _following(repo, name)
        gone.update((key, None) for key in repo.own_config() if key.startswith(f"remote.{name}."))
        seen = repo.view().refs(f"refs/remotes/{name}/")
        repo.operate("remote", f"remove {name}", {ref: (old, None) for ref, old in seen.items()})
        repo.set_config(gone)


def rename_remote(repo: Repository, name: str, new: str) -> None:
    """Give a remote another name; branches go on following it."""
    _must_know(repo, name)
    check_ref_name(remote_ref(new, "x"))
    settings = repo.own_config()
    if f"remote.{new}.url" in settings:
        raise ExistsError(f"there is a remote {new} already")
    with repo.lock("remote"):
        changes: dict[str, str | None] = {
            f"remote.{name}.url": None,
            f"remote.{new}.url": settings[f"remote.{name}.url"],
        }
        for key in _following(repo, name):
            if key.endswith(".remote"):
                changes[key] = new
        moves: dict[str, tuple[str | None, str | None]] = {}
        for branch, value in tracked(repo, name).items():
            moves[remote_ref(name, branch)] = (value, None)
            moves[remote_ref(new, branch)] = (None, value)
        repo.operate("remote", f"rename {name} {new}", moves)
        repo.set_config(changes)


def connect(repo: Repository, name_or_url: str | None) -> tuple[str | None, closing[Remote]]:
    """The name of the remote (None for a bare address), and the connection to it, to be closed.

    None stands for the upstream of the present branch, else ``origin``, else the only remote.
    """
    name = name_or_url or default_name(repo)
    url = repo.own_config().get(f"remote.{name}.url")
    if url is None and not _is_address(name):
        raise NotFoundError(
            f"there is no remote {name!r}", hint=f"ox remote add {name} PATH-OR-URL"
        )
    address = url or full_address(name)
    token = repo.settings.token_for(address)
    opened = open_remote(address, token=token, counters=repo.counters, settings=repo.settings)
    return (None if url is None else name), closing(opened)


def default_name(repo: Repository) -> str:
    """The remote that is meant where none is named."""
    ref, _ = repo.view().head()
    settings = repo.own_config()
    branch = "" if ref is None else ref.removeprefix("refs/heads/")
    upstream = settings.get(f"branch.{branch}.remote")
    if upstream:
        return upstream
    known = [remote.name for remote in remotes(repo)]
    if DEFAULT in known or not known:
        return DEFAULT
    if len(known) == 1:
        return known[0]
    raise UsageError("several remotes are known", hint="name one of: " + ", ".join(known))


def full_address(address: str) -> str:
    """A path made absolute, so that it holds wherever ox is called from; a URL as it is."""
    if is_url(address) or "://" in address:
        return address.rstrip("/")
    return os.path.abspath(address)


def _is_address(text: str) -> bool:
    return "/" in text or text.startswith(".") or os.path.isdir(text)


def _must_know(repo: Repository, name: str) -> None:
    if f"remote.{name}.url" not in repo.own_config():
        raise NotFoundError(f"there is no remote {name!r}", hint="see: ox remote")


def _following(repo: Repository, name: str) -> dict[str, str | None]:
    """Settings of the branches that follow the remote."""
    settings = repo.own_config()
    branches = [
        key.removesuffix(".remote")
        for key, value in settings.items()
        if key.startswith("branch.") and key.endswith(".remote") and value == name
    ]
    keys = [f"{branch}.{part}" for branch in branches for part in ("remote", "merge")]
    return {key: None for key in keys if key in settings}
