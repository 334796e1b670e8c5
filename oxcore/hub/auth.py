"""Who may do what: tokens in one file, of which only hashes are kept.

``ROOT/tokens.json``: ``{"ox": "tokens 1", "tokens": [...]}``, each with hash (hex), user, scope,
namespaces, created, expires and revoked (microseconds since the epoch, or null).
"""

from __future__ import annotations

import hmac
import os
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Literal, NamedTuple, NoReturn

from blake3 import blake3

from oxcore.codec import canonical
from oxcore.errors import CorruptError, DeniedError, InvalidError, NotFoundError
from oxcore.fs.atomic import storage_errors, write_atomic
from oxcore.fs.lock import writer_lock
from oxcore.model.commits import Json
from oxcore.model.entries import check_path
from oxcore.refs import branch_ref, check_ref_name
from oxcore.wire import shapes
from oxcore.wire.routes import RepoName, repo_name

Scope = Literal["read", "write", "admin", "capture"]
Anonymous = Literal["none", "read", "write"]

SCOPES: tuple[Scope, ...] = ("read", "write", "admin", "capture")
PREFIX = "ox_"
_TOKEN = re.compile(r"ox_[A-Za-z0-9_-]{43}")
_PATTERN = re.compile(r"[A-Za-z0-9*?._-]{1,96}")
_MARK = "tokens 1"
_MAX_TOKENS = 100_000


class Place(NamedTuple):
    """All that a token of the scope capture may touch: new files below ``folder`` of ``branch`` of
    the repository ``NS/NAME``."""

    repo: str
    branch: str
    folder: str

    def holds(self, repo: str, branch: str, paths: Iterable[str]) -> bool:
        """Whether these paths lie there."""
        below = self.folder + "/"
        return (repo, branch) == self[:2] and all(path.startswith(below) for path in paths)


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """What is kept of a token. ``id`` is the start of its hash, enough to name it; times are in
    microseconds since the epoch. ``place``: of the scope capture alone."""

    hash: str
    user: str
    scope: Scope
    namespaces: tuple[str, ...]
    created: int
    expires: int | None = None
    revoked: int | None = None
    place: Place | None = None

    @property
    def id(self) -> str:
        """Twelve hex digits that name the token."""
        return self.hash[:12]


@dataclass(frozen=True, slots=True)
class Grant:
    """A new token, to be shown once: ``secret`` is not kept anywhere."""

    secret: str
    info: TokenInfo


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes a request: ``user`` is empty for nobody in particular."""

    user: str
    scope: str
    namespaces: tuple[str, ...] = ()
    expires: int | None = None
    place: Place | None = None

    def may_read(self, namespace: str) -> bool:
        """Whether repositories of the namespace may be read."""
        return self.scope in ("read", "write", "admin") and self._reaches(namespace)

    def may_write(self, namespace: str) -> bool:
        """Whether repositories of the namespace may be made and pushed to."""
        return self.scope in ("write", "admin") and self._reaches(namespace)

    def require(self, namespace: str, *, write: bool) -> None:
        """Raise ``DeniedError`` unless the caller may read, or write, the namespace."""
        if self.may_write(namespace) if write else self.may_read(namespace):
            return
        self._refuse("write to" if write else "read", namespace)

    def require_put(self, repo: RepoName) -> None:
        """Raise ``DeniedError`` unless the caller may send objects to ``repo``."""
        if self.place is None or self.place.repo != str(repo):
            self.require(repo.namespace, write=True)

    def require_append(self, repo: RepoName, branch: str, paths: Sequence[str]) -> None:
        """Raise ``DeniedError`` unless the caller may add files there."""
        if self.place is None:
            self.require(repo.namespace, write=True)
        elif not self.place.holds(str(repo), branch, paths):
            self._refuse(f"append to other than {self.place.branch}:{self.place.folder} of", repo)

    def _refuse(self, what: str, namespace: object) -> NoReturn:
        if not self.user:
            raise Unknown(f"a token is needed to {what} {namespace}", hint="ox login URL")
        raise DeniedError(
            f"{self.user} may not {what} {namespace}",
            hint="ask who runs the hub for a token with more rights",
        )

    def _reaches(self, namespace: str) -> bool:
        return any(fnmatchcase(namespace, pattern) for pattern in self.namespaces)


class Unknown(DeniedError):
    """Nobody has said who they are, or with a token that is not valid: HTTP 401."""


class Tokens:
    """The tokens of the hub in the folder ``root``. Safe for many threads and processes."""

    def __init__(self, root: str, now: Callable[[], int] | None = None) -> None:
        self._path = os.path.join(root, "tokens.json")
        self._now = now or (lambda: time.time_ns() // 1000)
        self._mutex = threading.Lock()
        self._read: tuple[tuple[int, int, int], tuple[TokenInfo, ...]] = ((0, 0, 0), ())

    def create(
        self,
        user: str,
        scope: Scope,
        namespaces: Sequence[str] = ("*",),
        expires: int | None = None,
        place: Place | None = None,
    ) -> Grant:
        """Make a token; ``InvalidError`` for a user, scope, pattern or place that cannot be. One of
        the scope capture has a ``place``, whose namespace is its only one."""
        place = _checked(scope, place)
        names = tuple(namespaces) if place is None else (place.repo.partition("/")[0],)
        _check_grant(user, scope, names)
        secret = PREFIX + secrets.token_urlsafe(32)
        info = TokenInfo(_hash(secret), user, scope, names, self._now(), expires, place=place)
        with writer_lock(f"{self._path}.lock", purpose="make a token"):
            self._write((*self.all(), info))
        return Grant(secret, info)

    def revoke(self, token_id: str) -> TokenInfo:
        """Make the token with this id (or a unique start of it) invalid; ``NotFoundError``."""
        with writer_lock(f"{self._path}.lock", purpose="revoke a token"):
            rows = self.all()
            found = [row for row in rows if token_id and row.hash.startswith(token_id)]
            if len(found) != 1:
                raise NotFoundError(f"no token {token_id!r}", hint="list them first")
            gone = replace(found[0], revoked=found[0].revoked or self._now())
            self._write(tuple(gone if row is found[0] else row for row in rows))
        return gone

    def all(self) -> tuple[TokenInfo, ...]:
        """Every token, in the order in which they were made."""
        try:
            status = os.stat(self._path)
        except FileNotFoundError:
            return ()
        mark = (status.st_ino, status.st_mtime_ns, status.st_size)
        with self._mutex:
            if self._read[0] != mark:
                with storage_errors("read the tokens"), open(self._path, "rb") as file:
                    self._read = (mark, _decode(file.read()))
            return self._read[1]

    def caller(self, secret: str | None, anonymous: Anonymous = "none") -> Caller:
        """Who holds the token; without one, what ``anonymous`` allows to everybody.

        Raises ``Unknown`` for a token that is not known, expired or revoked.
        """
        if secret is None:
            return Caller("", anonymous, ("*",) if anonymous != "none" else ())
        digest = _hash(secret)
        found: TokenInfo | None = None
        for row in self.all():  # all of them, so that time tells nothing
            if hmac.compare_digest(row.hash, digest):
                found = row
        if found is None or not _TOKEN.fullmatch(secret):
            raise Unknown("the token is not known here", hint="ox login URL")
        expired = found.expires is not None and found.expires <= self._now()
        if found.revoked is not None or expired:
            raise Unknown("the token is not valid any more", hint="ask for a new one: ox login URL")
        return Caller(found.user, found.scope, found.namespaces, found.expires, found.place)

    def _write(self, rows: tuple[TokenInfo, ...]) -> None:
        listed: list[Json] = [
            {
                "hash": row.hash,
                "user": row.user,
                "scope": row.scope,
                "namespaces": list(row.namespaces),
                "created": row.created,
                "expires": row.expires,
                "revoked": row.revoked,
                **({} if row.place is None else {"place": list(row.place)}),
            }
            for row in rows
        ]
        data = canonical.dumps({"ox": _MARK, "tokens": listed}) + b"\n"
        with storage_errors("write the tokens"):
            write_atomic(self._path, data, mode=0o600)


def _hash(secret: str) -> str:
    return blake3(secret.encode("utf-8", "surrogateescape")).hexdigest()


def _check_grant(user: str, scope: str, namespaces: Sequence[str]) -> None:
    if not user or len(user) > 200 or not user.isprintable():
        raise InvalidError(f"not a name for a user: {user!r}")
    if scope not in SCOPES:
        raise InvalidError(f"no scope is called {scope!r}", hint=f"one of: {', '.join(SCOPES)}")
    for pattern in namespaces:
        if not _PATTERN.fullmatch(pattern):
            raise InvalidError(f"not a pattern of namespaces: {pattern!r}", hint="such as: lab-*")
    if not namespaces:
        raise InvalidError("a token needs at least one namespace", hint="all of them: *")


def _checked(scope: str, place: Place | None) -> Place | None:
    if (scope == "capture") != (place is not None):
        raise InvalidError(
            "a token of the scope capture is for one folder of a branch, and no other is",
            hint="--scope capture --repo NS/NAME --branch NAME --folder DIR",
        )
    if place is None:
        return None
    folder = place.folder.strip("/")
    check_path(folder.encode())
    check_ref_name(branch_ref(place.branch))
    namespace, _, name = place.repo.partition("/")
    return Place(str(repo_name(namespace, name)), place.branch, folder)


def _place(value: Json) -> Place | None:
    if value is None:
        return None
    parts = [shapes.text(part, "a place") for part in shapes.items(value, "a place", 3)]
    if len(parts) != 3:
        raise CorruptError("a token has a place that is none")
    return Place(*parts)


def _decode(data: bytes) -> tuple[TokenInfo, ...]:
    try:
        record = shapes.parse_object(data, "the file of tokens")
        if record.get("ox") != _MARK:
            raise CorruptError("the file of tokens is of another version")
        rows = shapes.items(record.get("tokens"), "tokens", _MAX_TOKENS)
        return tuple(_info(shapes.mapping(row, "a token")) for row in rows)
    except InvalidError as error:
        raise CorruptError(f"the file of tokens is damaged: {error.message}") from error


def _info(row: dict[str, Json]) -> TokenInfo:
    scope = next((one for one in SCOPES if one == row.get("scope")), None)
    if scope is None:
        raise CorruptError("a token has an unknown scope")
    names = shapes.items(row.get("namespaces"), "namespaces", _MAX_TOKENS)
    expires, revoked = row.get("expires"), row.get("revoked")
    return TokenInfo(
        hash=shapes.hex_id(row.get("hash"), "hash"),
        user=shapes.text(row.get("user"), "user"),
        scope=scope,
        namespaces=tuple(shapes.text(name, "a namespace") for name in names),
        created=shapes.whole(row.get("created"), "created"),
        expires=None if expires is None else shapes.whole(expires, "expires"),
        revoked=None if revoked is None else shapes.whole(revoked, "revoked"),
        place=_place(row.get("place")),
    )
