"""``ox log``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, TypedDict, Unpack

from oxcli.context import Session
from oxcli.params import REVISION, Number, argument, json_option, option, verb
from oxcli.render import changes, commits
from oxcli.render.text import Paint
from oxcli.targets import split
from oxcore.errors import UsageError

_LISTED = 50  # changes of one commit that --stat shows

if TYPE_CHECKING:
    from oxcore.api import Repo
    from oxcore.history import Drawn
    from oxcore.verbs.log import Logged
    from oxcore.verbs.tabular.rowlog import RowLog


class Options(TypedDict):
    """The options of ``ox log``."""

    oneline: bool
    graph: bool
    limit: int | None
    stat: bool
    first_parent: bool
    author: str
    since: str | None
    until: str | None
    row: str | None
    as_json: bool


@verb(
    "ox log",
    "ox log --oneline --graph main origin/main",
    "ox log -n 5 --stat v1.0..HEAD",
    "ox log -- labels.csv photos/",
    "ox log --author ann --since 2026-01-01 --json",
    "ox log --row id=42 labels.csv",
    parted=True,
)
@argument("arguments", metavar="[REVISION]... [--] [PATH]...", many=True, kind=REVISION)
@option("--oneline", flag=True, help="One line a commit.")
@option("--graph", flag=True, help="Draw the lines of history.")
@option("-n", "--max-count", "limit", kind=Number(0), help="At most so many.")
@option("--stat", flag=True, help="The files that each commit changes.")
@option("--first-parent", flag=True, help="Follow the first parent of merges only.")
@option("--author", default="", metavar="TEXT", help="Whose name or address has TEXT.")
@option("--since", metavar="DATE", help="From this date or time on.")
@option("--until", metavar="DATE", help="Up to this date or time.")
@option("--row", metavar="KEY", help="Only what changed this row of a table: COLUMN=VALUE.")
@json_option
def command(session: Session, arguments: tuple[str, ...], **options: Unpack[Options]) -> None:
    """Show history, newest first.

    REVISION is a commit to start from, or a range: A..B shows what B has and A has not. With
    PATHs, only commits that change them. With --row, only those that add, change or remove the
    row with that key of the table PATH, and its cells before and after.
    """
    with session.open() as repo:
        revisions, paths = split(session, repo, arguments)
        if options["row"] is not None:
            _row(session, repo, revisions, paths, options["row"], options)
            return
        found = repo.log(
            *revisions,
            paths=paths,
            limit=options["limit"],
            first_parent=options["first_parent"],
            graph=options["graph"] and not options["as_json"],
            author=options["author"],
            since=options["since"],
            until=options["until"],
        )
        if options["as_json"]:
            session.emit_list(_document(repo, one, paths, options) for one in found)
        else:
            session.lines(_text(repo, found, paths, options, session.paint))


def _row(
    session: Session,
    repo: Repo,
    revisions: list[str],
    paths: list[bytes],
    row: str,
    options: Options,
) -> None:
    from oxcli.render import history  # loads Arrow: not for a plain log

    if len(paths) != 1 or options["graph"] or options["stat"]:
        what = "names one table" if len(paths) != 1 else "goes without --graph and --stat"
        raise UsageError(f"--row {what}", hint="ox log --row id=42 labels.csv")
    found = repo.row_log(
        paths[0],
        row,
        *revisions,
        limit=options["limit"],
        first_parent=options["first_parent"],
        author=options["author"],
        since=options["since"],
        until=options["until"],
    )
    if options["as_json"]:
        session.emit_list(
            commits.document(one.id, one.commit, one.refs) | {"row": history.change_document(one)}
            for one in found
        )
    else:
        session.lines(_rows(found, repo.branch_ref(), options, session.paint))
    for remark in found.remarks:
        session.warn(f"skipped: {remark}")


def _rows(found: RowLog, branch: str | None, options: Options, paint: Paint) -> Iterator[str]:
    from oxcli.render import history

    for count, one in enumerate(found):
        label = commits.labels(one.refs, branch, paint)
        if options["oneline"]:
            title = commits.oneline(one.id, one.commit, label, paint)
            yield f"{title} | {history.short_change(one, paint)}"
            continue
        if count:
            yield ""
        yield from commits.header(one.id, one.commit, label, paint)
        yield from ("", *commits.message(one.commit.message), "", *history.change(one, paint))


def _document(repo: Repo, one: Logged, paths: list[bytes], options: Options) -> dict[str, object]:
    record = commits.document(one.id, one.commit, one.refs)
    if options["stat"]:
        listed = repo.changes(one.id.hex(), paths)
        record["changes"] = [changes.document(change) for change in listed]
    return record


def _text(
    repo: Repo, found: Iterator[Logged], paths: list[bytes], options: Options, paint: Paint
) -> Iterator[str]:
    branch = repo.branch_ref()
    for count, one in enumerate(found):
        label = commits.labels(one.refs, branch, paint)
        if options["oneline"]:
            lines = [commits.oneline(one.id, one.commit, label, paint)]
        else:
            lines = commits.header(one.id, one.commit, label, paint)
            lines += ["", *commits.message(one.commit.message)]
        if options["stat"]:
            lines += _stat(repo, one, paths, options, paint)
        if one.drawn is not None:
            yield from _drawn(lines, one.drawn, spaced=not options["oneline"])
            continue
        if count and not options["oneline"]:
            yield ""
        yield from lines


def _drawn(lines: list[str], drawn: Drawn, *, spaced: bool) -> Iterator[str]:
    """The lines of a commit, and of the graph to their left."""
    yield drawn.mark + lines[0]
    for line in [*lines[1:], ""] if spaced else lines[1:]:
        yield (drawn.pad + line).rstrip()
    yield from drawn.after


def _stat(repo: Repo, one: Logged, paths: list[bytes], options: Options, paint: Paint) -> list[str]:
    found = list(changes.listed(repo.changes(one.id.hex(), paths), paint, _LISTED))
    return [*([] if options["oneline"] else [""]), *(f"  {line}" for line in found)]
