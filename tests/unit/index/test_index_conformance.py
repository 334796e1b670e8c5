"""The index's locator is a locator."""

import pytest

from oxcore.index import Index
from oxcore.testing.locators import LocatorSuite


class TestLocations(LocatorSuite):
    @pytest.fixture(autouse=True)
    def opened(self):
        self.open = []
        yield
        for index in self.open:
            index.close()

    def new_locator(self, folder):
        self.open.append(Index.open(folder))
        return self.open[-1].locations

    def reopen(self, locator, folder):
        self.open.pop().close()
        return self.new_locator(folder)
