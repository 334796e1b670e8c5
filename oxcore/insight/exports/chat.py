"""Conversations: what was asked, and what should have been said.

``chat``: ``{"messages": [..., {"role": "assistant", "content": LABEL}]}`` a line. ``preference``:
``{"prompt": [...], "chosen": [...], "rejected": [...]}``, the label against the model's answer.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from oxcore.insight.exports.folder import Folder
from oxcore.insight.exports.samples import Faults, Sample, by_split, line, text_of
from oxcore.repo import Repository

_ROLES = {"system", "developer", "user", "assistant", "tool"}
_ASKED = ("messages", "prompt", "input", "question", "text")

Messages = list[dict[str, Any]]
Make = Callable[[Sample, Messages], dict[str, Any]]


def chat(repo: Repository, samples: list[Sample], out: Folder, faults: Faults) -> None:
    """Write one file a split."""
    _write(repo, samples, out, faults, _chat)


def preference(repo: Repository, samples: list[Sample], out: Folder, faults: Faults) -> None:
    """Write one file a split."""
    _write(repo, samples, out, faults, _pair)


def is_pair(sample: Sample) -> bool:
    """Whether the model's answer is known, and another than the label."""
    return sample.prediction not in {None, "", sample.label}


def _write(
    repo: Repository, samples: list[Sample], out: Folder, faults: Faults, make: Make
) -> None:
    for name, found in by_split(samples):
        lines = []
        for one in found:
            messages = _messages(repo, one, faults)
            if messages is not None and _said(one, faults):
                lines.append(line(make(one, messages)))
        out.write(f"{name}.jsonl", lines)
        out.write(f"{name}.records.txt", [f"{one.record_id}\n".encode() for one in found])


def _chat(sample: Sample, messages: Messages) -> dict[str, Any]:
    return {"messages": [*messages, _turn(sample.label)]}


def _pair(sample: Sample, messages: Messages) -> dict[str, Any]:
    chosen, rejected = _turn(sample.label), _turn(sample.prediction or "")
    return {"prompt": messages, "chosen": [chosen], "rejected": [rejected]}


def _turn(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": text}


def _said(sample: Sample, faults: Faults) -> bool:
    if not sample.label.strip():
        faults.note(sample, "label", "empty: the assistant would say nothing")
    return bool(sample.label.strip())


def _messages(repo: Repository, sample: Sample, faults: Faults) -> Messages | None:
    """What was asked; None after a fault."""
    text = text_of(repo, sample, faults)
    if text is None:
        return None
    value: object = text
    if sample.mime == "application/json":
        try:
            value = json.loads(text)
        except ValueError as error:
            faults.note(sample, "input", f"not JSON: {error}")
            return None
    field, asked = "input", value
    while isinstance(asked, dict):
        name = next((one for one in _ASKED if one in asked), None)
        if name is None:
            faults.note(sample, field, f"an object without {', '.join(_ASKED)}")
            return None
        field, asked = f"{field}.{name}", asked[name]
    messages = [{"role": "user", "content": asked}] if isinstance(asked, str) else asked
    why = _wrong(messages)
    if why:
        faults.note(sample, f"{field}{why[0]}", why[1])
        return None
    return messages if isinstance(messages, list) else None


def _wrong(messages: object) -> tuple[str, str] | None:
    """Where messages are none, and why."""
    if not isinstance(messages, list) or not messages:
        return "", "neither text nor a list of messages"
    for at, one in enumerate(messages):
        if not isinstance(one, dict) or one.get("role") not in _ROLES:
            return f"[{at}].role", f"must be one of {', '.join(sorted(_ROLES))}"
        content = one.get("content")
        calls = one["role"] == "assistant" and one.get("tool_calls")
        if not (calls or (isinstance(content, str | list) and content)):
            return f"[{at}].content", "must be text, or a list of parts"
    if messages[-1]["role"] == "assistant":
        return f"[{len(messages) - 1}].role", "the last word is the assistant's already"
    return None
