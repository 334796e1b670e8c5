"""Names on a hub, and the paths of its routes."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from oxcore.errors import InvalidError

PROTOCOL = "1"
HEADER = "Ox-Protocol"
API = "/api/v1"
HEALTH = "/healthz"
WHOAMI = f"{API}/whoami"
REPOS = f"{API}/repos"
STREAM_TYPE = "application/x-ox-stream"
IDS_TYPE = "application/x-ox-ids"
BITS_TYPE = "application/x-ox-bits"
JSON_TYPE = "application/json"

ACTIONS: dict[str, tuple[str, ...]] = {
    "refs": ("GET",),
    "has": ("POST",),
    "objects": ("POST",),
    "commits": ("POST",),
    "push": ("PUT", "POST"),
    "swap": ("POST",),
    "append": ("POST",),
}
"""Action on one repository -> methods."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}")
# Other protocols and pages have, or may get, these first parts of a path.
RESERVED = frozenset(
    [
        "admin",
        "api",
        "assets",
        "datasets",
        "docs",
        "files",
        "healthz",
        "login",
        "metrics",
        "models",
        "s3",
        "spaces",
        "static",
        "v1",
    ]
)
MAX_TARGET = 16_384
"""Bytes of a request's path and query."""


class RepoName(NamedTuple):
    """Namespace and name of a repository on a hub."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


def repo_name(namespace: str, name: str) -> RepoName:
    """The checked name; ``InvalidError`` for one that could leave its folder or hide a route."""
    for part in (namespace, name):
        if not _NAME.fullmatch(part) or part.lower().endswith((".git", ".lock")):
            raise InvalidError(
                f"not a name for a namespace or a repository: {part[:100]!r}",
                hint="a letter or digit, then up to 95 letters, digits, '.', '_' or '-'; "
                "not ending in .git or .lock",
            )
    if namespace.lower() in RESERVED:
        raise InvalidError(f"the namespace {namespace!r} is reserved", hint="choose another")
    return RepoName(namespace, name)


def action_path(repo: RepoName, action: str) -> str:
    """The path of an action on one repository."""
    return f"{REPOS}/{repo.namespace}/{repo.name}/{action}"


def raw_path(repo: RepoName, revision: str, path: bytes) -> str:
    """The path of a file at a revision; ``revision`` may hold '/', which travels as %2F."""
    return f"/{repo.namespace}/{repo.name}/raw/{quote(revision, safe='')}/{quote(path)}"


class HubUrl(NamedTuple):
    """A URL taken apart: ``base`` without a slash at the end, and the repository (None: the hub
    itself)."""

    base: str
    repo: RepoName | None


def parse_url(url: str) -> HubUrl:
    """Take ``http://HOST[:PORT][/PREFIX]/NS/NAME`` apart; ``InvalidError`` for another form.

    A URL with a user or a password in it is refused: tokens do not belong into settings and
    logs.
    """
    try:
        parts = urlsplit(url)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fine, parts = False, urlsplit("")
    if not fine or parts.query or parts.fragment:
        raise InvalidError(f"not the URL of a hub: {url!r}", hint="http://HOST:PORT/NS/NAME")
    if "@" in parts.netloc:
        raise InvalidError("a URL cannot carry a password", hint="use: ox login URL")
    steps = [step for step in parts.path.split("/") if step]
    origin = f"{parts.scheme}://{parts.netloc}"
    if len(steps) < 2:
        return HubUrl("/".join([origin, *steps]), None)
    return HubUrl("/".join([origin, *steps[:-2]]), repo_name(*steps[-2:]))
