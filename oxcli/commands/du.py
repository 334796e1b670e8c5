"""``ox du``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from oxcli.context import Session
from oxcli.params import PATH, REVISION, Number, argument, json_option, option, verb
from oxcli.render import commits
from oxcli.render.json import path_fields
from oxcli.render.text import human_size, number, plural, short_id, show_path, table
from oxcli.targets import target
from oxcore.errors import UsageError

if TYPE_CHECKING:
    from oxcore.verbs.du import CommitUsage, FolderUsage
    from oxcore.verbs.upkeep.usage import Usage


@verb(
    "ox du",
    "ox du --depth 1",
    "ox du v1.0:photos --json",
    "ox du --history v1.0..v2.0",
    "ox du --all",
)
@argument("place", default=".", kind=PATH, metavar="[PATH | REV:PATH | RANGE]")
@option("--rev", kind=REVISION, help="The version; HEAD if none is named.")
@option("-d", "--depth", kind=Number(0), default=0, help="Folders so deep as well.")
@option("--history", "versions", flag=True, help="What each version of RANGE adds.")
@option("--all", "everything", flag=True, help="What each version of all refs adds.")
@json_option
def command(
    session: Session,
    place: str,
    *,
    rev: str | None,
    depth: int,
    versions: bool,
    everything: bool,
    as_json: bool,
) -> None:
    """Show what a version costs, and what was spared by storing equal content once.

    \b
    logical  the sizes of all files
    unique   those of distinct files
    chunked  the distinct chunks of these
    stored   these chunks as they lie in packs, compressed or as deltas

    A folder is measured as if it were alone: what two folders share counts in both. With
    --history or --all, a version counts what those before it do not have.
    """  # noqa: D301 -- click's mark for lines that are not joined
    with session.open() as repo:
        if versions or everything:
            if depth or rev is not None:
                raise UsageError("--history and --all go without --depth and --rev")
            texts = () if place == "." else (place,)
            rows = repo.du_history(*texts, everything=everything)
            _show_history(session, rows, as_json=as_json)
            return
        wanted = target(session, repo, place, rev)
        found = repo.du(wanted.path, wanted.rev, depth=depth)
        if as_json:
            session.emit([{**path_fields(one.path), **_sizes(one.usage)} for one in found])
        elif depth:
            session.lines(_folders(found))
        else:
            session.lines(_whole(found[0].usage))


def _whole(usage: Usage) -> Iterator[str]:
    rows = [
        ("logical", usage.logical, plural(usage.files, "file"), ""),
        ("unique", usage.unique, plural(usage.unique_files, "file"), _saved(usage.saved_by_files)),
        ("chunked", usage.chunked, plural(usage.chunks, "chunk"), _saved(usage.saved_by_chunks)),
        ("stored", usage.stored, "in packs", _saved(usage.saved_by_compression)),
    ]
    spared = ("", "equal files once", "equal chunks once", "compression")
    yield from table(
        [
            (name, human_size(size), of, f"{saved} saved: {why}" if saved else "")
            for (name, size, of, saved), why in zip(rows, spared, strict=True)
        ],
        "lrl",
    )
    if usage.manifests:
        yield f"{human_size(usage.manifests)} more for the lists of chunks of large files"
    if usage.missing:
        yield f"{plural(usage.missing, 'object')} missing here: not counted"


def _folders(found: Iterable[FolderUsage]) -> list[str]:
    rows: list[tuple[str, ...]] = [("files", "logical", "unique", "chunked", "stored", "path")]
    for path, usage in found:
        sizes = (usage.logical, usage.unique, usage.chunked, usage.stored)
        name = show_path(path) or "."
        rows.append((number(usage.files), *map(human_size, sizes), name))
    return table(rows, "rrrrrl")


def _show_history(session: Session, rows: Iterator[CommitUsage], *, as_json: bool) -> None:
    if as_json:
        session.emit_list(_version(row) for row in rows)
        return
    head = ("version", "files", "size", "new files", "new", "stored", "")
    session.lines(table([head, *map(_version_line, rows)], "lrrrrrl"))


def _version_line(row: CommitUsage) -> tuple[str, ...]:
    return (
        short_id(row.id),
        number(row.total[0]),
        human_size(row.total[1]),
        number(row.adds.unique_files),
        human_size(row.adds.unique),
        human_size(row.adds.stored),
        commits.clean(row.commit.title),
    )


def _version(row: CommitUsage) -> dict[str, object]:
    files, size = row.total
    return {
        "id": row.id,
        "time": row.commit.time,
        "message": row.commit.message,
        "files": files,
        "bytes": size,
        "adds": _sizes(row.adds),
    }


def _sizes(usage: Usage) -> dict[str, int]:
    return {
        "files": usage.files,
        "logical": usage.logical,
        "unique_files": usage.unique_files,
        "unique": usage.unique,
        "chunks": usage.chunks,
        "chunked": usage.chunked,
        "stored": usage.stored,
        "manifests": usage.manifests,
        "missing": usage.missing,
        "saved_by_files": usage.saved_by_files,
        "saved_by_chunks": usage.saved_by_chunks,
        "saved_by_compression": usage.saved_by_compression,
    }


def _saved(size: int) -> str:
    return human_size(size) if size > 0 else ""
