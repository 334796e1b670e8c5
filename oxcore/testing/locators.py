"""What every locator must do, as a suite: subclass ``LocatorSuite``, give it locators.

class TestMine(LocatorSuite):
    def new_locator(self, folder): return MyLocator(folder)
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path

from oxcore.codec.pack import PackIndex
from oxcore.model.ids import content_id
from oxcore.model.protocols import Location, Locator
from oxcore.testing.stores import expect, noise

Rows = list[tuple[bytes, Location]]


def sample_rows(seed: int, count: int) -> Rows:
    """Rows of a made-up pack, in no order; the ids depend on seed and position."""
    rows = []
    offset = 16
    for index, byte in enumerate(noise(seed, count)):
        stored = 1 + byte * 300
        where = Location(999, offset, stored, stored * 2, 1 + byte % 6, byte % 3)
        rows.append((content_id(b"%d %d" % (seed, index)), where))
        offset += stored
    return rows


class LocatorSuite(ABC):
    """Conformance of a ``Locator``. Each ``test_`` method takes pytest's ``tmp_path``."""

    @abstractmethod
    def new_locator(self, folder: str) -> Locator:
        """A fresh locator; it may use ``folder``, which does not exist yet."""

    def reopen(self, locator: Locator, folder: str) -> Locator:
        """The same locator opened again, where that means something."""
        return locator

    def make(self, tmp_path: Path) -> Locator:
        """A locator in a folder of this test."""
        return self.new_locator(str(tmp_path / "locator"))

    def test_knows_nothing_at_first(self, tmp_path: Path) -> None:
        """A fresh locator is empty."""
        locator = self.make(tmp_path)
        expect(dict(locator.packs()) == {}, "no packs")
        expect(locator.find_many([content_id(b"x")]) == [None], "no objects")
        expect(locator.find_many([]) == [], "no question, no answer")
        expect(locator.find_prefix(b"", 9) == [] and list(locator.ids()) == [], "no ids")
        locator.drop_packs([content_id(b"unknown")])

    def test_finds_what_was_added(self, tmp_path: Path) -> None:
        """Every row is found under the pack's own number, in the order of the question."""
        locator, rows = self.make(tmp_path), sample_rows(1, 3000)
        name = content_id(b"pack")
        number = locator.add_pack(name, iter(rows))
        locator = self.reopen(locator, str(tmp_path / "locator"))
        expect(dict(locator.packs()) == {number: name}, "the pack is known")
        found = locator.find_many([oid for oid, _ in rows])
        expect(found == [where._replace(pack=number) for _, where in rows], "all rows")
        asked = [rows[5][0], content_id(b"x"), rows[2][0], rows[5][0]]
        expect(
            [where is not None for where in locator.find_many(asked)] == [True, False, True, True],
            "unknown ids and twins in a question",
        )
        kinds = [rows[at][1].kind for at in (5, 2, 5)]
        expect(locator.kinds(asked) == bytes([kinds[0], 0, *kinds[1:]]), "their kinds")
        expect(locator.kinds([]) == b"", "no question, no kinds")

    def test_takes_the_index_of_a_pack_as_it_is(self, tmp_path: Path) -> None:
        """``PackIndex`` gives the same places as its rows; many packs go in together."""
        locator, twin = self.make(tmp_path), self.new_locator(str(tmp_path / "twin"))
        packs = []
        for seed in (3, 4):
            index = PackIndex()
            for oid, where in [*sample_rows(seed, 50), *sample_rows(5, 5)]:
                index.add(oid, where.kind, where.how, where.raw, where.stored)
            packs.append((content_id(b"%d" % seed), index))
        expect(locator.add_packs(packs) == [1, 2], "numbers, in order")
        for name, index in packs:
            twin.add_pack(name, list(index.rows()))
        expect(list(locator.ids()) == list(twin.ids()), "places, and the first pack wins")

    def test_holds_extremes(self, tmp_path: Path) -> None:
        """Offsets beyond 2^40 and lengths up to 2^32 - 1 come back, as do ids of all bits."""
        locator = self.make(tmp_path)
        top = (1 << 32) - 1
        rows = [
            (b"\0" * 32, Location(0, 0, 0, 0, 1, 0)),
            (b"\xff" * 32, Location(0, (1 << 48) - 1, top, top, 6, 2)),
        ]
        number = locator.add_pack(b"\xff" * 32, rows)
        found = locator.find_many([oid for oid, _ in rows])
        expect(found == [where._replace(pack=number) for _, where in rows], "both")
        expect([oid for oid, _ in locator.ids()] == [oid for oid, _ in rows], "in order")

    def test_empty_pack(self, tmp_path: Path) -> None:
        """A pack without rows is known all the same."""
        locator = self.make(tmp_path)
        number = locator.add_pack(content_id(b"pack"), [])
        expect(dict(locator.packs()) == {number: content_id(b"pack")}, "known")

    def test_first_place_stays(self, tmp_path: Path) -> None:
        """``add_pack`` keeps old places and fills in new ones; twice is harmless."""
        locator, rows = self.make(tmp_path), sample_rows(1, 50)
        first = locator.add_pack(content_id(b"1"), rows[:30])
        moved = [(oid, where._replace(offset=where.offset + 7)) for oid, where in rows]
        second = locator.add_pack(content_id(b"2"), moved)
        expect(first != second, "each pack has a number of its own")
        expect(locator.add_pack(content_id(b"1"), rows[:30]) == first, "the same number again")
        found = locator.find_many([oid for oid, _ in rows])
        want = [where._replace(pack=first) for _, where in rows[:30]]
        want += [where._replace(pack=second) for _, where in moved[30:]]
        expect(found == want, "old places stay")

    def test_replace_wins(self, tmp_path: Path) -> None:
        """``replace`` moves objects to the new pack, also where that is indexed already."""
        locator, rows = self.make(tmp_path), sample_rows(1, 50)
        locator.add_pack(content_id(b"1"), rows)
        moved = [(oid, where._replace(offset=where.offset + 7)) for oid, where in rows[10:]]
        for _ in range(2):
            second = locator.replace(content_id(b"2"), iter(moved))
            found = locator.find_many([oid for oid, _ in rows[10:]])
            expect(found == [where._replace(pack=second) for _, where in moved], "new places")
        expect(sorted(locator.packs().values()) == sorted(map(content_id, (b"1", b"2"))), "both")

    def test_drop_forgets(self, tmp_path: Path) -> None:
        """A dropped pack's rows go, others stay, and its number is never another's."""
        locator = self.make(tmp_path)
        packs = {content_id(b"%d" % n): sample_rows(n, 40) for n in range(4)}
        numbers = {name: locator.add_pack(name, rows) for name, rows in packs.items()}
        gone = list(packs)[1:3]
        locator.drop_packs([*gone, content_id(b"unknown")])
        locator = self.reopen(locator, str(tmp_path / "locator"))
        for name, rows in packs.items():
            found = locator.find_many([oid for oid, _ in rows])
            expect(all((where is None) == (name in gone) for where in found), "rows")
        expect(set(locator.packs().values()) == packs.keys() - set(gone), "packs")
        locator.drop_packs([list(packs)[3]])
        fresh = locator.add_pack(content_id(b"new"), sample_rows(9, 3))
        expect(fresh not in numbers.values(), "a number would lead readers to the wrong pack")

    def test_prefixes_in_order(self, tmp_path: Path) -> None:
        """``find_prefix`` and ``ids`` go in the order of ids, across packs."""
        locator, rows = self.make(tmp_path), sample_rows(1, 700)
        for start in range(0, 700, 100):
            locator.add_pack(content_id(b"%d" % start), rows[start : start + 100])
        ids = sorted(oid for oid, _ in rows)
        expect([oid for oid, _ in locator.ids()] == ids, "ids")
        for prefix in (b"", b"\x07", b"\xff", ids[3][:2], ids[9], ids[9] + b"x", b"\xff" * 32):
            want = [oid for oid in ids if oid.startswith(prefix)]
            for limit in (1, 3, 1000):
                found = [oid for oid, _ in locator.find_prefix(prefix, limit)]
                expect(found == want[:limit], f"prefix {prefix.hex()}, up to {limit}")

    def test_agrees_with_a_dict(self, tmp_path: Path) -> None:
        """A hundred random steps give what a dict would hold."""
        locator, rows = self.make(tmp_path), sample_rows(1, 60)
        model: dict[bytes, Location] = {}
        names = [content_id(b"%d" % n) for n in range(6)]
        dice = noise(7, 300)
        for step in range(100):
            verb, pack, first = dice[3 * step : 3 * step + 3]
            some = [(oid, where._replace(offset=step)) for oid, where in rows[first % 60 :][:20]]
            verbs = ("add", "replace", "drop")
            _step(locator, model, verbs[verb % 3], names[pack % 6], some)
            expect(dict(locator.ids()) == model, f"step {step}")


def _step(
    locator: Locator, model: dict[bytes, Location], verb: str, name: bytes, rows: Rows
) -> None:
    if verb == "drop":
        gone = {number for number, known in locator.packs().items() if known == name}
        locator.drop_packs([name])
        for oid in [oid for oid, where in model.items() if where.pack in gone]:
            del model[oid]
        return
    number = (locator.add_pack if verb == "add" else locator.replace)(name, iter(rows))
    for oid, where in rows:
        if verb == "replace" or oid not in model:
            model[oid] = where._replace(pack=number)
