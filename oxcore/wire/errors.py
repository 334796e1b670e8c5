"""Errors as they travel: a JSON object, and the HTTP status of each kind."""

from __future__ import annotations

from oxcore import errors
from oxcore.errors import OxError
from oxcore.model.commits import Json

STATUS: dict[str, int] = {
    "usage": 400,
    "invalid": 400,
    "format": 400,
    "denied": 403,
    "not-a-repo": 404,
    "not-found": 404,
    "ambiguous": 409,
    "exists": 409,
    "nothing-to-do": 409,
    "unsaved": 409,
    "conflict": 409,
    "rejected": 409,
    "schema": 409,
    "corrupt": 422,
    "missing": 422,
    "error": 500,
    "unreachable": 502,
    "busy": 503,
    "unstable": 503,
    "storage": 507,
}
"""Kind of error -> HTTP status."""

MAX_ITEMS = 1000
"""An error on the wire names at most so many items."""

_CLASSES: dict[str, type[OxError]] = {
    found.kind: found
    for found in vars(errors).values()
    if isinstance(found, type) and issubclass(found, OxError)
}


def status_of(error: OxError) -> int:
    """The HTTP status that an answer with ``error`` carries."""
    return STATUS.get(error.kind, 500)


def error_record(error: OxError) -> dict[str, Json]:
    """The JSON object that stands for ``error``."""
    return {
        "kind": error.kind,
        "message": _plain(error.message),
        "hint": _plain(error.hint),
        "items": [_plain(item) for item in error.items[:MAX_ITEMS]],
    }


def _plain(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


def error_from(record: dict[str, Json]) -> OxError:
    """The error that the JSON object of an answer tells; a kind that this release does not know
    becomes a plain ``OxError``."""
    kind, message, hint = (record.get(key) for key in ("kind", "message", "hint"))
    items = record.get("items")
    made = _CLASSES.get(kind if isinstance(kind, str) else "", OxError)
    return made(
        message if isinstance(message, str) and message else "the other side failed",
        hint=hint if isinstance(hint, str) else "",
        items=[str(item) for item in items] if isinstance(items, list) else (),
    )
