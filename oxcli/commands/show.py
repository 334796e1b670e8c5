"""``ox show``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from oxcli.context import Session
from oxcli.params import REVISION, argument, json_option, option, verb
from oxcli.render import changes, commits, listing
from oxcli.render.patch import image
from oxcli.render.text import Paint, human_size, iso_date, plural, show_path

if TYPE_CHECKING:
    from oxcore.api import Repo
    from oxcore.model.commits import Tag
    from oxcore.verbs.show import ShownCommit, ShownFile

_LISTED = 20  # changes that are shown without --stat


@verb(
    "ox show",
    "ox show v1.0 --stat",
    "ox show HEAD~2:labels.csv",
    "ox show HEAD:photos",
    "ox show --json main",
)
@argument("revision", default="HEAD", kind=REVISION)
@option("--stat", flag=True, help="List every change, not the first 20.")
@option("-s", "--no-changes", flag=True, help="Leave the changes out.")
@json_option
def command(
    session: Session, revision: str, *, stat: bool, no_changes: bool, as_json: bool
) -> None:
    """Show a commit, a tag, or a file or folder of a version (REVISION:PATH).

    Of a commit: who, when, why, and what changed against its first parent. Of a file: its
    text, or what is known of it if it is not text.
    """
    from oxcore.verbs.show import ShownCommit, ShownFile

    with session.open() as repo:
        found = repo.show(revision)
        if isinstance(found, ShownCommit):
            limit = None if stat else _LISTED
            if as_json:
                session.emit(_document(found, changed=not no_changes))
            else:
                lines = _commit(found, repo.branch_ref(), session.paint)
                session.lines(lines)
                if not no_changes:
                    session.echo()
                    session.lines(changes.listed(found.changes(), session.paint, limit))
        elif isinstance(found, ShownFile):
            _file(session, repo, revision, found, as_json=as_json)
        elif as_json:
            session.emit_list(listing.document(item) for item in found.items)
        else:
            session.lines(listing.line(item, item.path, session.paint) for item in found.items)


def _commit(found: ShownCommit, branch: str | None, paint: Paint) -> Iterator[str]:
    if found.tag is not None:
        yield from _tag(found.tag, paint)
    label = commits.labels(found.refs, branch, paint)
    yield from commits.header(found.id, found.commit, label, paint)
    yield f"Root:   {found.commit.tree.hex()}"
    yield f"Files:  {found.files:,}, {human_size(found.size)}"
    for key, value in found.commit.meta.items():
        yield f"Meta:   {commits.clean(key)} = {commits.clean(str(value))}"
    yield ""
    yield from commits.message(found.commit.message)


def _tag(tag: Tag, paint: Paint) -> Iterator[str]:
    yield paint(f"tag {tag.name}", "yellow")
    yield f"Tagger: {commits.clean(str(tag.tagger))}"
    yield f"Date:   {iso_date(tag.time)}"
    yield from ("", *commits.message(tag.message), "")


def _document(found: ShownCommit, *, changed: bool) -> dict[str, object]:
    record = {
        "kind": "commit",
        **commits.document(found.id, found.commit, found.refs),
        "files": found.files,
        "bytes": found.size,
    }
    if found.tag is not None:
        tag = found.tag
        record["tag"] = {
            "id": found.tag_id,
            "name": tag.name,
            "tagger": tag.tagger,
            "time": tag.time,
            "message": tag.message,
        }
    if changed:
        record["changes"] = [changes.document(change) for change in found.changes()]
    return record


def _file(session: Session, repo: Repo, revision: str, found: ShownFile, *, as_json: bool) -> None:
    if as_json:
        session.emit(
            {"path": found.path, **(changes.entry(found.entry) or {}), "image": found.image}
        )
    elif found.text:
        rev = revision[: revision.index(":", revision.rfind("}") + 1)] or ":"
        session.data(repo.cat(found.path, rev))
    else:
        size = f"{human_size(found.entry.size)} ({plural(found.entry.size, 'byte')})"
        session.lines([f"path   {show_path(found.path)}", f"id     {found.entry.id.hex()}"])
        session.echo(f"size   {size}")
        if found.image is not None:
            session.echo(f"image  {image(found.image)}")
