"""``ox.capture``: round a function of the model, or round a block."""

from __future__ import annotations

import functools
import inspect
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Protocol, TypeVar, cast

from oxcore.capturing.arguments import Arguments
from oxcore.capturing.fields import FIELDS, error_text

F = TypeVar("F", bound=Callable[..., Any])
_Stream = Generator[object, object, object]
_AsyncStream = AsyncGenerator[object, None]

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
        self.__dict__.update({"input": None, "output": None, "record_id": saver.new_id()})
        self.__dict__.update({"over": False, "goes_on": False})
        self.__dict__["_begun"] = time.time(), time.perf_counter()

    def __setattr__(self, name: str, value: object) -> None:
        if name == "input":
            self.__dict__.update({"_held": self._saver.hold(value), "input": value})
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
        self.__dict__.update({"over": True, "input": None})
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
        self._entered: list[Call] = []

    def __enter__(self) -> Call:
        call = Call(self._saver, self._fields)
        self._entered.append(call)
        _open.set((*(one for one in _open.get() if not one.over), call))
        return call

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        call = self._left()
        if call is not None:
            call.end(error)

    def _left(self) -> Call | None:
        """The call whose block ends: the last of ours that began in this context, or else, as a
        server may end a block in another one, the last that began at all."""
        here = [one for one in _open.get() if one in self._entered]
        for call in reversed(here or list(self._entered)):
            with suppress(ValueError):  # another thread's, that was quicker
                self._entered.remove(call)
                return call
        return None

    def __call__(self, function: F) -> F:
        """The function, captured."""
        places = Arguments(function, self._input)
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
        self, places: Arguments, args: tuple[object, ...], named: dict[str, object]
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
        if not call.goes_on:
            call.end()

    def _kept(self, value: object) -> object:
        return value if self._output is None else self._output(value)

    def _plain(self, function: Callable[..., Any], places: Arguments) -> Callable[..., object]:
        def captured(*args: object, **named: object) -> object:
            with self._calling(places, args, named) as call:
                value = function(*args, **named)
                listen = self._listener(value)
                if listen is not None:
                    call.__dict__["goes_on"] = True
                    return listen(call, value)
                call.output = self._safely(value)
            return value

        return captured

    def _coroutine(self, function: Callable[..., Any], places: Arguments) -> Callable[..., object]:
        async def captured(*args: object, **named: object) -> object:
            with self._calling(places, args, named) as call:
                value = await function(*args, **named)
                call.output = self._safely(value)
            return value

        return captured

    def _stream(self, function: Callable[..., Any], places: Arguments) -> Callable[..., object]:
        def captured(*args: object, **named: object) -> _Stream:
            with self._calling(places, args, named) as call:
                call.__dict__["goes_on"] = True
                stream = self._heard(call, function(*args, **named))
            return (yield from stream)

        return captured

    def _async_stream(
        self, function: Callable[..., Any], places: Arguments
    ) -> Callable[..., object]:
        async def captured(*args: object, **named: object) -> _AsyncStream:
            with self._calling(places, args, named) as call:
                call.__dict__["goes_on"] = True
                stream = self._async_heard(call, function(*args, **named))
            try:
                async for part in stream:
                    yield part
            finally:
                await stream.aclose()

        return captured

    # -- answers that are still to come

    def _listener(self, value: object) -> Callable[[Call, Any], object] | None:
        """What gives an answer on and keeps it; None for one that is there."""
        if inspect.isgenerator(value):
            return self._heard
        if inspect.isasyncgen(value):
            return self._async_heard
        return self._awaited if inspect.iscoroutine(value) else None

    async def _awaited(self, call: Call, value: Coroutine[object, object, object]) -> object:
        with _ending(call):
            answer = await value
            call.output = self._safely(answer)
        return answer

    def _heard(self, call: Call, stream: _Stream) -> _Stream:
        heard = _Heard(stream)
        with _ending(call):
            try:
                return (yield from heard)
            finally:
                call.output = self._safely(joined(heard.parts))

    async def _async_heard(self, call: Call, stream: _AsyncStream) -> _AsyncStream:
        parts: list[object] = []
        with _ending(call):
            try:
                async for part in stream:
                    if len(parts) < _MOST:
                        parts.append(part)
                    yield part
            finally:
                call.output = self._safely(joined(parts))
                await stream.aclose()

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


class _Heard:
    """A generator whose parts are kept as they go by, ``_MOST`` of them at most."""

    def __init__(self, stream: _Stream) -> None:
        self._stream = stream
        self.parts: list[object] = []

    def __iter__(self) -> _Heard:
        return self

    def __next__(self) -> object:
        return self._kept(next(self._stream))

    def send(self, value: object) -> object:
        """As a generator's."""
        return self._kept(self._stream.send(value))

    def throw(self, error: BaseException) -> object:
        """As a generator's."""
        return self._kept(self._stream.throw(error))

    def close(self) -> None:
        """As a generator's."""
        self._stream.close()

    def _kept(self, part: object) -> object:
        if len(self.parts) < _MOST:
            self.parts.append(part)
        return part


@contextmanager
def _ending(call: Call) -> Iterator[None]:
    """The call ends with the block, and with what that raises."""
    try:
        yield
    except BaseException as error:
        call.end(error)
        raise
    call.end()
