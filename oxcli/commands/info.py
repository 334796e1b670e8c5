"""``ox info``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from oxcli.context import Session
from oxcli.params import PATH, REVISION, argument, json_option, option, verb
from oxcli.render import changes, commits
from oxcli.render.patch import image as image_facts
from oxcli.render.text import human_size, iso_date, number, plural, short_id, show_path, table
from oxcli.targets import target

if TYPE_CHECKING:
    from oxcore.model.commits import Commit
    from oxcore.verbs.info import PathInfo, RepoInfo


@verb("ox info", "ox info photos/1.png", "ox info v1.0:photos --json")
@argument("place", required=False, kind=PATH, metavar="[PATH | REV:PATH]")
@option("--rev", kind=REVISION, help="The version; HEAD if none is named.")
@json_option
def command(session: Session, place: str | None, *, rev: str | None, as_json: bool) -> None:
    """Show facts: of the repository, or of a file or folder of a version."""
    with session.open() as repo:
        if place is None and rev is None:
            facts = repo.info()
            if as_json:
                session.emit(facts)
            else:
                session.lines(table(_repository(facts)))
            return
        wanted = target(session, repo, "." if place is None else place, rev)
        found = repo.path_info(wanted.path, wanted.rev)
        if as_json:
            session.emit(_document(found))
        else:
            session.lines(table(_path(found)))


def _repository(facts: RepoInfo) -> Iterator[tuple[str, str]]:
    yield "repository", facts.folder
    if facts.worktree is not None:
        yield "work tree", facts.worktree
    yield "format", str(facts.format)
    yield "chunks", ", ".join(f"{key} {value}" for key, value in sorted(facts.chunking.items()))
    head = short_id(facts.head) if facts.head else "no commit yet"
    yield "HEAD", f"{facts.branch or 'detached'} ({head})"
    yield "files", f"{number(facts.files)}, {human_size(facts.size)}"
    yield (
        "history",
        ", ".join(
            (
                plural(facts.commits, "commit"),
                plural(facts.branches, "branch", "branches"),
                plural(facts.tags, "tag"),
                plural(facts.operations, "operation"),
            )
        )
        + ("; shallow" if facts.shallow else ""),
    )
    yield "packs", f"{number(facts.packs)}, {human_size(facts.pack_bytes)}"
    for kind, sums in facts.objects.items():
        if sums.count:
            sizes = f"{human_size(sums.raw)}, stored in {human_size(sums.stored)}"
            yield f"{kind}s", f"{number(sums.count)}, {sizes}"


def _path(found: PathInfo) -> Iterator[tuple[str, str]]:
    one, usage = found.entry, found.usage
    yield "path", show_path(found.path) or "."
    if one is None:
        yield "kind", "folder"
        yield "files", f"{number(usage.files)}, {number(usage.unique_files)} distinct"
    else:
        facts = changes.entry(one) or {}
        yield "kind", f"{facts['kind']} ({facts['mode']})"
        yield "id", one.id.hex()
    yield "size", f"{human_size(usage.logical)} ({plural(usage.logical, 'byte')})"
    if found.image is not None:
        yield "image", image_facts(found.image)
    chunked = f"{plural(usage.chunks, 'chunk')}, {human_size(usage.chunked)}"
    yield "stored", f"{human_size(usage.stored)} ({chunked})"
    for name, row in (("first change", found.first), ("last change", found.last)):
        if row is not None:
            yield name, f"{short_id(row[0])} {iso_date(row[1].time)} {commits.clean(row[1].title)}"


def _document(found: PathInfo) -> dict[str, object]:
    facts = changes.entry(found.entry) or {"id": None, "kind": "folder"}
    return {
        "path": found.path,
        **facts,
        "usage": found.usage,
        "first": _commit(found.first),
        "last": _commit(found.last),
        "image": found.image,
    }


def _commit(row: tuple[bytes, Commit] | None) -> dict[str, object] | None:
    if row is None:
        return None
    oid, commit = row
    return {"id": oid, "author": commit.author, "time": commit.time, "message": commit.message}
