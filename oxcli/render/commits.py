"""Commits for people and for programs."""

from __future__ import annotations

from collections.abc import Sequence

from oxcli.render.text import Paint, iso_date, short_id
from oxcore.model.commits import Commit

_PLACES = {
    "refs/heads/": ("", "green"),
    "refs/tags/": ("tag: ", "yellow"),
    "refs/remotes/": ("", "red"),
}


def labels(refs: Sequence[str], branch: str | None, paint: Paint) -> str:
    """`` (HEAD -> main, tag: v1)`` with a space before it, or nothing.

    ``refs`` are full names, ``HEAD`` first; ``branch`` is the full name of what HEAD is on.
    """
    words = []
    names = list(refs)
    if names[:1] == ["HEAD"]:
        on = branch in names
        head = f"HEAD -> {_short(branch)}" if branch and on else "HEAD"
        words.append(paint(head, "cyan", "bold"))
        names = [name for name in names[1:] if name != branch]
    words += [_label(name, paint) for name in names]
    return f" ({', '.join(words)})" if words else ""


def oneline(oid: bytes, commit: Commit, label: str, paint: Paint) -> str:
    """``a1b2c3d4e5 (main) the title``."""
    return f"{paint(short_id(oid), 'yellow')}{label} {clean(commit.title)}"


def header(oid: bytes, commit: Commit, label: str, paint: Paint) -> list[str]:
    """The lines before a commit's message, as git has them."""
    lines = [f"{paint(f'commit {oid.hex()}', 'yellow')}{label}"]
    if len(commit.parents) > 1:
        lines.append(f"Merge: {' '.join(map(short_id, commit.parents))}")
    lines.append(f"Author: {clean(str(commit.author))}")
    lines.append(f"Date:   {iso_date(commit.time)}")
    return lines


def message(text: str) -> list[str]:
    """The lines of a message, indented."""
    return [f"    {clean(one)}".rstrip() for one in text.rstrip("\n").split("\n")]


def document(oid: bytes, commit: Commit, refs: Sequence[str]) -> dict[str, object]:
    """A commit as a JSON object."""
    return {
        "id": oid,
        "root": commit.tree,
        "parents": commit.parents,
        "author": commit.author,
        "time": commit.time,
        "message": commit.message,
        "meta": commit.meta,
        "refs": list(refs),
    }


def clean(text: str) -> str:
    """Text of somebody else, without what would steer a terminal."""
    return "".join(char if char.isprintable() or char == "\t" else "?" for char in text)


def _label(name: str, paint: Paint) -> str:
    for place, (before, colour) in _PLACES.items():
        if name.startswith(place):
            return paint(before + name[len(place) :], colour, "bold")
    return name


def _short(ref: str) -> str:
    return ref.removeprefix("refs/heads/")
