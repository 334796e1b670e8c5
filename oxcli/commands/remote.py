"""``ox remote``."""

from __future__ import annotations

from oxcli.context import Session
from oxcli.params import PATH, argument, json_option, option, verb_group
from oxcli.render.text import table


@verb_group(
    "ox remote -v",
    "ox remote add origin https://hub.example.org/pets/cats",
    "ox remote rename origin upstream",
    "ox remote remove upstream",
    default=True,
)
@option("-v", "--verbose", flag=True, help="With their addresses.")
@json_option
def command(session: Session, *, verbose: bool, as_json: bool) -> None:
    """List, add, rename and remove remotes: other repositories by name."""
    _list(session, verbose=verbose, as_json=as_json)


@command.command("list")
@option("-v", "--verbose", flag=True, help="With their addresses.")
@json_option
def listing(session: Session, *, verbose: bool, as_json: bool) -> None:
    """All remotes, by name."""
    _list(session, verbose=verbose, as_json=as_json)


@command.command("add")
@argument("name")
@argument("url", kind=PATH)
def add(session: Session, name: str, url: str) -> None:
    """Know the repository at URL, a path or an address on a hub, as NAME."""
    with session.open() as repo:
        made = repo.add_remote(name, url)
    session.say(f"{made.name} is {made.url}")


@command.command("remove")
@argument("name")
def remove(session: Session, name: str) -> None:
    """Forget NAME, and what was seen of its branches. Nothing changes there."""
    with session.open() as repo:
        repo.remove_remote(name)
    session.say(f"forgot {name}")


@command.command("rename")
@argument("name")
@argument("new")
def rename(session: Session, name: str, new: str) -> None:
    """Call the remote NAME from now on NEW."""
    with session.open() as repo:
        repo.rename_remote(name, new)
    session.say(f"{name} is called {new} now")


@command.command("set-url")
@argument("name")
@argument("url", kind=PATH)
def set_url(session: Session, name: str, url: str) -> None:
    """Change the address of NAME."""
    with session.open() as repo:
        made = repo.set_remote_url(name, url)
    session.say(f"{name} is {made.url} now")


def _list(session: Session, *, verbose: bool, as_json: bool) -> None:
    with session.open() as repo:
        found = repo.remotes()
    if as_json:
        session.emit(found)
    elif verbose:
        session.lines(table((one.name, one.url) for one in found) if found else [])
    else:
        session.lines(one.name for one in found)
