"""``ox.capture``: round a function of the model, or round a block."""

from __future__ import annotations

import functools
import inspect
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Protocol, TypeVar, cast

from oxcore.capturing.fields import FIELDS, error_text
from oxcore.errors import InvalidError

F = TypeVar("F", bound=Callable[..., Any])

_PLAIN = (str, int, float, bool, list, dict, tuple, type(None))
_open: ContextVar[tuple[Call, ...]] = ContextVar("ox_capture", default=())
_MOST = 10_000  # parts of a streamed answer that are kept


class Saver(Protocol):
    """What a capture saves with: a recorder, once there is one."""

    def hold(self, value: object) -> object:
        """The input as it is now, whatever the model does to it."""
        ...

    def save(
        self,
        value: object,
        output: object,
        more: Mapping[str, object],
        *,
        record_id: str | None = None,
    ) -> str:
        """Take a record; see ``Recorder.save``."""
        ...

    def new_id(self) -> str:
        """An id for a record to come."""
        ...


class Call:
    """One call of the model: set ``input``, ``output`` and the fields of the record (``model``,
    ``params``, ``scores``, ``confidence``, ``tags`` and so on). ``record_id`` is known at once."""

    def __init__(self, saver: Saver, fields: dict[str, object]) -> None:
        self.__dict__.update({"_saver": saver, "_held": None, "fields": dict(fields)})
        self.__dict__.update({"output": None, "record_id": saver.new_id()})
        self.__dict__["_begun"] = time.time(), time.perf_counter()

    def __setattr__(self, name: str, value: object) -> None:
        if name == "input":
            self.__dict__["_held"] = self._saver.hold(value)
        elif name == "output":
            self.__dict__["output"] = value
        elif name in FIELDS:
            self.fields[name] = value
        else:
            raise AttributeError(f"a record has no {name!r}")

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 -- fields are of many types
        if name in FIELDS:
            return self.fields.get(name)
        raise AttributeError(name)

    def end(self, error: BaseException | None = None) -> None:
        """Save the record; ``error`` is what the model raised."""
        started, begun = self._begun
        told = {"ts_start": started, "latency_ms": (time.perf_counter() - begun) * 1000}
        told |= self.fields
        if error is not None:
            told |= {"status": "error", "error": error_text(error)}
        self._saver.save(self._held, self.output, told, record_id=self.record_id)


class Capture:
    """A decorator of functions (plain, async, and generators of both kinds), and a context manager.

    Of a function the input is its first argument, or that called ``input``; the other plain
    arguments become ``params``. ``output`` makes of what it returns what is to be kept.
    """

    def __init__(
        self,
        saver: Saver,
        *,
        input: str | None = None,  # noqa: A002 -- that is what it is
        output: Callable[[Any], object] | None = None,
        **fields: object,
    ) -> None:
        self._saver = saver
        self._input = input
        self._output = output
        self._fields = fields

    def __enter__(self) -> Call:
        call = Call(self._saver, self._fields)
        _open.set((*_open.get(), call))
        return call

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        *rest, call = _open.get()
        _open.set(tuple(rest))
        call.end(error)

    def __call__(self, function: F) -> F:
        """The function, captured."""
        places = _Places(function, self._input)
        if inspect.isasyncgenfunction(function):
            made: Callable[..., object] = self._async_stream(function, places)
        elif inspect.iscoroutinefunction(function):
            made = self._coroutine(function, places)
        elif inspect.isgeneratorfunction(function):
            made = self._stream(function, places)
        else:
            made = self._plain(function, places)
        return cast("F", functools.wraps(function)(made))

    @contextmanager
    def _calling(
        self, places: _Places, args: tuple[object, ...], named: dict[str, object]
    ) -> Iterator[Call]:
        call = Call(self._saver, self._fields)
        try:
            call.input, params = places.take(args, named)
            if params:
                told = call.fields.get("params")
                call.fields["params"] = {**told, **params} if isinstance(told, dict) else params
            yield call
        except BaseException as error:
            call.end(error)
            raise
        call.end()

    def _kept(self, value: object) -> object:
        return value if self._output is None else self._output(value)

    def _plain(self, function: Callable[..., Any], places: _Places) -> Callable[..., object]:
        def captured(*args: object, **named: object) -> object:
            with self._calling(places, args, named) as call:
                value = function(*args, **named)
                call.output = self._safely(value)
            return value

        return captured

    def _coroutine(self, function: Callable[..., Any], places: _Places) -> Callable[..., object]:
        async def captured(*args: object, **named: object) -> object:
            with self._calling(places, args, named) as call:
                value = await function(*args, **named)
                call.output = self._safely(value)
            return value

        return captured

    def _stream(self, function: Callable[..., Any], places: _Places) -> Callable[..., object]:
        def captured(*args: object, **named: object) -> Iterator[object]:
            parts: list[object] = []
            with self._calling(places, args, named) as call:
                try:
                    for part in function(*args, **named):
                        if len(parts) < _MOST:
                            parts.append(part)
                        yield part
                finally:
                    call.output = self._safely(joined(parts))

        return captured

    def _async_stream(self, function: Callable[..., Any], places: _Places) -> Callable[..., object]:
        async def captured(*args: object, **named: object) -> AsyncIterator[object]:
            parts: list[object] = []
            with self._calling(places, args, named) as call:
                try:
                    async for part in function(*args, **named):
                        if len(parts) < _MOST:
                            parts.append(part)
                        yield part
                finally:
                    call.output = self._safely(joined(parts))

        return captured

    def _safely(self, value: object) -> object:
        """What is to be kept of an answer; if the user's function fails, the answer itself."""
        try:
            return self._kept(value)
        except Exception:  # noqa: BLE001 -- the model's answer goes on all the same
            return value


def joined(parts: list[object]) -> object:
    """The parts of a streamed answer: text as one text, else a list."""
    texts = [part for part in parts if isinstance(part, str)]
    return "".join(texts) if parts and len(texts) == len(parts) else parts


class _Places:
    """Which argument of a function is the input."""

    def __init__(self, function: Callable[..., object], name: str | None) -> None:
        kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        listed = list(inspect.signature(function).parameters.values())
        self._names = [one.name for one in listed if one.kind in kinds]
        skip = bool(self._names) and self._names[0] in ("self", "cls")
        named = {one.name for one in listed}
        if name is not None and name not in named:
            raise InvalidError(f"the function has no argument {name!r}")
        first = self._names[skip] if len(self._names) > skip else ""
        self._name = name or first or next(iter(named - {"self", "cls"}), "")
        self._place = self._names.index(self._name) if self._name in self._names else -1
        self._skip = int(skip)

    def take(
        self, args: tuple[object, ...], named: dict[str, object]
    ) -> tuple[object, dict[str, object]]:
        """The input, and the other arguments that are plain values."""
        value = named.get(self._name)
        if 0 <= self._place < len(args):
            value = args[self._place]
        by_name = dict(zip(self._names[self._skip :], args[self._skip :], strict=False)) | named
        by_name.pop(self._name, None)
        return value, {name: one for name, one in by_name.items() if isinstance(one, _PLAIN)}
