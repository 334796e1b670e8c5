"""``tag``: names that stay where they are, with a message (annotated) or without."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from oxcore.codec.commit import encode_tag
from oxcore.errors import ExistsError, InvalidError, NotFoundError, UsageError
from oxcore.model.commits import Moment, Person, Tag
from oxcore.model.ids import Kind, object_id, parse_id
from oxcore.refs import tag_ref
from oxcore.repo import Repository
from oxcore.repo.names import resolve_commit

TAGS = "refs/tags/"


@dataclass(frozen=True, slots=True)
class TagInfo:
    """One tag: the ``commit`` it stands for and that one's ``title``.

    Of an annotated tag ``id`` is the tag object, with ``message``, ``tagger`` and ``time``; of a
    light one ``id`` and ``message`` are None, ``tagger`` and ``time`` the commit's.
    """

    name: str
    commit: bytes
    title: str
    id: bytes | None
    message: str | None
    tagger: Person
    time: Moment

    @property
    def annotated(self) -> bool:
        """Whether it carries a message."""
        return self.id is not None


@dataclass(frozen=True, slots=True)
class Untagged:
    """Tags that are gone, and the number of the operation that ``undo`` takes back."""

    tags: tuple[TagInfo, ...]
    operation: int


def tags(repo: Repository, patterns: Sequence[str] = ()) -> list[TagInfo]:
    """The tags by name; with ``patterns`` (globs, ``*`` crosses '/') those that fit one."""
    refs = repo.view().refs(TAGS)
    names = [ref.removeprefix(TAGS) for ref in refs]
    fits = [n for n in names if not patterns or any(fnmatchcase(n, p) for p in patterns)]
    return [_info(repo, name, parse_id(refs[TAGS + name])) for name in fits]


def create(
    repo: Repository,
    name: str,
    revision: str = "HEAD",
    *,
    message: str | None = None,
    force: bool = False,
) -> TagInfo:
    """Tag the commit that ``revision`` names; with ``message`` the tag is annotated.

    Raises ``ExistsError`` if there is one of that name (``force`` moves it), ``InvalidError``
    for a bad name, ``UsageError`` for an empty message or, with a message, without an author.
    """
    ref = tag_ref(name)
    with repo.lock("tag"):
        commit = resolve_commit(repo, revision)
        view = repo.view()
        if ref in view and not force:
            raise ExistsError(f"there is a tag {name!r} already", hint="--force moves it")
        oid = commit if message is None else _annotate(repo, name, commit, message)
        repo.operate("tag", f"{name} at {commit.hex()[:12]}", {ref: (view.get(ref), oid.hex())})
    return _info(repo, name, oid)


def delete(repo: Repository, names: Sequence[str]) -> Untagged:
    """Delete tags, all of them or none; ``NotFoundError`` names one that is not there."""
    with repo.lock("tag -d"):
        view = repo.view()
        changes: dict[str, tuple[str | None, str | None]] = {}
        gone = []
        for name in dict.fromkeys(names):
            held = view.get(tag_ref(name))
            if held is None:
                raise NotFoundError(f"there is no tag {name!r}", hint="see: ox tag")
            gone.append(_info(repo, name, parse_id(held)))
            changes[tag_ref(name)] = (held, None)
        operation = repo.operate("tag -d", ", ".join(one.name for one in gone), changes)
    return Untagged(tuple(gone), 0 if operation is None else operation.number)


def _annotate(repo: Repository, name: str, commit: bytes, message: str) -> bytes:
    """Make a tag object durable; gives its id."""
    text = message.strip("\n")
    if not text.strip():
        raise UsageError(
            "the message of a tag cannot be empty", hint="leave -m out for a light tag"
        )
    if "\0" in text:
        raise InvalidError("a message cannot hold a NUL character")
    data = encode_tag(Tag(commit, name, repo.author(), repo.settings.clock(), text))
    oid = object_id(Kind.TAG, data)
    with repo.batch() as batch:
        batch.put(oid, Kind.TAG, data)
    return oid


def _info(repo: Repository, name: str, oid: bytes) -> TagInfo:
    tag = repo.tag(oid)
    commit_id = repo.peel(oid)
    commit = repo.commit(commit_id)
    if tag is None:
        return TagInfo(name, commit_id, commit.title, None, None, commit.author, commit.time)
    return TagInfo(name, commit_id, commit.title, oid, tag.message, tag.tagger, tag.time)
