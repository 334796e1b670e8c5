"""Named slices: which records belong, said in a file of the repository.

A slice is ``slices/NAME.yaml``. It holds one condition or several, all of which must hold::

    about: pictures taken at night
    where: hour(ts) < 6 and confidence < 0.7     # SQL over the columns of examples
    tag: night                                   # or a list: any of them
    records: [0199..., 0199...]                  # ids
    model: resnet@3f2c                           # or a list
    all: [dark, {tag: blurred}]                  # slices by name, or conditions
    any: [dark, dusk]
    not: indoors

so that a slice is versioned, reviewed and merged as any file is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from oxcore.errors import InvalidError, NotFoundError
from oxcore.tables.engine import literal, quoted

FOLDER = b"slices"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_FIELDS = ("about", "where", "tag", "records", "model", "all", "any", "not")
_DEPTH = 20  # slices that name slices


@dataclass(frozen=True, slots=True)
class Slice:
    """``name``, what it is ``about``, and its ``conditions`` as the file has them."""

    name: str
    about: str
    conditions: Mapping[str, object]


Lookup = Callable[[str], Slice]


def check_name(name: str) -> str:
    """The name, if it may be one of a slice; ``InvalidError``."""
    if not _NAME.fullmatch(name) or name.endswith(".yaml"):
        raise InvalidError(
            f"{name!r} names no slice", hint="letters, digits, dot, dash and underscore"
        )
    return name


def path_of(name: str) -> bytes:
    """The file of a slice."""
    return FOLDER + b"/" + check_name(name).encode() + b".yaml"


def read_yaml(file: str, text: bytes) -> object:
    """What a YAML file says; ``InvalidError`` names ``file`` and the line where it is none."""
    import yaml

    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f", line {mark.line + 1}" if mark else ""
        why = getattr(error, "problem", None) or "not YAML"
        raise InvalidError(f"{file}{place}: {why}") from error


def parse(name: str, text: bytes) -> Slice:
    """A slice from its file; ``InvalidError`` names file and line of what is wrong."""
    file = path_of(name).decode()
    record = read_yaml(file, text)
    if not isinstance(record, dict):
        raise InvalidError(f"{file}: a slice has conditions, as in where: confidence < 0.5")
    about = str(record.pop("about", "") or "")
    _check(file, record)
    return Slice(name, about, record)


def dump(slice_: Slice) -> bytes:
    """The file of a slice."""
    import yaml

    record = {"about": slice_.about} if slice_.about else {}
    text: str = yaml.safe_dump(
        {**record, **slice_.conditions}, sort_keys=False, allow_unicode=True, width=100
    )
    return text.encode()


def condition(slice_: Slice, lookup: Lookup) -> str:
    """The slice as SQL over ``examples``; null, where a condition is null, is not in it.

    Raises ``NotFoundError`` for a slice that it names and ``lookup`` does not find,
    ``InvalidError`` for slices that name each other in a circle.
    """
    return _all_of(slice_.conditions, lookup, (slice_.name,))


def _all_of(conditions: Mapping[str, object], lookup: Lookup, above: tuple[str, ...]) -> str:
    parts = [_one(kind, value, lookup, above) for kind, value in conditions.items()]
    return " AND ".join(f"({part})" for part in parts) or "true"


def _one(kind: str, value: object, lookup: Lookup, above: tuple[str, ...]) -> str:
    if kind == "where":
        return f"(\n{value}\n)"
    if kind == "tag":
        return " OR ".join(f"list_contains(tags, {literal(one)})" for one in _texts(value))
    if kind in {"records", "model"}:
        column = quoted("record_id" if kind == "records" else "model")
        listed = ", ".join(map(literal, _texts(value)))
        return f"{column} IN ({listed})" if listed else "false"
    inner = [_part(one, lookup, above) for one in _listed(value)]
    if kind == "not":
        return " AND ".join(f"NOT coalesce(({one}), false)" for one in inner)
    return (" AND " if kind == "all" else " OR ").join(f"({one})" for one in inner) or "true"


def _part(value: object, lookup: Lookup, above: tuple[str, ...]) -> str:
    if isinstance(value, dict):
        return _all_of(value, lookup, above)
    name = str(value)
    if name in above or len(above) > _DEPTH:
        raise InvalidError(f"slices name each other in a circle: {' -> '.join((*above, name))}")
    found = lookup(name)
    return _all_of(found.conditions, lookup, (*above, name))


def _check(file: str, record: Mapping[object, object]) -> None:
    for kind, value in record.items():
        if kind not in _FIELDS:
            known = ", ".join(_FIELDS)
            raise InvalidError(f"{file}: {kind!r} is no condition", hint=f"there are: {known}")
        if value is None or (kind == "where" and not isinstance(value, str)):
            raise InvalidError(f"{file}: {kind} says nothing that can be checked")
        for one in _listed(value):
            if isinstance(one, dict):
                _check(file, one)


def _listed(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else [value]


def _texts(value: object) -> list[str]:
    return [str(one) for one in _listed(value)]


def missing(name: str, known: Sequence[str], rev: str = "") -> NotFoundError:
    """The error for a slice that is not there: in the version ``rev``, if that is named."""
    hint = f"there are: {', '.join(known)}" if known else "make one: ox slice add NAME --where SQL"
    if rev:
        hint += f"; they are looked for in {rev}, or in the version that --slices names"
    return NotFoundError(f"no slice is called {name!r}{f' in {rev}' if rev else ''}", hint=hint)
