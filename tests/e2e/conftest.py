"""A hub as a process, and people who share through it."""

import pytest
from support.processes import HubProcess, Ox


@pytest.fixture
def ox(tmp_path):
    """Runs ``ox`` in a process."""
    return Ox(tmp_path)


@pytest.fixture
def hub(ox, tmp_path):
    """A hub of its own; ``ox`` is logged in to it as its admin."""
    with HubProcess(ox, tmp_path / "hub") as process:
        ox("login", process.url, "--token", process.secret)
        yield process
