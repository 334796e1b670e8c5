"""What the tests of the tree share: a store in a dict that counts, limits, entries."""

import pytest

from oxcore.model.entries import Entry
from oxcore.model.ids import Kind, object_id
from oxcore.tree import rule

SMALL = (2, 3, 5, 2**64 // 8, 2**64 // 2)
ODD = (2, 4, 12, 2**64 // 3, 2**64 // 3)
REAL = (rule.MIN, rule.MID, rule.MAX, rule.RARE, rule.OFTEN)
LIMITS = {"small": SMALL, "odd": ODD, "real": REAL}


class Memory:
    """A reader and sink in a dict that counts."""

    def __init__(self):
        self.data = {}
        self.reads = 0
        self.puts = 0

    def get(self, oid, kind):
        assert kind == Kind.TREE
        self.reads += 1
        return self.data[oid]

    def has_many(self, oids):
        return [oid in self.data for oid in oids]

    def put(self, oid, kind, data):
        assert oid == object_id(kind, data)
        self.puts += 1
        self.data[oid] = data


def set_limits(monkeypatch, name):
    """Nodes of a few entries give trees of many levels."""
    for key, number in zip(("MIN", "MID", "MAX", "RARE", "OFTEN"), LIMITS[name], strict=True):
        monkeypatch.setattr(rule, key, number)


@pytest.fixture(params=list(LIMITS))
def limits(request, monkeypatch):
    set_limits(monkeypatch, request.param)


@pytest.fixture
def small(monkeypatch):
    set_limits(monkeypatch, "small")


def entry(number):
    return Entry(1 + number % 3, number, number.to_bytes(8, "big") * 4)


def sorted_paths(rng, count):
    return sorted(
        {
            b"%x/%x/f%x" % (rng.randrange(9), rng.randrange(9), rng.randrange(400))
            for _ in range(count)
        }
    )
