"""What is taken of a call: its input, detached, and all of it without what must not be kept."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from blake3 import blake3

from oxcore.capturing.detach import Blob, Held, detach
from oxcore.capturing.plain import dumps_any
from oxcore.capturing.redact import WALKED, Done, Redactor, Rule
from oxcore.errors import InvalidError

if TYPE_CHECKING:
    from oxcore.capturing.spool import Spool

_FAILED = "failed: input, params and output left out"


class Taken(NamedTuple):
    """The input, and what had to be changed for JSON."""

    blob: Blob | None
    problem: str


class Taker:
    """Takes inputs and fields of records for a spool, by these rules of redaction."""

    def __init__(self, spool: Spool, rules: Sequence[Rule]) -> None:
        self._spool = spool
        self._rules = tuple(rules)
        self._redact = Redactor(rules) if rules else None

    def also(self, rules: Sequence[Rule]) -> Taker:
        """One with further rules."""
        return Taker(self._spool, (*self._rules, *rules)) if rules else self

    def hold(self, value: object, *, strict: bool) -> Held:
        """An input as it is now. With ``strict`` it raises for one that cannot be kept."""
        done: Done = {}
        try:
            if self._redact is not None:
                value = self._redact.called(value, done)
        except Exception as error:  # noqa: BLE001 -- a rule of the user's own may raise anything
            return self._failed(error)
        blob = self._detached(value, strict=strict)
        try:
            if self._redact is not None and blob is not None:
                blob = self._redact.blob(blob, done)
        except Exception as error:  # noqa: BLE001 -- as above
            return self._failed(error)
        return Held(blob, tuple(done))

    def take(
        self, value: object, output: object, fields: dict[str, object], *, strict: bool
    ) -> Taken:
        """The input, which ``fields`` tell of then, and of the output and of what was redacted."""
        mime = fields.pop("mime", None)
        held = value if isinstance(value, Held) else self.hold(value, strict=strict)
        fields["output"] = output
        problem = "" if self._redact is None else self._redacted(self._redact, fields, held)
        blob = None if _FAILED in _redactions(fields) else held.blob
        if blob is None:
            return Taken(None, problem)
        fields["blob"] = blake3(blob.data).hexdigest()
        fields["mime"] = str(mime) if mime and not blob.pixels else blob.mime
        if blob.pixels is not None:
            fields["pixels"] = blob.pixels
        return Taken(blob, problem)

    def said(self, value: object) -> tuple[object, str]:
        """The value of an event without what must not be kept, and what had to be changed for
        JSON; nothing where redaction fails."""
        if self._redact is None:
            return value, ""
        text, problem = dumps_any(value)
        try:
            return self._redact.walk(json.loads(text), "value", {}), problem
        except Exception as error:  # noqa: BLE001 -- as above
            self._failed(error)
            return None, problem

    def _redacted(self, redact: Redactor, fields: dict[str, object], held: Held) -> str:
        text, problem = dumps_any({name: fields[name] for name in WALKED if name in fields})
        done: Done = dict.fromkeys(held.done)
        try:
            fields.update(redact.fields(json.loads(text), done))
        except Exception as error:  # noqa: BLE001 -- as above
            done = dict.fromkeys(self._failed(error).done)
        if _FAILED in done:
            for name in WALKED:
                fields.pop(name, None)
            done = {_FAILED: None}
        if done:
            fields["redactions"] = list(done)
        return problem

    def _failed(self, error: Exception) -> Held:
        self._spool.trouble.note(error, "redaction failed: input, params and output left out")
        return Held(None, (_FAILED,))

    def _detached(self, value: object, *, strict: bool) -> Blob | None:
        """The bytes of an input; None, and a trouble, if it has none."""
        try:
            blob = detach(value)
        except Exception as error:
            if strict:
                raise
            self._spool.trouble.note(error, "an input was left out")
            return None
        if blob is not None and blob.problem:
            if strict:
                raise InvalidError(f"an input is not JSON: {blob.problem}")
            text = f"an input is not JSON as it is: {blob.problem}"
            self._spool.trouble.tell("invalid", text)
        return blob


def _redactions(fields: dict[str, object]) -> list[object]:
    found = fields.get("redactions")
    return found if isinstance(found, list) else []
