"""What is told of a record beside its input and output."""

from __future__ import annotations

from collections.abc import Mapping

from oxcore.errors import InvalidError

FIELDS = frozenset(
    {"ts_start", "latency_ms", "status", "error", "model", "params", "scores", "confidence"}
    | {"session_id", "group_key", "tags", "origin", "licence", "mime"}
)
"""The names that ``save`` takes; every other one goes into ``params``."""

STATUSES = ("ok", "error")
_NUMBERS = ("latency_ms", "confidence")
_LAST = 253_402_300_800  # seconds until the year 10000


def sorted_out(more: Mapping[str, object]) -> tuple[dict[str, object], list[InvalidError]]:
    """The fields of a record out of keywords, and what is wrong with those that are left out."""
    problems: list[InvalidError] = []
    told = {name: more[name] for name in more if name in FIELDS and more[name] is not None}
    other = {name: more[name] for name in more if name not in FIELDS}
    if other:
        params = told.get("params", {})
        told["params"] = {**params, **other} if isinstance(params, dict) else other
    if "model" in told:
        try:
            told["model"] = model_of(told["model"])
        except InvalidError as error:
            problems.append(error)
            del told["model"]
    if "tags" in told:
        tags = told["tags"]
        told["tags"] = list(tags) if isinstance(tags, list | tuple | set) else [tags]
    if "error" in told:
        told["error"] = error_text(told["error"])
        told.setdefault("status", "error")
    problems += _numbers(told)
    if told.get("status", "ok") not in STATUSES:
        problems.append(InvalidError(f"a status is 'ok' or 'error', not {told.pop('status')!r}"))
    return told, problems


def _numbers(told: dict[str, object]) -> list[InvalidError]:
    """What is wrong with fields that ought to be numbers, which are taken out; times as such."""
    wrong = [name for name in _NUMBERS if name in told and number(told[name]) is None]
    problems = [InvalidError(f"{name} is a number, not {told.pop(name)!r}") for name in wrong]
    if "ts_start" in told:
        try:
            told["ts_start"] = time_of(told["ts_start"])
        except InvalidError as error:
            problems.append(error)
            del told["ts_start"]
    return problems


def time_of(start: object) -> int:
    """Microseconds since the epoch of a time in seconds, or of a ``datetime``."""
    stamp = getattr(start, "timestamp", None)
    try:
        seconds = number(stamp() if callable(stamp) else start)
    except (TypeError, ValueError, OverflowError, OSError):
        seconds = None
    if seconds is None or not 0 <= seconds < _LAST:
        raise InvalidError(f"ts_start is no time in seconds since 1970: {start!r}")
    return int(seconds * 1e6)


def model_of(model: object) -> dict[str, str]:
    """``name@version``, or a mapping of name, version and weights_hash, as the latter."""
    if isinstance(model, str):
        name, _, version = model.partition("@")
        return {"name": name, "version": version} if version else {"name": name}
    if isinstance(model, Mapping) and set(model) <= {"name", "version", "weights_hash"}:
        return {key: str(value) for key, value in model.items() if value is not None}
    raise InvalidError(
        f"not a model: {model!r}", hint="'name@version', or a dict of name, version, weights_hash"
    )


def error_text(error: object) -> str:
    """An exception, or text, as text."""
    if isinstance(error, BaseException):
        return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return str(error)


def number(value: object) -> float | None:
    """A number as a float, None for what is none."""
    if isinstance(value, float | int) and not isinstance(value, bool):
        return float(value)
    item = getattr(value, "item", None)  # of an array or tensor with one value
    if callable(item):
        try:
            return number(item())
        except (TypeError, ValueError, RuntimeError):
            return None
    return None


def confidence_of(told: Mapping[str, object], output: object) -> float | None:
    """How sure the model was: as told, or as the output says: ``confidence``, ``score`` or
    ``probability`` of it, else the largest of the scores."""
    given = number(told.get("confidence"))
    if given is not None:
        return given
    if isinstance(output, Mapping):
        for name in ("confidence", "score", "probability"):
            found = number(output.get(name))
            if found is not None:
                return found
    scores = scores_of(told, output)
    return max(scores.values()) if scores else None


def scores_of(told: Mapping[str, object], output: object) -> dict[str, float]:
    """The scores by name (or number, for a list): as told, or as the output has them under
    ``scores``, ``probabilities`` or ``probs``."""
    given = told.get("scores")
    if given is None and isinstance(output, Mapping):
        names = ("scores", "probabilities", "probs")
        given = next((output[name] for name in names if name in output), None)
    tolist = getattr(given, "tolist", None)
    if callable(tolist):
        given = tolist()
    if isinstance(given, list | tuple):
        given = {str(place): value for place, value in enumerate(given)}
    if not isinstance(given, Mapping):
        return {}
    pairs = ((str(name), number(value)) for name, value in given.items())
    return {name: value for name, value in pairs if value is not None}
