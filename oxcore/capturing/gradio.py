"""Gradio's flagging: what a visitor flags is a record with feedback. Gradio is not loaded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from oxcore.capturing.wrap import Saver

Feedback = Callable[[str, str, object, str], object]
"""Record id, kind, value, author."""


class Flags:
    """The callback for ``gr.Interface(..., flagging_callback=...)``, in Gradio's own shape.

    ``inputs``: how many of the components are inputs; the others are outputs. What is flagged as
    is feedback of the kind ``vote``.
    """

    def __init__(
        self, saver: Saver, feedback: Feedback, *, inputs: int = 1, **fields: object
    ) -> None:
        self._saver = saver
        self._feedback = feedback
        self._inputs = inputs
        self._fields = fields
        self._names: list[str] = []
        self._count = 0

    def setup(self, components: Sequence[object], flagging_dir: str) -> None:
        """Gradio tells which components there are."""
        del flagging_dir  # records go to a branch
        labels = [getattr(one, "label", None) for one in components]
        self._names = [str(label or f"component {place}") for place, label in enumerate(labels)]

    def flag(
        self,
        flag_data: Sequence[object],
        flag_option: str | None = None,
        username: str | None = None,
    ) -> int:
        """Save what the components show; gives how many were flagged by now."""
        names = self._names + [f"component {n}" for n in range(len(self._names), len(flag_data))]
        shown = [(name, _content(one)) for name, one in zip(names, flag_data, strict=False)]
        asked, told = shown[: self._inputs], shown[self._inputs :]
        value = asked[0][1] if len(asked) == 1 else dict(asked)
        made = self._saver.save(value, dict(told), self._fields)
        if flag_option:
            self._feedback(made, "vote", flag_option, username or "")
        self._count += 1
        return self._count


def _content(value: object) -> object:
    """What a component shows; of an image, a recording, a film or a file the path."""
    told = value if isinstance(value, dict) else vars(value) if hasattr(value, "meta") else {}
    meta, path = told.get("meta"), told.get("path")
    if isinstance(meta, dict) and meta.get("_type") == "gradio.FileData" and path:
        return Path(str(path))
    return value
