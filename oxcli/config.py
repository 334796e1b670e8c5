"""What comes from outside a repository: environment, the user's settings, tokens of hubs.

Of the environment, ox reads ``OX_CONFIG_HOME``, ``XDG_CONFIG_HOME``, ``OX_AUTHOR_NAME``,
``OX_AUTHOR_EMAIL``, ``OX_DATE``, ``OX_TOKEN`` and ``NO_COLOR``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, TextIO

from oxcore.codec import config as codec
from oxcore.errors import InvalidError
from oxcore.fs.atomic import storage_errors, write_atomic
from oxcore.model.commits import Moment, Person

if TYPE_CHECKING:
    from oxcore.model.protocols import Progress
    from oxcore.model.settings import Settings

_EPOCH = r"@?(-?\d+)(?: ([+-])([01]\d|2[0-3])([0-5]\d))?"


def config_home() -> str:
    """The folder of the user's files: ``OX_CONFIG_HOME``, else ``ox`` among the user's settings."""
    own = os.environ.get("OX_CONFIG_HOME")
    shared = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    return own or os.path.join(shared, "ox")


def settings_file() -> str:
    """Where ``ox config --global`` writes."""
    return os.path.join(config_home(), "config")


def credentials_file() -> str:
    """Where ``ox login`` keeps tokens: lines ``URL TOKEN``, for the user's eyes only."""
    return os.path.join(config_home(), "credentials")


# -- settings


def global_settings() -> dict[str, str]:
    """The user's settings, for all repositories; ``InvalidError`` names a line that is none."""
    return codec.parse(_read_settings())


def set_global(changes: Mapping[str, str | None]) -> None:
    """Set these of the user's settings, or remove them where the value is None."""
    text = codec.edit(_read_settings(), changes)
    _write(settings_file(), text, mode=0o666)


def make_settings(progress: Progress) -> Settings:
    """What a repository is opened with."""
    from oxcore.model.settings import Settings

    defaults = global_settings()
    made = Settings(
        author=author(defaults),
        progress=progress,
        excludes=excludes(defaults),
        defaults=defaults,
        token_for=token_for,
    )
    date = os.environ.get("OX_DATE")
    if date:
        moment = parse_date(date)
        made.clock = lambda: moment
    return made


def author(defaults: Mapping[str, str]) -> Person | None:
    """Who the environment says that we are; what it leaves out is the user's setting."""
    name, email = os.environ.get("OX_AUTHOR_NAME"), os.environ.get("OX_AUTHOR_EMAIL")
    if not name and not email:
        return None
    return Person(name or defaults.get("user.name", ""), email or defaults.get("user.email", ""))


def excludes(defaults: Mapping[str, str]) -> tuple[str, ...]:
    """The user's own ignore patterns: the lines of ``core.excludesFile``.

    Where that is not set, those of ``ignore`` beside the settings, if it is there.
    """
    named = defaults.get("core.excludesFile")
    path = os.path.expanduser(named) if named else os.path.join(config_home(), "ignore")
    return tuple(_read(path).splitlines())


def parse_date(text: str) -> Moment:
    """``OX_DATE``: seconds since the epoch with or without a zone (``1700000000 +0100``), or ISO
    8601 (``2026-11-21T22:07:59+01:00``); without a zone it is UTC. ``InvalidError`` if neither.
    """
    match = re.fullmatch(_EPOCH, text.strip())
    if match:
        seconds, sign, hours, minutes = match.groups()
        offset = int(hours or 0) * 60 + int(minutes or 0)
        return Moment(int(seconds) * 1_000_000, -offset if sign == "-" else offset)
    return _parse_iso(text)


def _parse_iso(text: str) -> Moment:
    from datetime import datetime, timedelta, timezone

    try:
        stamp = datetime.fromisoformat(text.strip())
    except ValueError as error:
        hint = "write it as 2026-11-21T22:07:59+01:00 or as 1700000000 +0100"
        raise InvalidError(f"OX_DATE is no date: {text!r}", hint=hint) from error
    utc = timezone.utc  # noqa: UP017 -- the name in every Python 3
    stamp = stamp if stamp.tzinfo else stamp.replace(tzinfo=utc)
    zone = stamp.utcoffset() or timedelta(0)
    since = stamp - datetime(1970, 1, 1, tzinfo=utc)
    return Moment(since // timedelta(microseconds=1), zone // timedelta(minutes=1))


# -- tokens of hubs


def hub_of(url: str) -> str:
    """The hub that a URL belongs to, ``https://host[:port]``; ``InvalidError`` if it is no URL."""
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidError(f"not the URL of a hub: {url}", hint="as in https://hub.example.org")
    host = parts.netloc.rpartition("@")[2].lower()
    return f"{parts.scheme}://{host}"


def tokens() -> dict[str, str]:
    """Hub -> token, as ``ox login`` stored them."""
    rows = (line.split() for line in _read(credentials_file()).splitlines())
    return {row[0]: row[1] for row in rows if len(row) == 2 and not row[0].startswith("#")}


def token_for(url: str) -> str | None:
    """The token to show the hub of ``url``: ``OX_TOKEN``, else the stored one, else None."""
    return os.environ.get("OX_TOKEN") or tokens().get(hub_of(url))


def hint_of_denial(hint: str) -> str:
    """The way out for who is denied: a login is of no use while ``OX_TOKEN`` goes before it."""
    if not os.environ.get("OX_TOKEN"):
        return hint
    return "OX_TOKEN is set and goes before what ox login stored: unset it, or correct it"


def check_token(token: str) -> None:
    """Raise ``InvalidError`` for what cannot be a token."""
    if not token.isascii() or not token.isprintable() or " " in token:
        raise InvalidError("a token is one word of ASCII characters")


def store_token(url: str, token: str | None) -> None:
    """Remember the token of a hub, or forget it if None. Nobody but the user can read the file."""
    if token is not None:
        check_token(token)
    kept = {hub: known for hub, known in tokens().items() if hub != hub_of(url)}
    if token:
        kept[hub_of(url)] = token
    lines = (f"{hub} {known}\n" for hub, known in sorted(kept.items()))
    _write(credentials_file(), "".join(lines), mode=0o600)


# -- terminal


def wants_color(stream: TextIO) -> bool:
    """Whether ``stream`` is a terminal and nobody set ``NO_COLOR``."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _read_settings() -> str:
    return codec.decode(_read_bytes(settings_file()), settings_file())


def _read(path: str) -> str:
    try:
        return _read_bytes(path).decode("utf-8")
    except UnicodeDecodeError as error:
        hint = "edit it, or delete it"
        raise InvalidError(f"{path} is not UTF-8 text", hint=hint) from error


def _read_bytes(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return b""


def _write(path: str, text: str, *, mode: int) -> None:
    with storage_errors(f"write {path}"):
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        write_atomic(path, text.encode("utf-8"), mode=mode)
