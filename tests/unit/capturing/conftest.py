"""A repository to capture into, and a registry that is empty before and after."""

import pytest

from oxcore.api import Repo
from oxcore.capturing import REGISTRY


@pytest.fixture(autouse=True)
def alone(tmp_path, monkeypatch):
    """No recorder of another test, and no state of the developer's."""
    monkeypatch.setenv("OX_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("OX_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("OX_TOKEN", raising=False)
    yield
    REGISTRY.close()


@pytest.fixture
def repo(tmp_path):
    """An empty repository with a work tree."""
    with Repo.init(str(tmp_path / "repo"), author="Ann <ann@example.org>") as made:
        yield made
