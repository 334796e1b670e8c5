"""What a transfer did, as lines like git's and as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from oxcli.render.text import human_size, plural, short_id, table

if TYPE_CHECKING:
    from oxcore.transfer import FetchReport, PushReport
    from oxcore.verbs.fetch import Fetched, RefChange

_WORDS = {"refused": "[refused]", "deleted": "[deleted]"}
_MARKS = {"new": "*", "forced": "+", "deleted": "-", "refused": "!", "fast-forward": " "}
_REMARKS = {"forced": "(forced)", "refused": "(it is another one here)"}


def short_name(ref: str) -> str:
    """A ref without ``refs/heads/``, ``refs/tags/`` or ``refs/remotes/``."""
    return ref.split("/", 2)[2] if ref.startswith("refs/") else ref


def change_lines(changes: Iterable[RefChange]) -> list[str]:
    """One line a ref: ``* [new branch]  main -> origin/main``."""
    rows = [(_MARKS[one.kind], _what(one), *_ends(one), _remark(one)) for one in changes]
    return [f" {line}" for line in table(rows, gap=" ")] if rows else []


def fetched_text(report: FetchReport) -> str:
    """``received 3 commits, 20 objects, 1.2 MiB``; empty if nothing came."""
    parts = []
    if report.objects:
        came = [plural(report.commits, "commit")] if report.commits else []
        came += [plural(report.objects, "object"), human_size(report.nbytes)]
        parts.append("received " + ", ".join(came))
    if report.linked:
        parts.append(f"linked {plural(report.linked, 'pack')}, nothing copied")
    return "; ".join(parts)


def sent_text(report: PushReport) -> str:
    """What was sent, and what was not sent again."""
    sent = [plural(report.commits, "commit")] if report.commits else []
    sent += [plural(report.objects, "object"), human_size(report.nbytes)]
    text = "sent " + ", ".join(sent) if report.objects else "nothing had to be sent"
    if report.spared:
        size = human_size(report.spared_bytes)
        text += f"; {plural(report.spared, 'object')} ({size}) there already, not sent again"
    return text


def fetched_document(result: Fetched) -> dict[str, object]:
    """A fetch as JSON."""
    report = result.report
    return {
        "remote": result.remote or None,
        "url": result.url,
        "refs": [change_document(one) for one in result.changes],
        "received": received_document(report),
        "shallow": sorted(oid.hex() for oid in report.shallow),
    }


def received_document(report: FetchReport) -> dict[str, int]:
    """What came, as JSON."""
    return {
        "commits": report.commits,
        "objects": report.objects,
        "bytes": report.nbytes,
        "linked_packs": report.linked,
    }


def change_document(one: RefChange) -> dict[str, object]:
    """The move of a ref as JSON."""
    return {
        "ref": one.ref,
        "source": one.source,
        "old": one.old,
        "new": one.new,
        "kind": one.kind,
    }


def _what(one: RefChange) -> str:
    if one.kind == "new":
        return "[new tag]" if one.ref.startswith("refs/tags/") else "[new branch]"
    if one.kind in _WORDS:
        return _WORDS[one.kind]
    dots = "..." if one.kind == "forced" else ".."
    return f"{short_id(one.old or '')}{dots}{short_id(one.new or '')}"


def _ends(one: RefChange) -> tuple[str, str]:
    """Where a ref's value comes from and where it goes; one that is deleted comes from nowhere."""
    name = short_name(one.ref)
    if one.new is None:
        return name, ""
    return short_name(one.source) if one.source is not None else short_id(one.new), f"-> {name}"


def _remark(one: RefChange) -> str:
    return _REMARKS.get(one.kind, "")
