"""``ox hub``."""

from __future__ import annotations

import signal
import sys
import threading
import time
import traceback
from typing import TYPE_CHECKING, Literal

from oxcli import config
from oxcli.context import Session
from oxcli.params import PATH, Choice, Number, argument, json_option, option, verb_group
from oxcli.render.text import human_size
from oxcore.errors import UsageError

if TYPE_CHECKING:
    from oxcore.api.hub import Hub
    from oxcore.hub import Visit

_PORT = 8421


@verb_group(
    "ox hub serve --root /srv/hub",
    "ox hub serve --root /srv/hub --host 0.0.0.0 --anonymous read",
    "ox hub repos https://hub.example.org",
)
def command() -> None:
    """Serve repositories over HTTP, and see which there are."""


@command.command("serve")
@option("--root", required=True, kind=PATH, metavar="DIR", help="Where the hub keeps all.")
@option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@option(
    "--port",
    kind=Number(0, 65535),
    default=_PORT,
    show_default=True,
    help="The port to listen on; 0 takes a free one.",
)
@option(
    "--anonymous",
    kind=Choice("none", "read", "write"),
    default="none",
    show_default=True,
    help="What callers without a token may do.",
)
def serve(
    session: Session, root: str, host: str, port: int, anonymous: Literal["none", "read", "write"]
) -> None:
    """Serve the hub in the folder DIR, which is made if it is not there, until Ctrl-C.

    The first start makes an admin token and shows it, once. Requests are logged on stderr; not with
    ox -q. For https put a proxy in front.
    """
    from oxcore.api import Hub  # loads the server: not for `--help`

    visited = None if session.quiet else _log
    hub = Hub(root, host=host, port=port, anonymous=anonymous, failed=_fault, visited=visited)
    if threading.current_thread() is threading.main_thread():
        # The server stops in good order at a signal, and then raises it again.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        session.echo(f"hub at {hub.url}, in {hub.root}")
        _first_token(session, hub)
        sys.stdout.flush()
        hub.run()
    finally:
        hub.stop()
    session.say("the hub has stopped")


@command.command("repos")
@argument("url", required=False)
@option("--root", kind=PATH, metavar="DIR", help="Of the hub in this folder.")
@json_option
def repos(session: Session, url: str | None, root: str | None, *, as_json: bool) -> None:
    """The repositories on the hub at URL that you may read, or all of those in a hub's folder."""
    if (url is None) == (root is None):
        raise UsageError("name one hub: its URL, or --root DIR", hint="see: ox hub repos --help")
    from oxcore.api.hub import Hub, hub_repos

    if url is None:
        names = Hub(root or "", make=False).repos()
    else:
        names = [f"{one.namespace}/{one.name}" for one in hub_repos(url, config.token_for(url))]
    if as_json:
        session.emit(names)
    else:
        session.lines(names)


def _first_token(session: Session, hub: Hub) -> None:
    if hub.tokens():
        return
    secret = hub.create_token("admin", "admin").secret
    address = hub.url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")
    session.echo("made an admin token; it is shown only now:")
    session.echo(f"  ox login {address} --token {secret}")


def _log(visit: Visit) -> None:
    when = time.strftime("%Y-%m-%d %H:%M:%S")
    sizes = f"{human_size(visit.received)} in, {human_size(visit.sent)} out"
    status = visit.status or "broken off"
    who = visit.user.replace(" ", "_") or "-"
    what = f"{visit.method} {visit.path} {status}"
    sys.stderr.write(f"{when} {who} {what} {sizes}, {visit.seconds * 1000:.0f} ms\n")


def _fault(error: Exception) -> None:
    traceback.print_exception(error)
