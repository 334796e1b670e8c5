"""From arguments to a verb of the library, and the boundary of errors."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from oxcli import config, exits, quick
from oxcli.context import Session
from oxcore.errors import DeniedError, OxError

COMPLETE = "_OX_COMPLETE"  # set by the shell's completion script


def dispatch(args: Sequence[str]) -> int:
    """Run the verb that ``args`` name; gives the exit code and prints errors.

    Raises nothing but ``BrokenPipeError``.
    """
    _forgive_encoding()
    if COMPLETE in os.environ:
        from oxcli import clicked  # see `_run`

        clicked.complete(args, COMPLETE)
    return _guarded(args, Session(json="--json" in args))


def _guarded(args: Sequence[str], session: Session) -> int:
    try:
        return _invoke(args, session)
    except BrokenPipeError:
        raise
    except KeyboardInterrupt:
        sys.stderr.write("\ninterrupted\n")
        return exits.INTERRUPTED
    except Exception as error:  # noqa: BLE001 -- the boundary: nothing passes as a traceback
        from oxcli.render import failure  # nothing fails, mostly

        told = _as_ox_error(error)
        if session.json:
            failure.report_json(told, error, debug=session.debug)
        else:
            failure.report(told, error, session.show, debug=session.debug)
        return exits.code_of(told.kind)


def _invoke(args: Sequence[str], session: Session) -> int:
    try:
        code = _run(args, session)
    finally:
        if session.stats:
            from oxcli.render import failure  # seldom asked for

            failure.counters(session.counters, as_json=session.json)
    sys.stdout.flush()
    return code if isinstance(code, int) else 0


def _run(args: Sequence[str], session: Session) -> object:
    found = quick.read(args)
    if found is None:
        from oxcli import clicked  # loads click, which takes longer than a whole `ox status`

        return clicked.run(args, session)
    flags, call = found
    session.begin(**flags)
    session.after = call.after
    return call.function(session, **call.values)


def _as_ox_error(error: Exception) -> OxError:
    if isinstance(error, DeniedError):
        error.hint = config.hint_of_denial(error.hint)
    if isinstance(error, OxError):
        return error
    from oxcli.render.failure import Internal
    from oxcore.fs.atomic import storage_error

    if isinstance(error, OSError):
        return storage_error("the system refuses", error)
    return Internal(error)


def _forgive_encoding() -> None:
    # A name that the terminal's encoding does not have is shown escaped, not as an error.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
