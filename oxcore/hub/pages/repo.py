"""The page of one repository: branches, last commits, and the files of a folder."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from oxcore import tree
from oxcore.errors import NotFoundError
from oxcore.history import walk
from oxcore.hub.context import Context, find_commit, named
from oxcore.hub.http import Answer, Request
from oxcore.hub.pages.html import href, link, page, size, table, text
from oxcore.model.entries import path_bytes, show_path
from oxcore.refs.names import HEADS, TAGS
from oxcore.repo import Repository
from oxcore.wire.routes import RepoName

_COMMITS = 10
_ITEMS = 1000
_PILLS = 50


def repo_page(context: Context, request: Request) -> Answer:
    """``/NS/NAME?rev=REV&path=FOLDER``."""
    name = named(request, 0)
    request.caller.require(name.namespace, write=False)
    revision = request.query.get("rev", "HEAD")
    folder = path_bytes(request.query.get("path", "")).strip(b"/")
    with context.shelf.use(name) as repo:
        parts = [f"<nav>{link('/', 'hub')}</nav><h1>{text(name)}</h1>", _refs(repo, name, revision)]
        if revision == "HEAD" and repo.view().head()[1] is None:
            parts.append("<p class=dim>Nothing has been pushed to this branch yet.</p>")
        else:
            commit = find_commit(repo, revision)
            parts += [_files(repo, name, revision, commit, folder), _commits(repo, name, commit)]
    return page(str(name), "".join(parts))


def _refs(repo: Repository, name: RepoName, revision: str) -> str:
    view = repo.view()
    head = view.head()[0] or ""
    shown = head.removeprefix(HEADS) if revision == "HEAD" else revision
    pills = [
        f'<span class="pill{" on" if short == shown else ""}">'
        f"{link(href(*name, rev=short), short)}</span>"
        for prefix in (HEADS, TAGS)
        for short in islice((ref.removeprefix(prefix) for ref in view.refs(prefix)), _PILLS)
    ]
    return "".join(pills)


def _files(repo: Repository, name: RepoName, revision: str, commit: bytes, folder: bytes) -> str:
    root = repo.commit(commit).tree
    if folder and not tree.exists_folder(repo.store, root, folder):
        raise NotFoundError(f"no folder {show_path(folder)!r} in {revision}")
    files, total = tree.summary(repo.store, root, folder + b"/" if folder else b"")
    crumbs = " / ".join(_crumbs(name, revision, folder))
    head = f"<h2>{crumbs} <span class=dim>{files:,} files, {size(total)}</span></h2>"
    items = list(islice(tree.listing(repo.store, root, folder), _ITEMS + 1))
    rows = [_row(name, revision, folder, item) for item in items[:_ITEMS]]
    more = "<p class=dim>and more</p>" if len(items) > _ITEMS else ""
    return head + table(rows, (1, 2)) + more


def _row(name: RepoName, revision: str, folder: bytes, item: tree.Item) -> list[str]:
    path = folder + b"/" + item.name if folder else item.name
    shown = show_path(item.name)
    if item.entry is None:
        target = href(*name, rev=revision, path=path)
        return [link(target, f"{shown}/"), text(f"{item.files:,} files"), text(size(item.size))]
    target = href(*name, "raw", revision) + href(*path.split(b"/"))
    return [link(target, shown), text(item.entry.id.hex()[:12]), text(size(item.size))]


def _crumbs(name: RepoName, revision: str, folder: bytes) -> Iterator[str]:
    yield link(href(*name, rev=revision), name.name)
    steps = folder.split(b"/") if folder else []
    for end, step in enumerate(steps, 1):
        yield link(href(*name, rev=revision, path=b"/".join(steps[:end])), show_path(step))


def _commits(repo: Repository, name: RepoName, commit: bytes) -> str:
    rows = [
        [
            f"<span class=id>{link(href(*name, rev=oid.hex()), oid.hex()[:12])}</span>",
            text(found.title),
            text(found.author.name or found.author.email),
            text(found.time.iso()[:16].replace("T", " ")),
        ]
        for oid, found in islice(walk(repo.history(), [commit]), _COMMITS)
    ]
    return f"<h2>Commits</h2>{table(rows, (3,))}"
