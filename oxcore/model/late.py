"""Names of a package that load when they are first used, so that a start costs what it needs."""

from __future__ import annotations

import sys
from importlib import import_module

TYPE_CHECKING = False  # without `typing`, which would double the start of `ox`
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def late(package: str, homes: Mapping[str, str]) -> Callable[[str], object]:
    """The ``__getattr__`` of ``package``; ``homes``: module of it -> names that live there.

    No module may have the name of what lives in one, or the one would hide the other.
    """
    known = {name: home for home, names in homes.items() for name in names.split()}

    def load(name: str) -> object:
        if name not in known:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(f"{package}.{known[name]}"), name)
        setattr(sys.modules[package], name, value)
        return value

    return load
