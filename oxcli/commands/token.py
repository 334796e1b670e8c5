"""``ox token``."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Literal

from oxcli.context import Session
from oxcli.params import PATH, Choice, Number, argument, json_option, option, verb_group
from oxcli.render.text import table
from oxcore.model.commits import Moment

if TYPE_CHECKING:
    from oxcore.hub import TokenInfo

_DAY = 86_400_000_000  # microseconds
_root = option("--root", required=True, kind=PATH, metavar="DIR", help="The folder of the hub.")


@verb_group(
    "ox token create --root /srv/hub --user ann",
    "ox token create --root /srv/hub --user bot --scope read --namespace 'lab-*' --expires 30",
    "ox token list --root /srv/hub",
    "ox token revoke --root /srv/hub 1a2b3c4d5e6f",
)
def command() -> None:
    """Make, list and revoke the tokens of a hub, on the machine where its folder is.

    A hub that is running takes notice at once.
    """


@command.command("create")
@_root
@option("--user", required=True, metavar="NAME", help="Who it is for; shows in logs.")
@option(
    "--scope",
    kind=Choice("read", "write", "admin"),
    default="write",
    show_default=True,
    help="What it allows.",
)
@option(
    "--namespace",
    "namespaces",
    many=True,
    metavar="PATTERN",
    help="Only in namespaces such as 'lab-*'; may be repeated.",
)
@option("--expires", kind=Number(1, 36500), metavar="DAYS", help="Valid so long.")
@json_option
def create(
    session: Session,
    root: str,
    user: str,
    scope: Literal["read", "write", "admin"],
    namespaces: tuple[str, ...],
    expires: int | None,
    *,
    as_json: bool,
) -> None:
    """Make a token, and show it: this once, for the hub keeps only its hash."""
    from oxcore.api import Hub

    until = None if expires is None else _now() + expires * _DAY
    made = Hub(root).create_token(user, scope, namespaces or ("*",), until)
    if as_json:
        session.emit({"token": made.secret, **_document(made.info)})
        return
    session.say(f"token {made.info.id} of {user}: {scope} in {', '.join(made.info.namespaces)}")
    session.say("it is shown only now; its owner types: ox login URL, and pastes it")
    session.echo(made.secret)


@command.command("list")
@_root
@json_option
def listing(session: Session, root: str, *, as_json: bool) -> None:
    """All tokens, in the order in which they were made."""
    from oxcore.api import Hub

    found = Hub(root, make=False).tokens()
    if as_json:
        session.emit([_document(one) for one in found])
    elif found:
        session.lines(table(_row(one) for one in found))


@command.command("revoke")
@_root
@argument("token_id", metavar="ID")
def revoke(session: Session, root: str, token_id: str) -> None:
    """Make the token with this ID (or a unique start of it) invalid."""
    from oxcore.api import Hub

    gone = Hub(root, make=False).revoke_token(token_id)
    session.say(f"revoked token {gone.id} of {gone.user}")


def _row(one: TokenInfo) -> tuple[str, str, str, str, str]:
    return one.id, one.user, one.scope, ",".join(one.namespaces), _state(one)


def _state(one: TokenInfo) -> str:
    if one.revoked is not None:
        return "revoked"
    if one.expires is None:
        return "valid"
    day = time.strftime("%Y-%m-%d", time.localtime(one.expires / 1e6))
    return f"until {day}" if one.expires > _now() else f"expired {day}"


def _document(one: TokenInfo) -> dict[str, object]:
    expires = None if one.expires is None else Moment(one.expires, 0)
    return {
        "id": one.id,
        "user": one.user,
        "scope": one.scope,
        "namespaces": one.namespaces,
        "created": Moment(one.created, 0),
        "expires": expires,
        "valid": one.revoked is None and (one.expires is None or one.expires > _now()),
        "revoked": one.revoked is not None,
    }


def _now() -> int:
    return time.time_ns() // 1000
