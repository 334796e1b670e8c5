"""``remote``: the other repositories that this one knows by name.

They stand in the settings: ``remote.NAME.url`` and, if a fetch shall get only some branches,
``remote.NAME.branches``. What was last seen of their branches stands in the view, as
``refs/remotes/NAME/BRANCH``.
"""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import dataclass

from oxcore.errors import ExistsError, InvalidError, NotFoundError, UsageError
from oxcore.refs import remote_ref
from oxcore.repo import Repository
from oxcore.transfer import Remote, open_remote
from oxcore.transfer.connect import is_url, local_path
from oxcore.wire.routes import parse_url

DEFAULT = "origin"
_PARTS = ("url", "branches")  # the settings of a remote
_FORMS = "a path, file:///PATH or http://HOST:PORT/NS/NAME"


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
    return [RemoteInfo(name, settings[_key(name, "url")], tracked(repo, name)) for name in names]


def tracked(repo: Repository, name: str) -> dict[str, str]:
    """Branch -> commit in hex, as last seen on the remote."""
    prefix = f"refs/remotes/{name}/"
    return {ref[len(prefix) :]: value for ref, value in repo.view().refs(prefix).items()}


def add_remote(repo: Repository, name: str, url: str) -> RemoteInfo:
    """Know a repository by a name; ``ExistsError`` if the name is taken, ``InvalidError`` for a
    name or an address that cannot be. Nobody is asked whether there is a repository."""
    remote_ref(name, "x")  # refuses a bad name
    address = full_address(url)
    with repo.lock("remote"):
        if _key(name, "url") in repo.own_config():
            hint = f"ox remote set-url {name} URL"
            raise ExistsError(f"there is a remote {name!r} already", hint=hint)
        repo.set_config({_key(name, "url"): address})
    return RemoteInfo(name, address, tracked(repo, name))


def set_url(repo: Repository, name: str, url: str) -> RemoteInfo:
    """Change the address of a remote; ``NotFoundError`` if there is none of that name."""
    address = full_address(url)
    with repo.lock("remote"):
        _must_know(repo, name)
        repo.set_config({_key(name, "url"): address})
    return RemoteInfo(name, address, tracked(repo, name))


def remove_remote(repo: Repository, name: str) -> None:
    """Forget a remote, what was seen of it, and that branches follow it."""
    with repo.lock("remote"):
        _must_know(repo, name)
        gone = _following(repo, name)
        gone.update((_key(name, part), None) for part in _PARTS)
        seen = repo.view().refs(f"refs/remotes/{name}/")
        repo.operate("remote", f"remove {name}", {ref: (old, None) for ref, old in seen.items()})
        repo.set_config(gone)


def rename_remote(repo: Repository, name: str, new: str) -> None:
    """Give a remote another name; branches go on following it.

    Raises ``NotFoundError``, or ``ExistsError`` if the new name is taken.
    """
    remote_ref(new, "x")  # refuses a bad name
    with repo.lock("remote"):
        _must_know(repo, name)
        settings = repo.own_config()
        if _key(new, "url") in settings:
            raise ExistsError(f"there is a remote {new!r} already", hint="see: ox remote")
        changes: dict[str, str | None] = {}
        for part in _PARTS:
            if _key(name, part) in settings:
                changes |= {_key(name, part): None, _key(new, part): settings[_key(name, part)]}
        changes |= {key: new for key in _following(repo, name) if key.endswith(".remote")}
        moves: dict[str, tuple[str | None, str | None]] = {}
        for branch, value in tracked(repo, name).items():
            moves[remote_ref(name, branch)] = (value, None)
            moves[remote_ref(new, branch)] = (repo.view().get(remote_ref(new, branch)), value)
        repo.operate("remote", f"rename {name} {new}", moves)
        repo.set_config(changes)


def chosen_branches(repo: Repository, name: str | None) -> list[str]:
    """The branches that a fetch from the remote is limited to; empty: it gets all of them."""
    return repo.own_config().get(_key(name, "branches"), "").split() if name else []


def connect(repo: Repository, name_or_url: str | None) -> tuple[str | None, closing[Remote]]:
    """The name of the remote (None for a bare address), and the connection to it, to be closed.

    None stands for the upstream of the present branch, else ``origin``, else the only remote.
    """
    name = name_or_url or default_name(repo)
    url = repo.own_config().get(_key(name, "url"))
    if url is None and not _is_address(name):
        raise NotFoundError(
            f"there is no remote {name!r}", hint=f"ox remote add {name} PATH-OR-URL"
        )
    address = url or full_address(name)
    token = repo.settings.token_for(address) if is_url(address) else None
    settings = repo.settings.of(repo.who())  # who moves the refs of a folder
    opened = open_remote(address, token=token, counters=repo.counters, settings=settings)
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
    """A path made absolute, so that it holds wherever ox is called from; a URL as it is.

    Raises ``InvalidError`` for a URL that names no repository on a hub, another scheme, or a
    path that the settings cannot hold.
    """
    if is_url(address):
        if parse_url(address).repo is None:
            message = f"{address} names a hub, not a repository on it"
            raise InvalidError(message, hint="http://HOST:PORT/NS/NAME")
        return address.rstrip("/")
    path = os.path.abspath(local_path(address)) if address else ""
    if not path or not path.isprintable():
        raise InvalidError(f"not an address: {address!r}", hint=_FORMS)
    return path


def _is_address(text: str) -> bool:
    return "/" in text or text.startswith(".") or os.path.isdir(text)


def _key(name: str, part: str) -> str:
    return f"remote.{name}.{part}"


def _must_know(repo: Repository, name: str) -> None:
    if _key(name, "url") not in repo.own_config():
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
