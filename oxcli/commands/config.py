"""``ox config``."""

from __future__ import annotations

from oxcli import config
from oxcli.context import Session
from oxcli.params import argument, json_option, option, verb
from oxcore.codec.config import check_key
from oxcore.errors import NotARepoError, NotFoundError, UsageError


@verb(
    'ox config --global user.name "Ann Author"',
    "ox config --global user.email ann@example.org",
    "ox config user.name",
    "ox config --unset user.name",
    "ox config --list --json",
)
@argument("key", required=False)
@argument("value", required=False)
@option("--global", "everywhere", flag=True, help="The user's settings, for all repositories.")
@option("--unset", flag=True, help="Remove the setting.")
@option("-l", "--list", "listing", flag=True, help="Every setting in force.")
@json_option
def command(
    session: Session,
    key: str | None,
    value: str | None,
    *,
    everywhere: bool,
    unset: bool,
    listing: bool,
    as_json: bool,
) -> None:
    """Read, set or remove settings.

    A repository's own settings stand before the user's (--global). With KEY alone the value in
    force is printed; with VALUE it is set.
    """
    _check(key, value, unset=unset, listing=listing)
    if key is None:
        _list(session, _settings(session, everywhere=everywhere), as_json=as_json)
    elif value is not None or unset:
        _set(session, key, value, everywhere=everywhere)
    else:
        _get(session, key, _settings(session, everywhere=everywhere), as_json=as_json)


def _check(key: str | None, value: str | None, *, unset: bool, listing: bool) -> None:
    if listing and (key is not None or unset):
        raise UsageError("--list takes no key", hint="see: ox config --help")
    if unset and (key is None or value is not None):
        raise UsageError("--unset takes a key and no value", hint="see: ox config --help")
    if key is None and not listing:
        raise UsageError("which setting?", hint="ox config --list shows all of them")
    if key is not None:
        check_key(key)


def _settings(session: Session, *, everywhere: bool) -> dict[str, str]:
    if everywhere:
        return config.global_settings()
    try:
        with session.open() as repo:
            return repo.config()
    except NotARepoError:
        return config.global_settings()


def _set(session: Session, key: str, value: str | None, *, everywhere: bool) -> None:
    if value is None and key not in _settings(session, everywhere=everywhere):
        raise NotFoundError(f"{key} is not set")
    if everywhere:
        config.set_global({key: value})
        return
    try:
        with session.open() as repo:
            repo.set_config({key: value})
    except NotARepoError as error:
        hint = "ox config --global sets it for all repositories"
        raise NotARepoError(error.message, hint=hint) from error


def _get(session: Session, key: str, settings: dict[str, str], *, as_json: bool) -> None:
    if key not in settings:
        raise NotFoundError(f"{key} is not set", hint=f"set it with: ox config {key} VALUE")
    if as_json:
        session.emit({key: settings[key]})
    else:
        session.echo(settings[key])


def _list(session: Session, settings: dict[str, str], *, as_json: bool) -> None:
    if as_json:
        session.emit(dict(sorted(settings.items())))
    else:
        session.lines(f"{key} = {value}" for key, value in sorted(settings.items()))
