"""A merge, cherry-pick or revert that waits for a person, as it stands in the view.

The key ``merge`` of the view holds canonical JSON: the verb, the further parents of the
commit to be made, its message, the open conflicts with the three entries of each, and how the
tables among them stand. What is open of a table is listed in a file of the store.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

from oxcore.codec import canonical
from oxcore.errors import ConflictError, CorruptError
from oxcore.model.commits import Json, Person
from oxcore.model.entries import Entry
from oxcore.model.ids import parse_id
from oxcore.repo import Repository
from oxcore.tree import Conflict


class TableState(NamedTuple):
    """How the merge of a table by its rows went, and stands.

    ``keys`` tell its rows apart; ``cells`` were taken from theirs, rows ``inserted`` and
    ``deleted``; ``left``: conflicts that are open, which the file ``listed`` of the store has one a
    line. ``called``: columns that theirs calls otherwise, by their name in the merged table.
    ``why``: the rows were not merged, and the file as a whole is in conflict.
    """

    path: bytes
    keys: tuple[str, ...] = ()
    cells: int = 0
    inserted: int = 0
    deleted: int = 0
    left: int = 0
    listed: Entry | None = None
    called: tuple[tuple[str, str], ...] = ()
    why: str = ""


class Pending(NamedTuple):
    """What waits: ``verb`` (merge, cherry-pick, revert), ``parents`` besides HEAD, ``message`` of
    the commit to be made, ``before`` the stage to go back to, open ``conflicts`` by path, the
    ``author`` of a picked commit, and how ``tables`` in conflict stand, by path."""

    verb: str
    parents: tuple[bytes, ...]
    message: str
    before: bytes
    conflicts: tuple[Conflict, ...]
    author: Person | None = None
    tables: tuple[TableState, ...] = ()

    def table(self, path: bytes) -> TableState | None:
        """How the table at ``path`` stands; None if it is no table in conflict."""
        return next((one for one in self.tables if one.path == path), None)

    def cells(self, path: bytes) -> TableState | None:
        """The same, only if its rows were merged and some of it is open."""
        found = self.table(path)
        return None if found is None or found.listed is None else found

    def without(self, paths: Collection[bytes]) -> Pending:
        """What is left when the conflicts at ``paths`` are settled."""
        return self._replace(
            conflicts=tuple(one for one in self.conflicts if one.path not in paths),
            tables=tuple(one for one in self.tables if one.path not in paths),
        )


def read_pending(repo: Repository) -> Pending | None:
    """What waits for a person in this repository, if anything."""
    text = repo.view().get("merge")
    return None if text is None else decode_pending(text)


def check_none_waits(repo: Repository) -> None:
    """Raise ``ConflictError``, with the way out, if a merge, cherry-pick or revert waits."""
    pending = read_pending(repo)
    if pending is not None:
        raise ConflictError(
            f"a {pending.verb} waits to be ended",
            paths=[conflict.path for conflict in pending.conflicts],
            hint=f"end it with: ox commit; or give it up with: ox {pending.verb} --abort",
        )


def without_conflicts(
    repo: Repository, pending: Pending, rest: tuple[Conflict, ...]
) -> dict[str, tuple[str | None, str | None]]:
    """The change of the view that leaves only the conflicts ``rest`` open."""
    left = {one.path for one in rest}
    settled = {one.path for one in pending.conflicts} - left
    return waiting(repo, pending.without(settled))


def waiting(repo: Repository, pending: Pending) -> dict[str, tuple[str | None, str | None]]:
    """The change of the view that lets ``pending`` wait instead of what waits now."""
    return {"merge": (repo.view()["merge"], encode_pending(pending))}


def encode_pending(pending: Pending) -> str:
    """The text that stands in the view."""
    record: dict[str, Json] = {
        "verb": pending.verb,
        "parents": [parent.hex() for parent in pending.parents],
        "message": pending.message,
        "before": pending.before.hex(),
        "conflicts": [
            {
                "path": conflict.path.hex(),
                "base": _entry(conflict.base),
                "ours": _entry(conflict.ours),
                "theirs": _entry(conflict.theirs),
                "kind": conflict.kind,
            }
            for conflict in pending.conflicts
        ],
        "author": None if pending.author is None else [pending.author.name, pending.author.email],
    }
    if pending.tables:
        record["tables"] = [_table(one) for one in pending.tables]
    return canonical.dumps(record).decode()


def decode_pending(text: str) -> Pending:
    """The inverse of ``encode_pending``; ``CorruptError`` for anything else."""
    record: Any = canonical.loads(text.encode(), "the state of a merge")
    try:
        return Pending(
            verb=str(record["verb"]),
            parents=tuple(parse_id(parent) for parent in record["parents"]),
            message=str(record["message"]),
            before=parse_id(record["before"]),
            conflicts=tuple(_read_conflict(one) for one in record["conflicts"]),
            author=None if record["author"] is None else Person(*record["author"]),
            tables=tuple(_read_table(one) for one in record.get("tables", ())),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise CorruptError("the state of a merge breaks the format") from error


def _entry(entry: Entry | None) -> Json:
    return None if entry is None else [entry.mode, entry.size, entry.id.hex()]


def _read_entry(value: list[Any] | None) -> Entry | None:
    if value is None:
        return None
    mode, size, oid = value
    return Entry(int(mode), int(size), parse_id(oid))


def _read_conflict(value: dict[str, Any]) -> Conflict:
    return Conflict(
        bytes.fromhex(value["path"]),
        _read_entry(value["base"]),
        _read_entry(value["ours"]),
        _read_entry(value["theirs"]),
        str(value["kind"]),
    )


def _table(state: TableState) -> Json:
    return {
        **state._asdict(),
        "path": state.path.hex(),
        "keys": list(state.keys),
        "listed": _entry(state.listed),
        "called": [list(pair) for pair in state.called],
    }


def _read_table(value: dict[str, Any]) -> TableState:
    return TableState(
        bytes.fromhex(value["path"]),
        tuple(map(str, value["keys"])),
        int(value["cells"]),
        int(value["inserted"]),
        int(value["deleted"]),
        int(value["left"]),
        listed=_read_entry(value["listed"]),
        called=tuple((str(name), str(other)) for name, other in value["called"]),
        why=str(value["why"]),
    )
