"""What ``ox.save`` takes from around it: the one place of the library that looks at the
environment.

Whoever opens a ``Repo`` hands in who they are. ``ox.save`` is one line in somebody else's program:
it finds the user's settings, the tokens that ``ox login`` stored, and a place for what waits. Of
the environment it reads ``OX_CONFIG_HOME``, ``XDG_CONFIG_HOME``, ``OX_STATE_HOME``,
``XDG_STATE_HOME`` and ``OX_TOKEN``, as the command line does.
"""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from oxcore.codec import config
from oxcore.errors import OxError
from oxcore.model.settings import Settings

_WAIT = 30.0  # seconds for another writer of a repository: nobody waits for the background


def state_home() -> str:
    """The folder for what waits to be sent to hubs."""
    own = os.environ.get("OX_STATE_HOME")
    shared = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    return own or os.path.join(shared, "ox")


def captures() -> str:
    """Where the spools of hubs lie, and the troubles of what has no spool."""
    return os.path.join(state_home(), "capture")


def settings() -> Settings:
    """Those of the user; none where they cannot be read."""
    try:
        defaults = config.parse(_read("config"))
    except OxError:
        defaults = {}
    return Settings(lock_wait=_WAIT, defaults=defaults, token_for=token_for)


def token_for(url: str) -> str | None:
    """The token to show the hub of ``url``: ``OX_TOKEN``, else the one that was stored."""
    given = os.environ.get("OX_TOKEN")
    if given:
        return given
    parts = urlsplit(url)
    hub = f"{parts.scheme}://{parts.netloc.rpartition('@')[2].lower()}"
    rows = (line.split() for line in _read("credentials").splitlines())
    return next((row[1] for row in rows if len(row) == 2 and row[0] == hub), None)


def _read(name: str) -> str:
    own = os.environ.get("OX_CONFIG_HOME")
    shared = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    try:
        with open(os.path.join(own or os.path.join(shared, "ox"), name), encoding="utf-8") as file:
            return file.read()
    except (OSError, UnicodeDecodeError):
        return ""
