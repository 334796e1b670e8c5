"""The state at one moment, as an immutable map from text to text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from oxcore.errors import InvalidError
from oxcore.refs.names import check_ref_name

SYMBOLIC = "ref:"

_ID = r"[0-9a-f]{64}"
_PLAIN_KEY = r"[a-z][a-z0-9-]*"

Change = tuple[str | None, str | None]


class View(Mapping[str, str]):
    """What every key held after operation ``number``; never changes."""

    __slots__ = ("_values", "number")

    def __init__(self, values: Mapping[str, str], number: int) -> None:
        self._values = dict(values)
        self.number = number

    def __getitem__(self, key: str) -> str:
        return self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"View({self._values!r}, number={self.number})"

    def head(self) -> tuple[str | None, str | None]:
        """The ref that HEAD names (None when detached) and the commit in hex (None before the
        first commit)."""
        value = self._values.get("HEAD")
        if value is None or not value.startswith(SYMBOLIC):
            return None, value
        ref = value[len(SYMBOLIC) :]
        return ref, self._values.get(ref)

    def refs(self, prefix: str = "refs/") -> dict[str, str]:
        """Full name -> 64 hex digits of every ref that starts with ``prefix``, sorted."""
        return {
            key: self._values[key]
            for key in sorted(self._values)
            if key.startswith(prefix) and key.startswith("refs/")
        }


def after(values: dict[str, str], changes: Mapping[str, Change]) -> None:
    """Apply ``changes`` to ``values`` in place."""
    for key, (_, new) in changes.items():
        _set(values, key, new)


def before(values: dict[str, str], changes: Mapping[str, Change]) -> None:
    """Take ``changes`` back in ``values``, in place."""
    for key, (old, _) in changes.items():
        _set(values, key, old)


def check_change(key: str, new: str | None) -> None:
    """Raise ``InvalidError`` unless ``key`` may hold ``new``: see the table of the state in
    docs/architecture.md."""
    if key == "HEAD":
        ok = new is None or re.fullmatch(_ID, new) is not None or _is_symbolic(new)
    elif key.startswith("refs/"):
        if new is not None:
            check_ref_name(key)
        ok = new is None or re.fullmatch(_ID, new) is not None
    elif key == "stage":
        ok = new is None or re.fullmatch(_ID, new) is not None
    else:
        ok = re.fullmatch(_PLAIN_KEY, key) is not None
    if not ok:
        raise InvalidError(f"the state cannot hold {new!r} under {key!r}")


def _is_symbolic(value: str) -> bool:
    if not value.startswith(SYMBOLIC):
        return False
    check_ref_name(value[len(SYMBOLIC) :])
    return True


def _set(values: dict[str, str], key: str, value: str | None) -> None:
    if value is None:
        values.pop(key, None)
    else:
        values[key] = value
