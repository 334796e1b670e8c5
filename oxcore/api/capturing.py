"""``ox.save``, ``ox.capture``, ``ox.feedback`` and ``ox.flush``: a model at work, on a branch."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypedDict, cast

from oxcore.api import surroundings
from oxcore.api.repo import Repo
from oxcore.api.targets import target_opener
from oxcore.capturing import REGISTRY, Background, Options, Recorder, Sent, Spool, Where
from oxcore.capturing.ids import new_id
from oxcore.capturing.options import NAMES
from oxcore.capturing.recorder import Event
from oxcore.capturing.redact import Rule
from oxcore.capturing.trouble import Trouble
from oxcore.capturing.wrap import Capture
from oxcore.errors import InvalidError, OxError, StorageError, UsageError
from oxcore.transfer.connect import is_url, local_path
from oxcore.wire.routes import parse_url

Place = str | os.PathLike[str] | Repo

_SETTINGS = NAMES | {"spool", "token"}
_AGAIN = 5.0  # seconds until a place that could not be used is tried again


def save(
    repo: Place,
    branch: str,
    directory: str,
    input_blob: object,
    outputs_json: object,
    **more: object,
) -> str:
    """Save what went into a model and what came out, below ``directory`` of ``branch``; gives the
    record's id.

    ``repo``: the URL of a repository on a hub, a path, or an open ``Repo``. The branch is made by
    the first save. ``input_blob``: bytes, text, a path, a dict, an array, an image;
    ``outputs_json``: what JSON can say. ``more``: ``model`` ("name@version"), ``latency_ms``,
    ``status``, ``error``, ``params``, ``scores``, ``confidence``, ``session_id``, ``group_key``,
    ``tags``, ``origin``, ``licence``, ``ts_start``, ``mime``; any other name goes into ``params``.
    Those of ``oxcore.capturing.Options``, ``spool`` (a folder) and ``token`` count when a place is
    first saved to; ``strict`` in each call, and rules of ``redact`` that are said later count
    beside the first ones.

    The record is in the page cache when this returns, and a thread commits it. Nothing is raised
    unless ``strict`` is true: what went wrong is told by ``ox capture doctor``.
    """
    settings = parted(more) if more else {}
    strict = settings.get("strict")
    try:
        recorder = _recorder(repo, branch, directory, settings)
    except Exception as error:  # noqa: BLE001 -- serving goes on, whatever it is
        return _unusable(error, f"{repo} {branch}:{directory}", strict=bool(strict))
    return recorder.save(input_blob, outputs_json, more, **_each(recorder, settings))


def capture(
    repo: Place,
    branch: str,
    directory: str,
    *,
    input: str | None = None,  # noqa: A002 -- the name of an argument
    output: Callable[[Any], object] | None = None,
    **more: object,
) -> Capture:
    """Capture each call of a function, or of a block.

    >>> @ox.capture("http://hub.example/g/speech", "deployed", "wild", model="resnet@3f2c")
    ... def predict(image): ...                                      # doctest: +SKIP
    >>> with ox.capture(repo, "deployed", "wild") as c:              # doctest: +SKIP
    ...     c.input = image
    ...     c.output = model(image)

    The input is the first argument of the function, or that which ``input`` names, as it is before
    the call; ``output`` makes of the answer what is to be kept. ``more`` as in ``save``. What the
    function raises is saved, and raised again.
    """
    settings = parted(more)
    return Capture(Late(repo, branch, directory, settings), input=input, output=output, **more)


def feedback(
    record_id: str,
    kind: str,
    value: object = None,
    *,
    source: str = "",
    author: str = "",
    confidence: float | None = None,
    **place: object,
) -> str:
    """Say something about a record: ``kind`` is vote, action, correction, label, or your own.

    An event on the branch of the record, which may come before it or months after; gives the id
    of the event. ``source`` and ``author`` say where it comes from, ``confidence`` how sure it is.
    A process that saved the record, or saves to the same place, knows where that is; another
    names ``repo``, ``branch`` and ``directory``, and may set what ``save`` may. Raises as ``save``
    does.
    """
    strict = place.get("strict")
    event = Event(record_id, kind, value, source, author, confidence)
    try:
        recorder = _recorder_of(record_id, place)
    except Exception as error:  # noqa: BLE001 -- as in save
        return _unusable(error, f"feedback on {record_id}", strict=bool(strict))
    return recorder.feedback(event, **_each(recorder, place))


def flush() -> Sent:
    """Commit all that this process has saved, now. Raises ``OxError`` where a target fails: what it
    did not take waits on."""
    return REGISTRY.flush()


def recorder(repo: Place, branch: str, directory: str, **settings: object) -> Recorder:
    """What ``save`` saves with: made at the first call for a place. ``OxError``."""
    return _recorder(repo, branch, directory, settings)


def parted(more: dict[str, object]) -> dict[str, object]:
    """The settings among keywords, taken out of them."""
    return {name: more.pop(name) for name in _SETTINGS & more.keys()}


class Late:
    """Finds its recorder when it is first used: a decorator is no time to open anything."""

    def __init__(
        self, repo: Place, branch: str, directory: str, settings: dict[str, object]
    ) -> None:
        self._place = (_absolute(repo), branch, directory)
        self._settings = settings

    def _recorder(self) -> Recorder | None:
        try:
            return _recorder(*self._place, self._settings)
        except Exception as error:  # noqa: BLE001 -- as in save
            named = "{} {}:{}".format(*self._place)
            _unusable(error, named, strict=bool(self._settings.get("strict")))
            return None

    def hold(self, value: object) -> object:
        """See ``Recorder.hold``."""
        found = self._recorder()
        return None if found is None else found.hold(value, **_each(found, self._settings))

    def save(
        self,
        value: object,
        output: object,
        more: Mapping[str, object],
        *,
        record_id: str | None = None,
    ) -> str:
        """See ``Recorder.save``."""
        found = self._recorder()
        if found is None:
            return ""
        each = _each(found, self._settings)
        return found.save(value, output, more, record_id=record_id, **each)

    def new_id(self) -> str:
        """An id for a record to come."""
        found = self._recorder()
        return new_id(0 if found is None else found.tag)


# -- settings of a call


class _Each(TypedDict):
    """What counts in each call."""

    strict: bool | None
    rules: Sequence[Rule]


_NOTHING_SAID: _Each = {"strict": None, "rules": ()}


def _each(recorder: Recorder, settings: Mapping[str, object]) -> _Each:
    """What counts in each call, though the recorder was there before it; the doctor is told of
    settings that come too late."""
    if not settings:
        return _NOTHING_SAID
    options = recorder.options
    late = [
        name
        for name in NAMES & settings.keys() - {"strict", "redact"}
        if settings[name] != getattr(options, name)
    ]
    if late:
        names = ", ".join(sorted(late))
        recorder.spool.trouble.tell(
            "invalid",
            f"too late to set {names}: what the first call for this place said counts",
        )
    strict, rules = settings.get("strict"), settings.get("redact")
    listed = _rules(rules or ())
    return {
        "strict": None if strict is None else bool(strict),
        "rules": [] if listed == list(options.redact) else listed,
    }


def _rules(rules: object) -> list[Rule]:
    """Rules as a list, or the one that they are; what is none is found out by who applies it."""
    alone = isinstance(rules, str) or not isinstance(rules, Iterable)
    return [cast("Rule", rules)] if alone else list(cast("Iterable[Rule]", rules))


# -- recorders

_broken: dict[Hashable, tuple[float, Exception]] = {}


def _recorder(repo: Place, branch: str, directory: str, settings: dict[str, object]) -> Recorder:
    _check(repo, branch, directory)
    repo = _absolute(repo)
    key = (repo, branch, directory)
    broken = _broken.get(key)
    if broken is not None and time.monotonic() < broken[0]:
        raise broken[1]
    try:
        return REGISTRY.get(key, lambda: _made(repo, branch, directory, settings))
    except Exception as error:
        _broken[key] = (time.monotonic() + _AGAIN, error)
        raise


def _absolute(repo: Place) -> Place:
    """A path as it is meant here and now: the process may go to another folder."""
    if isinstance(repo, str) and is_url(repo):
        return repo
    if isinstance(repo, str | os.PathLike) and not os.path.isabs(repo):
        with suppress(OSError):  # the folder that we are in is gone: who opens it will say
            return os.path.abspath(repo)
    return repo


def _check(repo: object, branch: object, directory: object) -> None:
    """Raise ``InvalidError`` where these are not of their types."""
    if not isinstance(repo, str | os.PathLike | Repo):
        raise InvalidError(f"a repository is a URL, a path or an open Repo, not {repo!r}")
    for name, value in (("branch", branch), ("directory", directory)):
        if not isinstance(value, str):
            raise InvalidError(f"a {name} is text, not {value!r}")


def _made(repo: Place, branch: str, directory: str, settings: dict[str, object]) -> Recorder:
    address, spools = _found(repo)
    where = Where(address, branch, directory.rstrip("/"))
    where.check()
    same = next((one for one in REGISTRY.unlocked() if one.spool.where == where), None)
    if same is not None:
        return same
    token = settings.get("token")
    around = surroundings.settings()
    if token is not None:
        around.token_for = lambda _: str(token)
    chosen: dict[str, Any] = {name: settings[name] for name in NAMES & settings.keys()}
    if "redact" in chosen:
        chosen["redact"] = _rules(chosen["redact"] or ())
    options = Options(**chosen)
    spool = Spool(os.path.join(str(settings.get("spool") or spools), where.key), where)
    return Recorder(spool, options, Background(target_opener(around)))


def _found(repo: Place) -> tuple[str, str]:
    """The address of a repository, and where its spools lie."""
    if isinstance(repo, str) and is_url(repo):
        parse_url(repo)
        return repo.rstrip("/"), surroundings.captures()
    if isinstance(repo, Repo):
        return repo.path, os.path.join(repo.folder, "capture")
    with Repo.open(local_path(os.fspath(repo))) as found:
        return found.path, os.path.join(found.folder, "capture")


def _recorder_of(record_id: str, place: dict[str, object]) -> Recorder:
    repo, branch, directory = (place.get(name) for name in ("repo", "branch", "directory"))
    if repo is not None and branch is not None and directory is not None:
        settings = {name: place[name] for name in _SETTINGS & place.keys()}
        return _recorder(cast("Place", repo), cast("str", branch), cast("str", directory), settings)
    found = REGISTRY.of_record(record_id)
    if found is None:
        raise UsageError(
            f"nobody here knows where the record {record_id} is",
            hint="name repo=, branch= and directory=",
        )
    return found


def _unusable(error: Exception, what: str, *, strict: bool) -> str:
    """A place that nothing can be saved to: tell the doctor, and let serving go on."""
    if strict:
        if isinstance(error, OxError):
            raise error
        raise StorageError(f"{what}: {type(error).__name__}: {error}") from error
    trouble = Trouble(os.path.join(surroundings.captures(), "trouble.jsonl"))
    trouble.note(error, what)
    try:
        os.makedirs(surroundings.captures(), mode=0o700, exist_ok=True)
    except OSError:
        return new_id(0)
    trouble.write()
    return new_id(0)
