"""Which argument of a function is the input of the model, and which are its parameters."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping

from oxcore.errors import InvalidError

_PLAIN = (str, int, float, bool, list, dict, tuple, type(None))
_PLACED = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_UNKNOWN = (
    inspect.Parameter("args", inspect.Parameter.VAR_POSITIONAL),
    inspect.Parameter("options", inspect.Parameter.VAR_KEYWORD),
)


class Arguments:
    """Of ``function``; the input is its argument ``name``, or else its first but ``self``.

    Where a function takes any arguments, that is the first which it is called with. Raises
    ``InvalidError`` for a name that it does not take.
    """

    def __init__(self, function: Callable[..., object], name: str | None) -> None:
        listed = _parameters(function)
        placed = _names(listed, *_PLACED)
        self._skip = int(bool(placed) and placed[0] in ("self", "cls"))
        self._placed = placed[self._skip :]
        self._rest = next(iter(_names(listed, inspect.Parameter.VAR_POSITIONAL)), "")
        named = [*self._placed, *_names(listed, inspect.Parameter.KEYWORD_ONLY)]
        takes_any = bool(_names(listed, inspect.Parameter.VAR_KEYWORD))
        if name is not None and name not in named and not takes_any:
            raise InvalidError(f"the function has no argument {name!r}")
        first = "" if self._rest and not self._placed else next(iter(named), "")
        self._name = name or first
        self._default = next((one.default for one in listed if one.name == self._name), None)

    def take(
        self, args: tuple[object, ...], named: Mapping[str, object]
    ) -> tuple[object, dict[str, object]]:
        """The input, and the other arguments that are plain values."""
        told = args[self._skip :]
        by_name = {**dict(zip(self._placed, told, strict=False)), **named}
        rest = list(told[len(self._placed) :])
        if self._name:
            value = by_name.pop(self._name, self._default)
        elif rest:
            value = rest.pop(0)
        else:
            value = by_name.pop(next(iter(by_name), ""), None)
        params: dict[str, object] = {
            key: one for key, one in by_name.items() if isinstance(one, _PLAIN)
        }
        if plain := [one for one in rest if isinstance(one, _PLAIN)]:
            params[self._rest] = plain
        return None if value is inspect.Parameter.empty else value, params


def _names(listed: Iterable[inspect.Parameter], *kinds: object) -> list[str]:
    return [one.name for one in listed if one.kind in kinds]


def _parameters(function: Callable[..., object]) -> tuple[inspect.Parameter, ...]:
    """Those of the function; any at all, where it does not tell."""
    try:
        return tuple(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return _UNKNOWN
