"""``ox login``."""

from __future__ import annotations

import sys

import click

from oxcli import config
from oxcli.context import Session, pass_session
from oxcli.params import json_option, verb
from oxcore.errors import NotFoundError, UsageError


@verb(
    "ox login https://hub.example.org",
    "ox login https://hub.example.org --token TOKEN",
    "ox login --list",
    "ox login --logout https://hub.example.org",
)
@click.argument("url", required=False)
@click.option(
    "--token", metavar="TOKEN", help="The token; else it is asked for, or read from stdin."
)
@click.option("--logout", is_flag=True, help="Forget the token of this hub.")
@click.option("--list", "listing", is_flag=True, help="The hubs whose tokens are stored.")
@json_option
@pass_session
def command(
    session: Session,
    url: str | None,
    token: str | None,
    *,
    logout: bool,
    listing: bool,
    as_json: bool,
) -> None:
    """Remember the token of the hub at URL, for clone, fetch, pull and push.

    The token is kept in a file that only you can read. OX_TOKEN in the environment stands before
    it.
    """
    if (url is None) != listing or (logout and token):
        raise UsageError("name one hub, or ask for --list", hint="see: ox login --help")
    if url is None:
        _list(session, as_json=as_json)
    elif logout:
        _forget(session, url)
    else:
        _remember(session, url, token or _ask(url))


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


def _remember(session: Session, url: str, token: str) -> None:
    config.store_token(url, token)
    session.say(f"stored the token of {config.hub_of(url)}")


def _ask(url: str) -> str:
    hub = config.hub_of(url)
    if sys.stdin.isatty():
        return str(click.prompt(f"Token for {hub}", hide_input=True, err=True)).strip()
    token = sys.stdin.readline().strip()
    if not token:
        raise UsageError(f"no token for {hub}", hint=f"ox login {url} --token TOKEN")
    return token
