"""One captured record on the terminal."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from oxcli.render.text import Paint, human_size

if TYPE_CHECKING:
    from oxcore.insight.single import Single

_APART = ("record_id", "input", "tags")  # fields that are told otherwise


def lines(found: Single, version: str, start: bytes, paint: Paint) -> Iterator[str]:
    """Fields, what is known by now, feedback, and the input: ``start`` are its first bytes."""
    yield paint(f"record {found.fields['record_id']}", "bold")
    fields = {**found.fields, "ts_start": _time(found.fields["ts_start"])}
    rows = [(name, value) for name, value in fields.items() if name not in _APART]
    rows += [(name, found.now.get(name)) for name in ("prediction", "truth", "correct", "tags")]
    rows += [("votes", _votes(found.now))]
    shown = [(name, _text(value)) for name, value in rows if value not in (None, [], {})]
    wide = max(len(name) for name, _ in shown)
    yield from (f"{name:{wide}}  {text}" for name, text in shown)
    if found.events:
        yield ""
        yield paint("feedback", "bold")
        yield from map(_event, found.events)
    yield ""
    yield from _input(found, version, start, paint)


def _votes(now: dict[str, Any]) -> str | None:
    up, down = now.get("up"), now.get("down")
    return f"{up} up, {down} down" if up or down else None


def _event(event: dict[str, Any]) -> str:
    who = _one_line(" ".join(filter(None, (event["source"], event["author"]))))
    by = f" ({who})" if who else ""
    return f"{_time(event['ts'])}  {_one_line(event['kind'])}: {_text(event['value'])}{by}"


def _time(us: int) -> str:
    return f"{datetime.fromtimestamp(us / 1e6, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _input(found: Single, version: str, start: bytes, paint: Paint) -> Iterator[str]:
    source = found.fields["input"]
    if found.input_path is None or source is None:
        yield "no input was kept"
        return
    kind = source.get("mime") or "bytes"
    size = source.get("size") or 0
    yield f"{paint('input', 'bold')}  {version}:{found.input_path} ({kind}, {human_size(size)})"
    text = _readable(start, whole=len(start) >= size)
    if text is not None:
        yield from (_one_line(line) for line in text.splitlines())
        if len(start) < size:
            yield "..."


def _readable(data: bytes, *, whole: bool) -> str | None:
    """The text that the bytes are, which may end within a character; None where they are none."""
    try:
        return codecs.getincrementaldecoder("utf-8")().decode(data, final=whole)
    except UnicodeDecodeError:
        return None


def _text(value: object) -> str:
    if isinstance(value, str):
        return _one_line(value)
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return _one_line(", ".join(value))
    if isinstance(value, dict):
        value = {name: one for name, one in value.items() if one is not None}
    return json.dumps(value, ensure_ascii=False)


def _one_line(text: str) -> str:
    """Text without what a terminal would obey."""
    return "".join(char if char.isprintable() or char == "\t" else _code(char) for char in text)


def _code(char: str) -> str:
    return "\\n" if char == "\n" else f"\\x{ord(char):02x}"
