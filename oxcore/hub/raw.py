"""Files at a revision, over plain HTTP: for browsers, curl, and readers of parts of a file."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Iterator
from contextlib import ExitStack

from oxcore import tree
from oxcore.errors import InvalidError, NotFoundError
from oxcore.hub.context import Context, find_commit, named, opened
from oxcore.hub.http import Answer, Refusal, Request
from oxcore.model.entries import show_path
from oxcore.store import ContentFile

_PART = 1 << 20
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
# Nothing that a repository holds may run in the hub's name.
_GUARD = [
    ("content-security-policy", "sandbox; default-src 'none'"),
    ("cross-origin-resource-policy", "cross-origin"),
    ("accept-ranges", "bytes"),
]


def raw(context: Context, request: Request) -> Answer:
    """``/NS/NAME/raw/REV/PATH``: the file, or the range of it that is asked for."""
    name = named(request, 0)
    request.caller.require(name.namespace, write=False)
    path = b"/".join(request.steps[4:])
    with ExitStack() as stack:
        repo = opened(context, name, stack)
        commit = find_commit(repo, request.step(3))
        entry = tree.get(repo.store, repo.commit(commit).tree, path)
        if entry is None:
            raise NotFoundError(f"no file {show_path(path)!r} in {request.step(3)}")
        tag = f'"{entry.id.hex()}"'
        headers = [*_GUARD, ("etag", tag), ("x-ox-commit", commit.hex())]
        kind = media_type(path)
        if _matches(request.headers.get("if-none-match", ""), tag):
            return Answer(status=304, kind=kind, headers=headers)
        span = _span(request, tag, entry.size)
        if span is not None:
            headers.append(("content-range", f"bytes {span[0]}-{span[1] - 1}/{entry.size}"))
        start, stop = span or (0, entry.size)
        headers.append(("content-length", str(stop - start)))
        stream = _read(ContentFile(repo.store, entry.id, entry.size), start, stop)
        status = 200 if span is None else 206
        close = stack.pop_all().close
        return Answer(status, kind=kind, headers=headers, stream=stream, close=close)


def media_type(path: bytes) -> str:
    """The media type of a file, by its name; what could run in a browser is plain text."""
    kind = mimetypes.guess_type(show_path(path))[0] or "application/octet-stream"
    if kind.startswith(("image/", "audio/", "video/")) and kind != "image/svg+xml":
        return kind
    if kind.startswith("text/") or kind in ("application/json", "image/svg+xml"):
        return "text/plain; charset=utf-8"
    return "application/octet-stream"


def _matches(header: str, tag: str) -> bool:
    listed = [one.strip().removeprefix("W/") for one in header.split(",")]
    return tag in listed or "*" in listed


def _span(request: Request, tag: str, size: int) -> tuple[int, int] | None:
    """First byte and the one after the last that a ``Range`` asks for (RFC 9110, section 14), or
    None for the whole file."""
    match = _RANGE.fullmatch(request.headers.get("range", "").strip())
    condition = request.headers.get("if-range")
    if match is None or not any(match.groups()) or condition not in (None, tag):
        return None
    first, last = (int(text) if text else None for text in match.groups())
    if first is None:
        start, stop = max(0, size - (last or 0)), size
    else:
        start, stop = first, size if last is None else min(size, last + 1)
        if last is not None and last < first:
            return None
    if start >= stop:
        error = InvalidError(f"the file has {size} bytes: there is no such range")
        raise Refusal(416, error, [("content-range", f"bytes */{size}")])
    return start, stop


def _read(file: ContentFile, start: int, stop: int) -> Iterator[bytes]:
    with file:
        file.seek(start)
        parts: list[bytes] = []
        held = 0
        while start < stop:
            part = file.read(min(_PART, stop - start))
            if not part:
                return
            start += len(part)
            held += len(part)
            parts.append(part)
            if held >= _PART or start >= stop:
                yield b"".join(parts)
                parts, held = [], 0
