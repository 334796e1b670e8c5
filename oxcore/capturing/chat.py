"""A wrapper for clients in the style of OpenAI's: each completion is a record, streamed ones too.

Only the shape counts: ``client.chat.completions.create(...)``, ``client.completions.create`` and
``client.responses.create``, plain or async. No such library is loaded.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any, Self

from oxcore.capturing.wrap import Call, Saver

_ABANDONED = RuntimeError("the stream was not read to its end")
_CALLS = ("chat.completions.create", "completions.create", "responses.create")
_INPUTS = ("messages", "input", "prompt")
_PLAIN = (str, int, float, bool, list, dict, tuple, type(None))


class Chat:
    """``client``, whose calls for completions are saved. All else of it is as it was."""

    def __init__(
        self,
        client: Any,  # noqa: ANN401 -- of any library
        saver: Saver,
        fields: Mapping[str, object],
        path: str = "",
    ) -> None:
        self._ox_client = client
        self._ox_saver = saver
        self._ox_fields = dict(fields)
        self._ox_path = path

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 -- whatever the client has
        found = getattr(self._ox_client, name)
        path = f"{self._ox_path}.{name}" if self._ox_path else name
        if path in _CALLS:
            return self._ox_wrapped(found)
        if any(one.startswith(path + ".") for one in _CALLS):
            return Chat(found, self._ox_saver, self._ox_fields, path)
        return found

    def _ox_wrapped(self, create: Callable[..., Any]) -> Callable[..., Any]:
        if inspect.iscoroutinefunction(create):
            return self._ox_awaited(create)

        def captured(*args: object, **named: object) -> object:
            call = self._ox_call(named)
            try:
                answer = create(*args, **named)
            except BaseException as error:
                call.end(error)
                raise
            if inspect.isawaitable(answer):
                return _later(call, answer)
            return _taken(call, answer)

        return captured

    def _ox_awaited(self, create: Callable[..., Any]) -> Callable[..., Any]:
        async def captured(*args: object, **named: object) -> object:
            call = self._ox_call(named)
            try:
                answer = await create(*args, **named)
            except BaseException as error:
                call.end(error)
                raise
            return _taken(call, answer)

        return captured

    def _ox_call(self, named: Mapping[str, object]) -> Call:
        call = Call(self._ox_saver, self._ox_fields)
        call.input = next((named[name] for name in _INPUTS if name in named), None)
        if isinstance(named.get("model"), str) and call.model is None:
            call.model = {"name": named["model"]}
        told = {
            name: value
            for name, value in named.items()
            if name not in (*_INPUTS, "model") and isinstance(value, _PLAIN)
        }
        if told:
            call.params = {**(call.params or {}), **told}
        return call


async def _later(call: Call, answer: Any) -> object:  # noqa: ANN401 -- an awaitable of anything
    try:
        found = await answer
    except BaseException as error:
        call.end(error)
        raise
    return _taken(call, found)


def _taken(call: Call, answer: object) -> object:
    """The answer as it goes on to the caller: a stream is listened to on its way."""
    if hasattr(answer, "__aiter__"):
        return _AsyncHeard(call, answer)
    if hasattr(answer, "__next__") or (hasattr(answer, "__iter__") and not _is_plain(answer)):
        return _Heard(call, answer)
    call.output = _output(answer)
    call.end()
    return answer


def _is_plain(answer: object) -> bool:
    return isinstance(answer, Mapping | list | str) or hasattr(answer, "model_dump")


class _Stream:
    """A streamed answer: what the caller takes of it is put together, and saved at its end."""

    def __init__(self, call: Call, stream: Any) -> None:  # noqa: ANN401 -- of any client
        self._ox_call = call
        self._ox_stream = stream
        self._ox_texts: list[str] = []
        self._ox_rest: dict[str, object] = {}
        self._ox_over = False

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 -- whatever the stream has
        return getattr(self._ox_stream, name)

    def __del__(self) -> None:
        self._ox_end(_ABANDONED)

    def _ox_note(self, part: object) -> None:
        try:
            text, rest = _part(_plain(part))
        except Exception:  # noqa: BLE001 -- a part of a shape that nobody knows goes by
            return
        self._ox_texts.append(text)
        self._ox_rest.update(rest)

    def _ox_end(self, error: BaseException | None = None) -> None:
        if not self._ox_over:
            self._ox_over = True
            content = {"role": "assistant", "content": "".join(self._ox_texts)}
            self._ox_call.output = {**content, **self._ox_rest}
            self._ox_call.end(error)


class _Heard(_Stream):
    """A stream of plain code."""

    def __iter__(self) -> Iterator[object]:
        try:
            for part in self._ox_stream:
                self._ox_note(part)
                yield part
        except BaseException as error:
            self._ox_end(error)
            raise
        self._ox_end()

    def __next__(self) -> object:
        try:
            part: object = next(self._ox_stream)
        except BaseException as error:
            self._ox_end(None if isinstance(error, StopIteration) else error)
            raise
        self._ox_note(part)
        return part

    def __enter__(self) -> Self:
        self._ox_stream.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self._ox_stream.__exit__(*exc)
        self._ox_end()


class _AsyncHeard(_Stream):
    """A stream of async code."""

    async def __aiter__(self) -> AsyncIterator[object]:
        try:
            async for part in self._ox_stream:
                self._ox_note(part)
                yield part
        except BaseException as error:
            self._ox_end(error)
            raise
        self._ox_end()

    async def __anext__(self) -> object:
        try:
            part: object = await anext(self._ox_stream)
        except BaseException as error:
            self._ox_end(None if isinstance(error, StopAsyncIteration) else error)
            raise
        self._ox_note(part)
        return part

    async def __aenter__(self) -> Self:
        await self._ox_stream.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._ox_stream.__aexit__(*exc)
        self._ox_end()


# -- shapes of answers


def _plain(answer: object) -> object:
    dump = getattr(answer, "model_dump", None)
    return dump(exclude_none=True) if callable(dump) else answer


def _output(answer: object) -> object:
    """What is kept of a whole answer: the message, why it ended, what it cost."""
    told = _plain(answer)
    if not isinstance(told, Mapping):
        return told
    choices = told.get("choices")
    if not isinstance(choices, list) or len(choices) != 1 or not isinstance(choices[0], Mapping):
        return told
    first = choices[0]
    message = first.get("message")
    kept = dict(message) if isinstance(message, Mapping) else {"content": first.get("text")}
    rest = {"finish_reason": first.get("finish_reason"), "usage": told.get("usage")}
    return kept | {name: value for name, value in rest.items() if value is not None}


def _part(told: object) -> tuple[str, dict[str, object]]:
    """The text of a part of a stream, and what else it says of the whole."""
    if not isinstance(told, Mapping):
        return "", {}
    if told.get("type") == "response.output_text.delta":
        return str(told.get("delta", "")), {}
    rest: dict[str, object] = {}
    if told.get("usage"):
        rest["usage"] = told["usage"]
    text = ""
    choices = told.get("choices")
    for choice in choices if isinstance(choices, list) else ():
        delta = choice.get("delta") or {}
        text += str(delta.get("content") or choice.get("text") or "")
        if choice.get("finish_reason"):
            rest["finish_reason"] = choice["finish_reason"]
    return text, rest
