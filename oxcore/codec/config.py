"""Settings: lines of ``dotted.key = value``, in a file that people may edit.

Blank lines and lines that start with ``#`` are kept where they are. The last line for a key
wins. Keys are case-sensitive; values are the rest of the line without surrounding blanks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from oxcore.errors import InvalidError

_KEY = r"[A-Za-z][A-Za-z0-9-]*(\.[^\s=.][^\s=]*)*\.[A-Za-z][A-Za-z0-9-]*"


_MEND = "edit the file: correct that line, or delete it"


def check_key(key: str) -> None:
    """Raise ``InvalidError`` unless ``key`` is dotted: ``user.name``, ``remote.origin.url``."""
    if not re.fullmatch(_KEY, key):
        raise InvalidError(f"not a setting: {key!r}", hint="a setting is named as in user.name")


def decode(data: bytes, place: str) -> str:
    """The text of the file of settings at ``place``, all of whose lines ``parse`` takes.

    Raises ``InvalidError``, which names the file and the line that is not UTF-8, or no setting.
    """
    try:
        text = data.decode("utf-8")
        parse(text)
    except UnicodeDecodeError as error:
        number = data.count(b"\n", 0, error.start) + 1
        raise InvalidError(f"{place}: line {number} is not UTF-8 text", hint=_MEND) from error
    except InvalidError as error:
        raise InvalidError(f"{place}: {error.message}", hint=error.hint) from error
    return text


def parse(text: str) -> dict[str, str]:
    """The settings in ``text``; ``InvalidError`` names the line that is none."""
    settings: dict[str, str] = {}
    for number, line in enumerate(text.split("\n"), 1):
        stripped = line.strip()
        if stripped and not stripped.startswith("#"):
            key, equals, value = stripped.partition("=")
            if not equals:
                raise InvalidError(f"line {number} has no '=': {stripped!r}", hint=_MEND)
            settings[key.strip()] = value.strip()
    return settings


def edit(text: str, changes: Mapping[str, str | None]) -> str:
    """``text`` with these keys set, or removed where the value is None; comments stay."""
    for key, value in changes.items():
        check_key(key)
        if value is not None and any(mark in value for mark in "\n\r\0"):
            raise InvalidError(f"the value of {key} holds a line break")
    lines = text.removesuffix("\n").split("\n") if text else []
    kept = [line for line in lines if _key_of(line) not in changes]
    added = [f"{key} = {value}" for key, value in changes.items() if value is not None]
    return "".join(f"{line}\n" for line in kept + added)


def _key_of(line: str) -> str | None:
    stripped = line.strip()
    return None if stripped.startswith("#") else stripped.partition("=")[0].strip() or None
