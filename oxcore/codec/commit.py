"""Commits and annotated tags: canonical JSON, hashed under a context of their own."""

from __future__ import annotations

from types import MappingProxyType

from oxcore.codec import canonical
from oxcore.errors import CorruptError, InvalidError
from oxcore.model.commits import Commit, Json, Moment, Person, Tag
from oxcore.model.ids import ID_LEN, parse_id

_COMMIT_KEYS = {"author", "message", "meta", "ox", "parents", "time", "tree"}
_TAG_KEYS = {"message", "name", "ox", "tagger", "target", "time"}
_MAX_OFFSET = 24 * 60 - 1  # minutes


def encode_commit(commit: Commit) -> bytes:
    """The canonical bytes; ``InvalidError`` where a field breaks a rule of docs/format.md."""
    record: dict[str, Json] = {
        "ox": "commit 1",
        "tree": _hex(commit.tree),
        "parents": [_hex(parent) for parent in commit.parents],
        "author": _person(commit.author),
        "time": _moment(commit.time),
        "message": _text(commit.message),
        "meta": dict(commit.meta),
    }
    return canonical.dumps(_with_signature(record, commit.signature))


def signed_payload(commit: Commit) -> bytes:
    """What a signature covers: the encoding of the commit without its signature."""
    return encode_commit(commit._replace(signature=None))


def decode_commit(data: bytes) -> Commit:
    """The commit of canonical bytes; ``CorruptError`` for anything else."""
    record = _record(data, "a commit", "commit 1", _COMMIT_KEYS)
    try:
        commit = Commit(
            tree=parse_id(_text(record["tree"])),
            parents=tuple(parse_id(_text(parent)) for parent in _list(record["parents"])),
            author=_read_person(record["author"]),
            time=_read_moment(record["time"]),
            message=_text(record["message"]),
            meta=MappingProxyType(_dict(record["meta"])),
            signature=_text(record["signature"]) if "signature" in record else None,
        )
        _expect(encode_commit(commit), data)
    except InvalidError as error:
        raise CorruptError(f"a commit has a field that breaks the format: {error}") from error
    return commit


def encode_tag(tag: Tag) -> bytes:
    """The canonical bytes of an annotated tag; ``InvalidError`` where a field breaks a rule."""
    record: dict[str, Json] = {
        "ox": "tag 1",
        "target": _hex(tag.target),
        "name": _text(tag.name),
        "tagger": _person(tag.tagger),
        "time": _moment(tag.time),
        "message": _text(tag.message),
    }
    return canonical.dumps(_with_signature(record, tag.signature))


def decode_tag(data: bytes) -> Tag:
    """The tag of canonical bytes; ``CorruptError`` for anything else."""
    record = _record(data, "a tag", "tag 1", _TAG_KEYS)
    try:
        tag = Tag(
            target=parse_id(_text(record["target"])),
            name=_text(record["name"]),
            tagger=_read_person(record["tagger"]),
            time=_read_moment(record["time"]),
            message=_text(record["message"]),
            signature=_text(record["signature"]) if "signature" in record else None,
        )
        _expect(encode_tag(tag), data)
    except InvalidError as error:
        raise CorruptError(f"a tag has a field that breaks the format: {error}") from error
    return tag


def _record(data: bytes, what: str, version: str, keys: set[str]) -> dict[str, Json]:
    record = canonical.loads(data, what)
    if not isinstance(record, dict) or record.get("ox") != version:
        raise CorruptError(f"{what} does not carry the mark {version!r}")
    if set(record) - {"signature"} != keys:
        raise CorruptError(f"{what} has unknown or missing fields")
    return record


def _expect(encoding: bytes, data: bytes) -> None:
    """What canonical JSON leaves open, e.g. ids in capital letters."""
    if encoding != data:
        raise InvalidError("a value is not in its canonical form")


def _with_signature(record: dict[str, Json], signature: str | None) -> dict[str, Json]:
    return record if signature is None else {**record, "signature": _text(signature)}


def _hex(oid: bytes) -> str:
    if len(oid) != ID_LEN:
        raise InvalidError(f"an id has {ID_LEN} bytes, not {len(oid)}")
    return oid.hex()


def _person(person: Person) -> Json:
    if not (person.name or person.email):
        raise InvalidError("a person needs a name or an address")
    for part in (person.name, person.email):
        if any(mark in _text(part) for mark in "<>\n\0"):
            raise InvalidError(f"a name cannot hold '<', '>', NUL or a line break: {part!r}")
    return {"email": person.email, "name": person.name}


def _moment(moment: Moment) -> Json:
    if abs(_int(moment.offset)) > _MAX_OFFSET:
        raise InvalidError(f"no zone is {moment.offset} minutes from UTC")
    return {"offset": moment.offset, "us": _int(moment.us)}


def _read_person(value: Json) -> Person:
    record = _dict(value)
    if set(record) != {"email", "name"}:
        raise InvalidError("a person has a name and an email")
    return Person(_text(record["name"]), _text(record["email"]))


def _read_moment(value: Json) -> Moment:
    record = _dict(value)
    if set(record) != {"offset", "us"}:
        raise InvalidError("a time has us and offset")
    return Moment(_int(record["us"]), _int(record["offset"]))


def _text(value: Json) -> str:
    if not isinstance(value, str):
        raise InvalidError(f"{value!r} is not text")
    return value


def _int(value: Json) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise InvalidError(f"{value!r} is not an integer")
    return value


def _list(value: Json) -> list[Json]:
    if not isinstance(value, list):
        raise InvalidError(f"{value!r} is not a list")
    return value


def _dict(value: Json) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise InvalidError(f"{value!r} is not an object")
    return value
