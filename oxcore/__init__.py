"""ox, Git for datasets: ``import oxcore as ox``.

The public names live in ``oxcore.api`` and load when they are first used, so that importing
the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # type checkers know the name; `typing` would double the start of `ox`
if TYPE_CHECKING:
    from oxcore.api import (
        CaptureMiddleware,
        Hub,
        Repo,
        capture,
        feedback,
        flush,
        gradio_flags,
        save,
        wrap_client,
    )
    from oxcore.errors import OxError
    from oxcore.model.commits import Person
    from oxcore.model.settings import Settings

__version__ = "0.1.0"
__all__ = [
    "CaptureMiddleware",
    "Hub",
    "OxError",
    "Person",
    "Repo",
    "Settings",
    "__version__",
    "capture",
    "feedback",
    "flush",
    "gradio_flags",
    "save",
    "wrap_client",
]

_HOMES = {
    "Repo": "oxcore.api",
    "Hub": "oxcore.api",
    "save": "oxcore.api",
    "capture": "oxcore.api",
    "feedback": "oxcore.api",
    "flush": "oxcore.api",
    "CaptureMiddleware": "oxcore.api",
    "gradio_flags": "oxcore.api",
    "wrap_client": "oxcore.api",
    "OxError": "oxcore.errors",
    "Person": "oxcore.model.commits",
    "Settings": "oxcore.repo",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'oxcore' has no attribute {name!r}")
    return getattr(import_module(home), name)
