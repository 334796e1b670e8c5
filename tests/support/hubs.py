"""A hub in this process, on a true socket."""

from contextlib import contextmanager

from oxcore.api import Hub


@contextmanager
def serving(root, **options):
    """A hub in the folder ``root``; no request may have been a fault of it at the end."""
    faults = []
    with Hub(str(root), failed=faults.append, **options) as hub:
        yield hub
    assert faults == []
