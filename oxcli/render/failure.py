"""Errors and counters, on stderr, as text or as JSON."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable

from oxcli.render import json
from oxcli.render.text import clean
from oxcore.errors import OxError
from oxcore.model.counters import Counters

Show = Callable[[bytes], str]
"""How a path of the dataset is written."""

SHOWN = 20  # items of an error; the rest is counted


class Internal(OxError):
    """A fault of ours: an exception that nothing foresaw."""

    kind = "internal"

    def __init__(self, error: BaseException) -> None:
        super().__init__(
            f"internal error: {type(error).__name__}: {error}",
            hint="run with --debug (ox --debug VERB ...) and report what it prints",
        )


def report(error: OxError, cause: BaseException, show: Show, *, debug: bool) -> None:
    """Print ``error`` for people; with ``debug`` the traceback of ``cause`` before it."""
    _print_cause(cause, debug=debug)
    sys.stderr.write(as_text(error, show))


def report_json(error: OxError, cause: BaseException, *, debug: bool) -> None:
    """Print ``error`` for programs; with ``debug`` the traceback of ``cause`` before it."""
    _print_cause(cause, debug=debug)
    json.write(sys.stderr, {"error": as_dict(error)})


def _print_cause(cause: BaseException, *, debug: bool) -> None:
    if debug:
        import traceback  # slow to load, and seldom needed

        traceback.print_exception(cause)


def as_text(error: OxError, show: Show) -> str:
    """The lines for people: message, items (paths as ``show`` writes them), hint."""
    lines = [f"error: {error.message}"]
    items = list(map(show, error.paths[:SHOWN])) or error.items[:SHOWN]
    lines += [f"  {item}" for item in items]
    if len(error.items) > SHOWN:
        lines.append(f"  ... and {len(error.items) - SHOWN:,} more")
    if error.hint:
        lines.append(f"hint: {error.hint}")
    whole = "\n".join(lines).split("\n")  # a message has lines; what strangers wrote is in it
    return "".join(f"{clean(line)}\n" for line in whole)


def as_dict(error: OxError) -> dict[str, object]:
    """The object for programs: all items, none left out."""
    return {
        "kind": error.kind,
        "message": error.message,
        "hint": error.hint,
        "items": list(error.items),
    }


def counters(all_counters: Iterable[Counters], *, as_json: bool) -> None:
    """Print the sums of all counters; people see those that are not zero."""
    total: Counter[str] = Counter()
    for one in all_counters:
        total.update(one.as_dict())
    if as_json:
        json.write(sys.stderr, {"stats": dict(total)})
    else:
        counted = [
            f"  {name.replace('_', ' '):<18}{count:>15,}" for name, count in total.items() if count
        ]
        sys.stderr.write("".join(f"{line}\n" for line in ["stats:", *counted]))
