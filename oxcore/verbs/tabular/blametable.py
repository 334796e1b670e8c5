"""``blame`` of a whole table: the last commit that changed each row.

Each version on the way back is compared with the table that was asked for: a row that it has, in
all columns of today, goes on to it; the commit that no parent shares a row with has changed it
last. What is kept of a row are four bytes.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from oxcore import history
from oxcore.errors import InvalidError
from oxcore.model.commits import Commit
from oxcore.repo import Repository, files
from oxcore.repo.names import resolve_commit
from oxcore.tables import Table, rowdiff
from oxcore.tables.rowkeys import names_of, row_number
from oxcore.verbs.tabular.trail import Place, Spot, Trail, open_place

_KEPT = 2  # versions of which it is remembered which rows they have


class RowsSince(NamedTuple):
    """A commit, the path of the table there, and how many of its rows are as it left them."""

    id: bytes
    commit: Commit
    path: bytes
    rows: int


class BlamedTable:
    """For each row of ``table`` the last commit that changed it.

    ``id``: the commit that was asked about; ``since``: the commits, each once; ``remarks`` name
    versions that could not be read.
    """

    def __init__(
        self,
        oid: bytes,
        table: Table,
        owner: pa.Array,
        since: dict[int, RowsSince],
        remarks: tuple[str, ...],
    ) -> None:
        self.id = oid
        self.table = table
        self._owner = owner
        self._since = since
        self.remarks = remarks

    def __len__(self) -> int:
        return len(self._owner)

    @property
    def since(self) -> list[RowsSince]:
        """The commits, those with most rows first."""
        return sorted(self._since.values(), key=lambda one: (-one.rows, one.id))

    def __getitem__(self, place: int) -> RowsSince:
        """The commit of the row at a place, from 0."""
        return self._since[self._owner[place].as_py()]

    def number(self, place: int) -> int:
        """The number of the row at a place, as messages count it."""
        return row_number(self.table, place)

    def rows(self, limit: int | None = None) -> Iterator[tuple[pa.RecordBatch, list[RowsSince]]]:
        """All rows, or the first, as the file has them (of CSV text), each with its commit."""
        start, end = 0, len(self) if limit is None else min(limit, len(self))
        for piece in self.table.reader.pieces():
            for batch in piece.load():
                batch = batch.slice(0, end - start)
                if not len(batch):
                    return
                owners = self._owner.slice(start, len(batch)).to_pylist()
                yield batch, [self._since[owner] for owner in owners]
                start += len(batch)


def blame_table(repo: Repository, path: bytes, rev: str = "HEAD") -> BlamedTable:
    """The last commit that changed each row of the table at ``path`` of a revision.

    Rows are the same where all columns of today are, wherever they stand. Raises
    ``NotFoundError`` if there is no such file, ``InvalidError`` if it is no table.
    """
    oid = resolve_commit(repo, rev)
    start = Place(oid, Spot(path), files.entry(repo, path, rev))
    walk = _Walk(repo, start)
    walk.run(start)
    return walk.result(oid)


class _Slot(NamedTuple):
    """A set of rows, by the number that ``owner`` has for them; ``since``: what they are blamed on
    if no older version has them."""

    number: int
    since: Place


class _Walk:
    """``owner``: for each row the number of its slot; ``waiting``: the slots of commits to come."""

    def __init__(self, repo: Repository, start: Place) -> None:
        self._repo = repo
        self._trail = Trail(repo, ())
        self._table = open_place(repo, start)
        self._owner: pa.Array = pa.repeat(pa.scalar(0, pa.int32()), len(self._table))
        self._slots = 0
        self._waiting: dict[bytes, dict[Spot, list[_Slot]]] = {}
        self._settled: dict[int, Place] = {}
        self._known: OrderedDict[tuple[bytes, bytes], pa.Array | None] = OrderedDict()

    def run(self, start: Place) -> None:
        """Settle every row."""
        self._wait(start, _Slot(0, start))
        for oid, _ in history.walk(self._trail.read, [start.commit]):
            for spot, slots in self._waiting.pop(oid, {}).items():
                for slot in slots:
                    self._pass(self._trail.place(oid, spot), slot)
            if not self._waiting:
                return

    def result(self, oid: bytes) -> BlamedTable:
        """What was found."""
        counts = {one["values"]: one["counts"] for one in pc.value_counts(self._owner).to_pylist()}
        since = {
            number: RowsSince(
                place.commit,
                self._trail.read(place.commit),
                place.spot.path,
                counts.get(number, 0),
            )
            for number, place in self._settled.items()
            if number in counts
        }
        return BlamedTable(oid, self._table, self._owner, since, tuple(self._trail.remarks))

    def _pass(self, here: Place, slot: _Slot) -> None:
        """Hand the rows of a slot on to the parents that have them."""
        parents = self._trail.before(here)
        for parent in parents:
            if parent.entry is not None and parent.entry == here.entry:
                since = parent if slot.since == here else slot.since
                self._wait(parent, slot._replace(since=since))
                return
        unread = []
        for parent in parents:
            if parent.entry is None:
                continue
            try:
                has = self._has(parent, parent.entry.id)
            except InvalidError as error:
                self._trail.remark(error.message)
                unread.append(parent)
                continue
            if has is not None and self._take(parent, slot, has):
                return
        if unread:
            self._wait(unread[0], slot)
        else:
            self._settled[slot.number] = slot.since

    def _take(self, parent: Place, slot: _Slot, has: pa.Array) -> bool:
        """Give the parent the rows of a slot that it has; whether none is left."""
        mine = pc.equal(self._owner, slot.number)
        taken = pc.and_(mine, has)
        if not pc.any(taken).as_py():
            return False
        self._slots += 1
        self._owner = pc.if_else(taken, pa.scalar(self._slots, pa.int32()), self._owner)
        self._wait(parent, _Slot(self._slots, parent))
        return not pc.any(pc.and_not(mine, has)).as_py()

    def _wait(self, place: Place, slot: _Slot) -> None:
        """Look into a slot when its commit comes up; slots of one origin become one."""
        slots = self._waiting.setdefault(place.commit, {}).setdefault(place.spot, [])
        for one in slots:
            if one.since == slot.since:
                mine = pc.equal(self._owner, slot.number)
                self._owner = pc.if_else(mine, pa.scalar(one.number, pa.int32()), self._owner)
                return
        slots.append(slot)

    def _has(self, place: Place, content: bytes) -> pa.Array | None:
        """For each row of the table whether a version has it too; None where none can be."""
        at = (content, place.spot.path)
        if at not in self._known:
            self._known[at] = self._compared(open_place(self._repo, place))
            if len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return self._known[at]

    def _compared(self, old: Table) -> pa.Array | None:
        if not set(names_of(self._table)) <= set(names_of(old)):
            return None
        flags = bytearray(len(self._owner))
        with rowdiff.diff(old, self._table) as found:
            for places in found.new_places():
                for place in places:
                    flags[place] = 1
        buffer = pa.py_buffer(flags)
        return pc.equal(pa.Array.from_buffers(pa.uint8(), len(flags), [None, buffer]), 0)
