"""The front door: arguments in, exit code out, and every error told in one style.

What needs no click does not load it: ``ox --help`` and ``ox --version`` answer at once.
"""

from __future__ import annotations

import gc
import os
import sys

from oxcli import catalog
from oxcli.exits import BROKEN_PIPE, INTERRUPTED
from oxcore import __version__

_COMPLETE = "_OX_COMPLETE"  # set by the shell's completion script


def main() -> None:
    """Run the command line of this process and exit."""
    # Little that a verb makes goes round in circles: look for those seldom, and not at the end,
    # where the system takes back everything at once.
    gc.set_threshold(50_000, 20, 20)
    # Arrow loads numpy, which else starts threads that nothing here uses, for some 60 ms.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    code = run(sys.argv[1:])
    if "duckdb" not in sys.modules:  # which would tell, at length, of what is left of it
        gc.freeze()
    elif code == INTERRUPTED:  # and, taken down amid its work, may abort
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def run(args: list[str]) -> int:
    """Run ``ox`` with these arguments; gives the exit code and never raises."""
    try:
        code = _run(args)
        sys.stdout.flush()
    except BrokenPipeError:
        # Nobody reads any more. What Python would flush at exit goes nowhere, as git does it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return BROKEN_PIPE
    return code


def _run(args: list[str]) -> int:
    text = None if _COMPLETE in os.environ else _at_once(args)
    if text is None:
        # The one place where the heavy floors of the command line are loaded lazily.
        from oxcli.app import dispatch

        return dispatch(args)
    sys.stdout.write(text)
    return 0


def _at_once(args: list[str]) -> str | None:
    if args in ([], ["--help"], ["-h"]):
        return catalog.overview()
    return f"ox {__version__}\n" if args == ["--version"] else None
