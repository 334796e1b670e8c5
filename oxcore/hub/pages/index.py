"""The first page: the repositories that the caller may read."""

from __future__ import annotations

from oxcore.hub.context import Context
from oxcore.hub.http import Answer, Request
from oxcore.hub.pages.html import href, link, page, table, text


def index_page(context: Context, request: Request) -> Answer:
    """``/``: links to repositories; 401 where nobody is to see any without a token."""
    caller = request.caller
    if caller.scope == "none":
        caller.require("this hub", write=False)
    names = [name for name in context.shelf.names() if caller.may_read(name.namespace)]
    rows = [[link(href(name.namespace, name.name), name)] for name in names]
    listed = table(rows) if rows else "<p class=dim>No repositories yet. A push makes one.</p>"
    who = f"<p class=dim>signed in as {text(caller.user)} ({text(caller.scope)})</p>"
    return page("hub", f"<h1>Repositories</h1>{listed}{who if caller.user else ''}")
