"""Which arguments are revisions, and which are paths.

``--`` parts them: what stands after it is a path. Without it an argument is a revision if it
names one, as in git; one that is a file too is refused.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from oxcli.context import Session
from oxcli.paths import is_pattern
from oxcore.errors import AmbiguousError, InvalidError, NotFoundError, UsageError
from oxcore.model.entries import show_path

if TYPE_CHECKING:
    from oxcore.api import Repo


class Target(NamedTuple):
    """A version (``HEAD`` if none was named) and a path of the dataset in it."""

    rev: str
    path: bytes


def split(session: Session, repo: Repo, arguments: Sequence[str]) -> tuple[list[str], list[bytes]]:
    """Revisions and ranges, and paths or patterns of the dataset.

    Raises ``NotFoundError`` for what is neither, ``AmbiguousError`` for what is both.
    """
    if session.after is not None:
        return list(arguments), session.paths(repo, session.after)
    count = 0
    while count < len(arguments) and _is_revision(repo, arguments[count]):
        count += 1
    paths = arguments[count:]
    for one in paths:
        _check_path(session, repo, one)
    return list(arguments[:count]), session.paths(repo, paths)


def target(session: Session, repo: Repo, argument: str, rev: str | None) -> Target:
    """The version and path that ``PATH``, ``REV`` or ``REV:PATH`` means.

    A path after a colon counts from the top of the dataset, unless it starts with ``./``. With
    ``rev`` (``--rev``) the argument is a path. What is in HEAD as a path is one.
    """
    if rev is not None:
        return Target(rev, session.path(repo, argument))
    if argument.startswith(":"):
        return Target(":", _below(session, repo, argument[1:]))
    if _in_head(session, repo, argument):
        return Target("HEAD", session.path(repo, argument))
    try:
        found = repo.revision(argument)
    except (NotFoundError, InvalidError):
        if ":" in argument and not os.path.lexists(argument):
            raise
        return Target("HEAD", session.path(repo, argument))
    if found.path is None:
        return Target(argument, b"")
    colon = len(argument) - len(os.fsdecode(found.path))
    return Target(argument[: colon - 1], _below(session, repo, argument[colon:]))


def file_at(
    session: Session, repo: Repo, argument: str, rev: str | None
) -> tuple[bytes, str | None]:
    """The path and version (None: the work tree) that ``FILE``, ``FILE@REV`` or ``REV:FILE`` means.

    What is there as a file is one, whatever is in its name; else the first ``@`` that a revision
    stands behind parts the two.
    """
    if rev is not None or _is_file(argument):
        return session.path(repo, argument), rev
    for at, char in enumerate(argument):
        if char == "@" and at and _is_version(repo, argument[at + 1 :]):
            return session.path(repo, argument[:at]), argument[at + 1 :]
    if ":" in argument:
        found = target(session, repo, argument, None)
        return found.path, found.rev
    file, mark, text = argument.partition("@")
    if mark and file and (_is_file(file) or _in_head(session, repo, file)):
        repo.revision(text)  # raises what is wrong with it
    return session.path(repo, argument), None


def two_files(
    session: Session, repo: Repo, arguments: Sequence[str], *, asked: bool
) -> list[tuple[bytes, str | None]] | None:
    """Two files, each with its version as of ``file_at``, if the arguments are that and nothing
    else: one of them is ``FILE@REV`` or ``REV:FILE``, or ``asked`` says so.

    ``UsageError`` if two were asked for and there are not.
    """
    every = [*arguments, *(session.after or ())]
    if asked and len(every) != 2:
        raise UsageError("--files takes two files", hint="ox diff --files FILE[@REV] FILE[@REV]")
    if asked:
        return [file_at(session, repo, one, None) for one in every]
    if len(every) != 2 or session.after is not None or not any(map(_may_be_versioned, every)):
        return None
    if any(_is_revision(repo, one) for one in every):
        return None
    found = [file_at(session, repo, one, None) for one in every]
    return found if any(rev is not None for _, rev in found) else None


def _may_be_versioned(argument: str) -> bool:
    return "@" in argument or ":" in argument


def _is_version(repo: Repo, text: str) -> bool:
    if text == ":":
        return True
    try:
        return repo.revision(text).path is None
    except (NotFoundError, InvalidError):
        return False


def _below(session: Session, repo: Repo, path: str) -> bytes:
    if path.startswith(("./", "../")) or path in {".", ".."}:
        return session.path(repo, path)
    return os.fsencode(os.path.normpath(path)).strip(b"/") if path.strip("/") else b""


def _in_head(session: Session, repo: Repo, argument: str) -> bool:
    try:
        return repo.exists(session.path(repo, argument), "HEAD")
    except (InvalidError, NotFoundError):
        return False


def _is_revision(repo: Repo, argument: str) -> bool:
    if argument in {".", ".."}:  # folders, though they read as ranges
        return False
    try:
        repo.revisions(argument)
    except (NotFoundError, InvalidError):
        return False
    if _is_file(argument) and ".." not in argument:
        raise AmbiguousError(
            f"'{_shown(argument)}' is a revision and a file",
            hint="part revisions from paths with --: ox VERB REVISION -- PATH",
            items=[f"the revision {argument}", f"the file {argument}"],
        )
    return True


def _check_path(session: Session, repo: Repo, argument: str) -> None:
    if _is_file(argument) or _in_head(session, repo, argument) or is_pattern(os.fsencode(argument)):
        return
    try:
        repo.revisions(argument)
    except (NotFoundError, InvalidError) as error:
        hint = error.hint or "write -- before a path that is no longer there"
        message = f"'{_shown(argument)}' is neither a revision nor a path: {error.message}"
        raise type(error)(message, hint=hint, items=error.items) from error
    raise NotFoundError(f"'{_shown(argument)}' is no path", hint="revisions come before paths")


def _shown(argument: str) -> str:
    return show_path(os.fsencode(argument))


def _is_file(argument: str) -> bool:
    return bool(argument) and "\0" not in argument and os.path.lexists(argument)
