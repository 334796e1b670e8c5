"""The frame of all pages, and small helpers. Text goes through ``text``, always."""

from __future__ import annotations

import html
from collections.abc import Iterable
from urllib.parse import quote, urlencode

from oxcore.hub.http import Answer

_STYLE = """
:root{color-scheme:light dark;--line:#8883;--soft:#8881;--link:#06c;--dim:#777}
@media(prefers-color-scheme:dark){:root{--link:#6af;--dim:#999}}
*{box-sizing:border-box}
body{font:15px/1.5 system-ui,sans-serif;max-width:62rem;margin:0 auto;padding:1.5rem 1rem 4rem}
a{color:var(--link);text-decoration:none}a:hover{text-decoration:underline}
h1{font-size:1.4rem;margin:.2rem 0 1rem}h2{font-size:1rem;margin:2rem 0 .4rem}
table{border-collapse:collapse;width:100%}
td{padding:.35rem .6rem;border-top:1px solid var(--line);vertical-align:top}
tr:last-child td{border-bottom:1px solid var(--line)}tr:hover td{background:var(--soft)}
td.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
.dim,td.n{color:var(--dim)}code,.id{font:13px ui-monospace,monospace}
nav{margin-bottom:1rem}.pill{display:inline-block;border:1px solid var(--line);border-radius:1rem;
padding:0 .7rem;margin:0 .3rem .3rem 0}.on{background:var(--soft);font-weight:600}
pre{background:var(--soft);padding:.7rem 1rem;overflow:auto;border-radius:.4rem}
"""


def text(value: object) -> str:
    """Text as HTML."""
    return html.escape(str(value), quote=True)


def link(target: str, shown: object) -> str:
    """A link; ``target`` is a path that is percent-encoded already."""
    return f'<a href="{text(target)}">{text(shown)}</a>'


def href(*steps: str | bytes, **query: str | bytes) -> str:
    """The path of these parts, encoded, with a query."""
    path = "/" + "/".join(quote(step, safe="") for step in steps)
    return f"{path}?{urlencode(query)}" if query else path


def table(rows: Iterable[Iterable[str]], numbers: Iterable[int] = ()) -> str:
    """A table of cells that are HTML already; columns in ``numbers`` are right-aligned."""
    right = set(numbers)
    lines = (
        "<tr>"
        + "".join(
            f"<td{' class=n' if at in right else ''}>{cell}</td>" for at, cell in enumerate(row)
        )
        + "</tr>"
        for row in rows
    )
    return f"<table>{''.join(lines)}</table>"


def size(count: int) -> str:
    """Bytes for people, in powers of 1024."""
    value = float(count)
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if value < 1024 or unit == "TiB":
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return ""


def page(title: str, body: str, status: int = 200) -> Answer:
    """A whole page; ``body`` is HTML already."""
    whole = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{text(title)}</title><style>{_STYLE}</style></head><body>{body}</body></html>\n"
    )
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; frame-ancestors 'none'"
    return Answer(
        status,
        whole.encode("utf-8", "replace"),
        "text/html; charset=utf-8",
        [("content-security-policy", policy), ("referrer-policy", "same-origin")],
    )
