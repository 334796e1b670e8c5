"""The hub, over a real socket, does what every remote must do."""

import secrets

import pytest

from oxcore.testing.remotes import RemoteSuite


class TestHttpRemote(RemoteSuite):
    @pytest.fixture(autouse=True)
    def _remotes(self, remote):
        self.remote = remote

    def new_remote(self, folder):
        return self.remote(secrets.token_hex(8))
