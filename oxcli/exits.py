"""Kind of error -> exit code. ``docs/errors.md`` says what each means and what to do."""

from __future__ import annotations

EXITS = {
    "nothing-to-do": 1,
    "usage": 2,
    "invalid": 3,
    "not-a-repo": 4,
    "not-found": 5,
    "ambiguous": 6,
    "exists": 7,
    "unsaved": 8,
    "conflict": 9,
    "busy": 10,
    "unstable": 11,
    "corrupt": 12,
    "missing": 13,
    "format": 14,
    "rejected": 15,
    "unreachable": 16,
    "denied": 17,
    "storage": 18,
    "schema": 19,
    "internal": 70,
}

INTERRUPTED = 130  # as a shell reports SIGINT
BROKEN_PIPE = 141  # as a shell reports SIGPIPE


def code_of(kind: str) -> int:
    """The exit code for errors of this kind; an unknown kind is a fault of ours."""
    return EXITS.get(kind, EXITS["internal"])
