"""A folder is a remote like any other."""

from oxcore.repo import Repository
from oxcore.testing.remotes import RemoteSuite
from oxcore.transfer import LocalRemote


class TestLocalRemote(RemoteSuite):
    def new_remote(self, folder):
        path = str(folder / "remote")
        Repository.init(path, bare=True).close()
        return LocalRemote(path)
