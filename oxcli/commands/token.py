"""``ox token``."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypedDict, Unpack

from oxcli.context import Session
from oxcli.params import PATH, Choice, Number, argument, json_option, option, verb_group
from oxcli.render.text import table
from oxcore.model.commits import Moment

if TYPE_CHECKING:
    from oxcore.hub import TokenInfo
    from oxcore.hub.auth import Place, Scope

_DAY = 86_400_000_000  # microseconds


class Options(TypedDict):
    """The options of ``ox token create``."""

    root: str
    user: str
    scope: Scope
    namespaces: tuple[str, ...]
    repo: str | None
    branch: str | None
    folder: str | None
    expires: int | None
    as_json: bool


_root = option("--root", required=True, kind=PATH, metavar="DIR", help="The folder of the hub.")


@verb_group(
    "ox token create --root /srv/hub --user ann",
    "ox token create --root /srv/hub --user bot --scope read --namespace 'lab-*' --expires 30",
    "ox token create --root /srv/hub --user app --scope capture"
    " --repo lab/speech --branch deployed --folder wild",
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
    kind=Choice("read", "write", "admin", "capture"),
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
@option("--repo", metavar="NS/NAME", help="Of the scope capture: the repository,")
@option("--branch", metavar="NAME", help="its branch,")
@option("--folder", metavar="DIR", help="and the folder that new files may be added to.")
@option("--expires", kind=Number(1, 36500), metavar="DAYS", help="Valid so long.")
@json_option
def create(session: Session, **options: Unpack[Options]) -> None:
    """Make a token, and show it: this once, for the hub keeps only its hash.

    The scope capture adds new files below one folder of one branch, and allows nothing else: not
    to read, not to change or remove, not to make a repository.
    """
    from oxcore.api import Hub

    expires = options["expires"]
    until = None if expires is None else _now() + expires * _DAY
    made = Hub(options["root"]).create_token(
        options["user"], options["scope"], options["namespaces"] or ("*",), until, _place(options)
    )
    if options["as_json"]:
        session.emit({"token": made.secret, **_document(made.info)})
        return
    session.say(f"token {made.info.id} of {made.info.user}: {_reach(made.info)}")
    session.say("it is shown only now; its owner types: ox login URL, and pastes it")
    session.echo(made.secret)


def _place(options: Options) -> Place | None:
    from oxcore.hub.auth import Place

    named = [options["repo"], options["branch"], options["folder"]]
    if not any(named):
        return None
    return Place(*(part or "" for part in named))


def _reach(one: TokenInfo) -> str:
    if one.place is not None:
        return f"{one.scope} to {one.place.folder} of {one.place.branch} of {one.place.repo}"
    return f"{one.scope} in {', '.join(one.namespaces)}"


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
    where = ",".join(one.namespaces) if one.place is None else " ".join(one.place)
    return one.id, one.user, one.scope, where, _state(one)


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
        "place": None if one.place is None else one.place._asdict(),
        "created": Moment(one.created, 0),
        "expires": expires,
        "valid": one.revoked is None and (one.expires is None or one.expires > _now()),
        "revoked": one.revoked is not None,
    }


def _now() -> int:
    return time.time_ns() // 1000
