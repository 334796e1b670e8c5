"""Files and folders of a version for people and for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oxcli.render.changes import entry
from oxcli.render.json import path_fields
from oxcli.render.text import Paint, human_size, plural, show_path
from oxcore.model.entries import Mode

if TYPE_CHECKING:
    from oxcore.repo.files import Listed

_FOLDER = "040000"  # as git has it


def line(item: Listed, shown: bytes, paint: Paint) -> str:
    """``  1.2 KiB  a.txt``; of a folder also how many files are below it."""
    size = f"{human_size(item.size):>10}"
    if item.entry is not None:
        return f"{size}  {_name(item, shown, paint)}"
    return f"{size}  {_name(item, shown, paint)}  ({plural(item.files, 'file')})"


def long_line(item: Listed, shown: bytes, paint: Paint) -> str:
    """Mode, id, size in bytes and name, in columns that do not shift."""
    one = item.entry
    mode, oid = (_FOLDER, "-") if one is None else (Mode(one.mode).octal, one.id.hex())
    return f"{mode}  {oid:<64}  {item.size:>12}  {_name(item, shown, paint)}"


def document(item: Listed) -> dict[str, object]:
    """The JSON object: path, id, size, mode, kind; of a folder without id, with ``files``."""
    if item.entry is not None:
        return {**path_fields(item.path), **(entry(item.entry) or {})}
    facts = {"id": None, "size": item.size, "mode": _FOLDER, "kind": "folder"}
    return {**path_fields(item.path), **facts, "files": item.files}


def _name(item: Listed, shown: bytes, paint: Paint) -> str:
    name = show_path(shown)
    if item.entry is None:
        return paint(name, "blue", "bold")
    return paint(
        name, *{Mode.EXEC: ("green",), Mode.LINK: ("cyan",)}.get(Mode(item.entry.mode), ())
    )
