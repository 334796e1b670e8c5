"""A merge, cherry-pick or revert that waits for a person, as it stands in the view.

The key ``merge`` of the view holds canonical JSON: the verb, the further parents of the
commit to be made, its message, and the open conflicts with the three entries of each.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from oxcore.codec import canonical
from oxcore.errors import CorruptError
from oxcore.model.commits import Json, Person
from oxcore.model.entries import Entry
from oxcore.model.ids import parse_id
from oxcore.repo import Repository
from oxcore.tree import Conflict


class Pending(NamedTuple):
    """What waits: ``verb`` (merge, cherry-pick, revert), ``parents`` besides HEAD, ``message`` of
    the commit to be made, ``before`` the stage to go back to, open ``conflicts`` by path, and
    the ``author`` of a picked commit."""

    verb: str
    parents: tuple[bytes, ...]
    message: str
    before: bytes
    conflicts: tuple[Conflict, ...]
    author: Person | None = None


def read_pending(repo: Repository) -> Pending | None:
    """What waits for a person in this repository, if anything."""
    text = repo.view().get("merge")
    return None if text is None else decode_pending(text)


def without_conflicts(
    repo: Repository, pending: Pending, rest: tuple[Conflict, ...]
) -> dict[str, tuple[str | None, str | None]]:
    """The change of the view that leaves only the conflicts ``rest`` open."""
    text = encode_pending(pending._replace(conflicts=rest))
    return {"merge": (repo.view()["merge"], text)}


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
