"""A hub on a real socket, and remotes to it."""

import pytest

from oxcore.hub import HubServer, ServeOptions
from oxcore.remote import Connection, HttpRemote
from oxcore.wire.routes import repo_name

QUICK = Connection(connect=2, answer=20, sleep=lambda _: None)


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    faults = []
    root = tmp_path_factory.mktemp("hub")
    with HubServer(str(root), ServeOptions(), faults.append) as server:
        yield server
    assert faults == []


@pytest.fixture(scope="module")
def token(hub):
    return hub.tokens.create("ann", "write").secret


@pytest.fixture
def remote(hub, token, request):
    made = []

    def make(name, *, secret=token, create=True, url=hub.url, **more):
        found = HttpRemote(url, repo_name("lab", name), secret, connection=QUICK, **more)
        if create:
            found.create()
        made.append(found)
        return found

    yield make
    for one in made:
        one.close()
