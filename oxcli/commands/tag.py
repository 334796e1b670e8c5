"""``ox tag``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oxcli.context import Session
from oxcli.params import REVISION, argument, json_option, option, verb
from oxcli.render.text import fit, iso_date, short_id, table
from oxcore.errors import UsageError

if TYPE_CHECKING:
    from oxcore.api import Repo
    from oxcore.verbs.tag import TagInfo

_TITLE = 60  # characters of a message in the list


@verb(
    "ox tag",
    "ox tag --list 'v1.*' --json",
    "ox tag v1.0",
    'ox tag -a v1.0 -m "first release"',
    'ox tag -m "first release" v1.0 HEAD~2',
    "ox tag -d v1.0",
)
@argument("names", many=True, kind=REVISION)
@option("-l", "--list", "listing", flag=True, help="List tags that fit the patterns.")
@option("-a", "--annotate", flag=True, help="As -m alone does, which must be there.")
@option("-m", "--message", help="Make an annotated tag, with who, when and why.")
@option("-d", "--delete", flag=True, help="Delete tags.")
@option("-f", "--force", flag=True, help="Move a tag that is there.")
@json_option
def command(
    session: Session,
    names: tuple[str, ...],
    *,
    listing: bool,
    annotate: bool,
    message: str | None,
    delete: bool,
    force: bool,
    as_json: bool,
) -> None:
    """List, create and delete tags.

    Without names: list them. With a name, and a revision (HEAD if left out): tag that commit.
    """
    if delete and (listing or annotate or message is not None):
        raise UsageError("-d goes with names alone")
    if annotate and message is None:
        raise UsageError("an annotated tag needs a message", hint='ox tag -a NAME -m "why"')
    with session.open() as repo:
        if delete:
            _delete(session, repo, names)
        elif listing or not names:
            _list(session, repo.tags(names), as_json=as_json)
        else:
            _create(session, repo, names, message, force=force)


def _create(
    session: Session, repo: Repo, names: tuple[str, ...], message: str | None, *, force: bool
) -> None:
    if len(names) > 2:
        raise UsageError("a tag takes a name and a revision")
    made = repo.tag(*names, message=message, force=force)
    session.say(f"tag {made.name} at {short_id(made.commit)} {made.title}".rstrip())


def _delete(session: Session, repo: Repo, names: tuple[str, ...]) -> None:
    if not names:
        raise UsageError("delete which tag?", hint="ox tag lists them")
    gone = repo.delete_tags(names)
    for one in gone.tags:
        session.say(f"deleted {one.name} (was {short_id(one.commit)} {one.title})")
    session.say(f"back with: ox undo {gone.operation}")


def _list(session: Session, tags: list[TagInfo], *, as_json: bool) -> None:
    if as_json:
        session.emit([_document(one) for one in tags])
        return
    rows = [
        (one.name, short_id(one.commit), iso_date(one.time)[:10], fit(_title(one), _TITLE))
        for one in tags
    ]
    session.lines(table(rows) if rows else [])


def _title(one: TagInfo) -> str:
    return one.title if one.message is None else one.message.split("\n", 1)[0]


def _document(one: TagInfo) -> dict[str, object]:
    return {
        "name": one.name,
        "commit": one.commit,
        "title": one.title,
        "annotated": one.annotated,
        "id": one.id,
        "message": one.message,
        "tagger": one.tagger,
        "time": one.time,
    }
