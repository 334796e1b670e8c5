"""``ox branch``."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict, Unpack

from oxcli.context import Session
from oxcli.params import REVISION, argument, json_option, option, verb
from oxcli.render.text import fit, short_id, table
from oxcore.errors import UsageError

if TYPE_CHECKING:
    from oxcore.api import Repo
    from oxcore.verbs.branch import Branch, Which

_TITLE = 60  # characters of a commit's title in the list


class Options(TypedDict):
    """The options of ``ox branch``."""

    everything: bool
    remotes: bool
    move: bool
    delete: bool
    delete_hard: bool
    force: bool
    upstream: str | None
    unset: bool
    show: bool
    as_json: bool


@verb(
    "ox branch",
    "ox branch --all --json",
    "ox branch topic",
    "ox branch topic v1.2",
    "ox branch -m old new",
    "ox branch -d topic",
    "ox branch -u origin/main",
)
@argument("names", many=True, kind=REVISION)
@option("-a", "--all", "everything", flag=True, help="List remote branches too.")
@option("-r", "--remotes", flag=True, help="List (or with -d forget) remote branches.")
@option("-m", "--move", flag=True, help="Rename: [OLD] NEW.")
@option("-d", "--delete", flag=True, help="Delete branches that are merged.")
@option("-D", "delete_hard", flag=True, help="Delete branches, merged or not.")
@option("-f", "--force", flag=True, help="Move, replace or delete all the same.")
@option("-u", "--set-upstream-to", "upstream", help="Follow this branch.")
@option("--unset-upstream", "unset", flag=True, help="Follow no branch.")
@option("--show-current", "show", flag=True, help="Print the name of the present branch.")
@json_option
def command(session: Session, names: tuple[str, ...], **options: Unpack[Options]) -> None:
    """List, create, rename and delete branches.

    Without names: list them. With a name, and a revision to start from (HEAD if left out): make
    a branch there; ox switch goes to it.
    """
    delete = options["delete"] or options["delete_hard"]
    follow = options["upstream"] is not None or options["unset"]
    if sum((options["move"], delete, follow, options["show"])) > 1:
        raise UsageError("one thing at a time: rename, delete, or set what a branch follows")
    with session.open() as repo:
        if options["move"]:
            _rename(session, repo, names, force=options["force"])
        elif delete:
            hard = options["force"] or options["delete_hard"]
            _delete(session, repo, names, force=hard, remote=options["remotes"])
        elif follow:
            _follow(session, repo, names, options["upstream"])
        elif options["show"]:
            session.echo(_short(repo.branch_ref() or "//"))
        elif names:
            _create(session, repo, names, force=options["force"])
        else:
            which: Which = "remote" if options["remotes"] else "local"
            which = "all" if options["everything"] else which
            _list(session, repo, which, as_json=options["as_json"])


def _create(session: Session, repo: Repo, names: tuple[str, ...], *, force: bool) -> None:
    if len(names) > 2:
        raise UsageError("a branch takes a name and a revision to start from")
    made = repo.branch(*names, force=force)
    session.say(f"branch {made.name} at {short_id(made.commit)} {made.title}".rstrip())
    if made.upstream is not None:
        session.say(f"it follows {_short(made.upstream)}")


def _rename(session: Session, repo: Repo, names: tuple[str, ...], *, force: bool) -> None:
    if not 1 <= len(names) <= 2:
        raise UsageError("rename to what?", hint="ox branch -m [OLD] NEW")
    old = names[0] if len(names) == 2 else None
    before, after = repo.rename_branch(names[-1], old, force=force)
    session.say(f"renamed {before} to {after}")


def _delete(
    session: Session, repo: Repo, names: tuple[str, ...], *, force: bool, remote: bool
) -> None:
    if not names:
        raise UsageError("delete which branch?", hint="ox branch lists them")
    gone = repo.delete_branches(names, force=force, remote=remote)
    for one in gone.branches:
        session.say(f"deleted {one.name} (was {short_id(one.commit)} {one.title})")
    session.say(f"back with: ox undo {gone.operation}")


def _follow(session: Session, repo: Repo, names: tuple[str, ...], upstream: str | None) -> None:
    if len(names) > 1:
        raise UsageError("one branch at a time")
    made = repo.set_upstream(upstream, names[0] if names else None)
    followed = "no branch" if made.upstream is None else _short(made.upstream)
    session.say(f"{made.name} follows {followed}")


def _list(session: Session, repo: Repo, which: Which, *, as_json: bool) -> None:
    found = repo.branches(which)
    if as_json:
        session.emit([_document(one) for one in found])
        return
    rows = [_row(one) for one in found]
    if repo.branch_ref() is None and which != "remote":
        rows.insert(0, ("*", "(no branch)", short_id(repo.revision().id), "", ""))
    paint = session.paint
    for line in table(rows) if rows else []:
        session.echo(paint(line, "green") if line.startswith("*") else line)
    if not rows:
        remote = which == "remote"
        session.say(
            "no remote branch is known: ox fetch gets them"
            if remote
            else "no branch has a commit yet"
        )


def _row(one: Branch) -> tuple[str, str, str, str, str]:
    mark = "*" if one.current else ""
    shown = fit(one.title, _TITLE)
    return mark, _short(one.ref), short_id(one.commit), _against(one), shown


def _against(one: Branch) -> str:
    """``origin/main +1 -2``: ahead and behind of what it follows."""
    if one.upstream is None:
        return ""
    parts = [_short(one.upstream)]
    if one.gone:
        parts.append("gone")
    if one.ahead:
        parts.append(f"+{one.ahead:,}")
    if one.behind:
        parts.append(f"-{one.behind:,}")
    return f"[{' '.join(parts)}]"


def _document(one: Branch) -> dict[str, object]:
    return {
        "name": one.name,
        "ref": one.ref,
        "commit": one.commit,
        "title": one.title,
        "current": one.current,
        "remote": one.remote,
        "worktree": one.worktree,
        "upstream": None if one.upstream is None else _short(one.upstream),
        "gone": one.gone,
        "ahead": one.ahead,
        "behind": one.behind,
    }


def _short(ref: str) -> str:
    return ref.split("/", 2)[2]
