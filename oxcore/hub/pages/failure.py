"""An error as a page."""

from __future__ import annotations

import json

from oxcore.hub.http import Answer
from oxcore.hub.pages.html import link, page, text


def error_page(answer: Answer) -> Answer:
    """The page for an answer that carries an error; status and headers stay."""
    record = json.loads(answer.body)
    hint = f"<p class=dim>{text(record['hint'])}</p>" if record["hint"] else ""
    body = f"<nav>{link('/', 'hub')}</nav><h1>{text(record['message'])}</h1>{hint}"
    made = page(f"{answer.status}", body, answer.status)
    made.headers += answer.headers
    return made
