"""Take revision names apart: ``NAME@{..}~2^1:path`` and ranges of them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta, timezone
from typing import NamedTuple

from oxcore.errors import InvalidError
from oxcore.history.names import Range
from oxcore.model.entries import path_bytes

_BASE = re.compile(r"(?:[^~^:@]|@(?!\{))*")
_SELECTOR = re.compile(r"@\{([^}]*)\}")
_STEP = re.compile(r"~(\d*)|\^(\d+)|\^\{([^}]*)\}|(\^)")
_DIGITS = 6  # more generations than any history has


class Step(NamedTuple):
    """``~``: ``number`` first parents up; ``^``: the ``number``-th parent; ``peel``: the commit."""

    kind: str
    number: int


class Parsed(NamedTuple):
    """A name, what stood in ``@{}`` (None without), the steps after it, and the path."""

    base: str
    selector: str | None
    steps: tuple[Step, ...]
    path: bytes | None


def parse(text: str) -> Parsed:
    """Take one revision apart; ``InvalidError`` where it follows no rule."""
    body, path = _split_path(text)
    if not body:
        raise _error(text, "there is no revision in it")
    if ".." in _plain(body):
        raise _error(text, "it is a range, and one revision is asked for")
    base = _BASE.match(body)
    end = base.end() if base else 0
    selector = _SELECTOR.match(body, end)
    steps, at = [], selector.end() if selector else end
    while at < len(body):
        match = _STEP.match(body, at)
        if match is None:
            raise _error(text, f"{body[at:]!r} is no way on from a commit")
        steps.append(_step(text, match))
        at = match.end()
    return Parsed(body[:end], selector[1] if selector else None, tuple(steps), path)


def parse_range(text: str) -> Range:
    """``A..B``, ``A...B``, ``^A`` or a single revision; a side left out is ``HEAD``.

    A path after a colon may hold dots: only what stands before it is looked at.
    """
    body, path = _split_path(text)
    plain = _plain(body)
    at = plain.find("..")
    if at < 0:
        return (
            Range((), (body[1:],)) if body.startswith("^") and path is None else Range((text,), ())
        )
    if path is not None:
        raise _error(text, "a range has no path; give the path by itself")
    dots = 3 if plain.startswith("...", at) else 2
    left, right = body[:at] or "HEAD", body[at + dots :] or "HEAD"
    if ".." in _plain(right) or right.startswith("."):
        raise _error(text, "a range has two ends")
    return Range((left, right), (), symmetric=True) if dots == 3 else Range((right,), (left,))


def parse_time(text: str, zone: int = 0) -> int:
    """The microseconds of an ISO 8601 date or time; ``InvalidError`` for anything else.

    ``zone``: minutes east of UTC where the text has none. A date alone is the end of that day.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidError(
            f"not a number, a date or a time: {text!r}",
            hint="write 3, 2026-11-20 or 2026-11-20T18:30",
        ) from error
    if re.fullmatch(r"[\d-]{8,10}", text):
        moment = datetime.combine(moment, time.max)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone(timedelta(minutes=zone)))
    return (moment - datetime.fromtimestamp(0, UTC)) // timedelta(microseconds=1)


def _split_path(text: str) -> tuple[str, bytes | None]:
    at = _plain(text).find(":")
    return (text, None) if at < 0 else (text[:at], path_bytes(text[at + 1 :]))


def _plain(text: str) -> str:
    """The text with what is within braces blanked out, so that times do not look like paths."""
    return re.sub(r"(?<=[@^])\{[^}]*\}", lambda match: " " * len(match[0]), text)


def _step(text: str, match: re.Match[str]) -> Step:
    tilde, caret, braces, _ = match.groups()
    if braces is not None:
        if braces not in {"", "commit"}:
            raise _error(text, f"'^{{{braces}}}' is not known; there are ^{{}} and ^{{commit}}")
        return Step("peel", 0)
    number = tilde if tilde is not None else caret
    if number and len(number) > _DIGITS:
        raise _error(text, f"{number} is too large")
    return Step("^" if tilde is None else "~", int(number or 1))


def _error(text: str, why: str) -> InvalidError:
    return InvalidError(
        f"not a revision: {text!r}: {why}",
        hint="as in: main, 3f2a9c81, HEAD~2, main@{1}, v1^2, REV:path, A..B",
    )
