"""``ox login``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from oxcli import config
from oxcli.context import Session
from oxcli.params import argument, json_option, option, verb
from oxcore.errors import NotFoundError, UnreachableError, UsageError

if TYPE_CHECKING:
    from oxcore.wire.messages import WhoAmI


@verb(
    "ox login https://hub.example.org",
    "ox login https://hub.example.org --token TOKEN",
    "ox login --list",
    "ox login --logout https://hub.example.org",
)
@argument("url", required=False)
@option("--token", metavar="TOKEN", help="The token; else it is asked for, or read from stdin.")
@option("--no-check", flag=True, help="Do not ask the hub whether it knows the token.")
@option("--logout", flag=True, help="Forget the token of this hub.")
@option("--list", "listing", flag=True, help="The hubs whose tokens are stored.")
@json_option
def command(
    session: Session,
    url: str | None,
    token: str | None,
    *,
    no_check: bool,
    logout: bool,
    listing: bool,
    as_json: bool,
) -> None:
    """Remember the token of the hub at URL, for clone, fetch, pull and push.

    The hub is asked whether it knows the token; then that is kept in a file that only you can
    read. OX_TOKEN in the environment stands before it.
    """
    if (url is None) != listing or (logout and token):
        raise UsageError("name one hub, or ask for --list", hint="see: ox login --help")
    if url is None:
        _list(session, as_json=as_json)
    elif logout:
        _forget(session, url)
    else:
        _remember(session, url, token or _ask(url), check=not no_check, as_json=as_json)


def _list(session: Session, *, as_json: bool) -> None:
    hubs = sorted(config.tokens())
    if as_json:
        session.emit({"hubs": hubs, "file": config.credentials_file()})
    else:
        session.lines(hubs)


def _forget(session: Session, url: str) -> None:
    hub = config.hub_of(url)
    if hub not in config.tokens():
        raise NotFoundError(f"no token is stored for {hub}", hint="ox login --list")
    config.store_token(url, None)
    session.say(f"forgot the token of {hub}")


def _remember(session: Session, url: str, token: str, *, check: bool, as_json: bool) -> None:
    config.check_token(token)
    hub = config.hub_of(url)
    known = _whoami(url, token) if check else None
    config.store_token(url, token)
    if as_json:
        session.emit({"hub": hub, "known_as": known})
    elif known is None:
        session.say(f"stored the token of {hub}")
    else:
        names = ", ".join(known.namespaces)
        session.say(f"stored the token of {hub}: {known.user} may {known.scope} in {names}")


def _whoami(url: str, token: str) -> WhoAmI:
    from oxcore.api.hub import whoami  # loads the client

    try:
        return whoami(url, token)
    except UnreachableError as error:
        hint = "check the address; --no-check stores the token all the same"
        raise UnreachableError(error.message, hint=hint) from error


def _typed(hub: str) -> str:
    import click  # slow to load, and seldom needed

    try:
        return str(click.prompt(f"Token for {hub}", hide_input=True, err=True)).strip()
    except click.Abort as error:
        raise KeyboardInterrupt from error


def _ask(url: str) -> str:
    hub = config.hub_of(url)
    if sys.stdin.isatty():
        return _typed(hub)
    token = sys.stdin.readline().strip()
    if not token:
        raise UsageError(f"no token for {hub}", hint=f"ox login {url} --token TOKEN")
    return token
