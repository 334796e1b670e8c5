"""Names of refs: the rules of git-check-ref-format(1), and the way between short and full."""

from __future__ import annotations

import re
from collections.abc import Iterable

from oxcore.errors import ExistsError, InvalidError

HEADS = "refs/heads/"
TAGS = "refs/tags/"
REMOTES = "refs/remotes/"

# Source: git-check-ref-format(1), rules 1 and 3 to 10; the second rule (at least one '/')
# is that every ref starts with "refs/". Texts: `re` compiles one when it is first used.
_RULES: tuple[tuple[str, str], ...] = (
    (r"(\A|/)\.", "no part may begin with a dot"),
    (r"\.lock(/|\Z)", "no part may end with '.lock'"),
    (r"\.\.", "it may not contain '..'"),
    (r"[\x00-\x20\x7f~^:]", "no control character, space, '~', '^' or ':'"),
    (r"[?*\[]", "no '?', '*' or '['"),
    (r"\A/|/\Z|//|\A\Z", "no part may be empty"),
    (r"\.\Z", "it may not end with a dot"),
    (r"@\{", "it may not contain '@{'"),
    (r"\A@\Z", "it may not be '@' alone"),
    (r"\\", "no backslash"),
    (r"[\ud800-\udfff]", "it must be valid Unicode"),
)


def check_ref_name(name: str) -> None:
    """Raise ``InvalidError`` naming the broken rule unless ``name`` may be a full ref name.

    A full name starts with ``refs/`` and has at least one more part.
    """
    if not name.startswith("refs/"):
        raise _invalid(name, "a full name starts with 'refs/'")
    _check(name, name)


def branch_ref(name: str) -> str:
    """``refs/heads/NAME``; ``InvalidError`` for a name that a branch cannot have.

    As in git a branch may neither start with '-' nor be called HEAD.
    """
    return _full(HEADS, name)


def tag_ref(name: str) -> str:
    """``refs/tags/NAME``; ``InvalidError`` for a name that a tag cannot have."""
    return _full(TAGS, name)


def remote_ref(remote: str, name: str) -> str:
    """``refs/remotes/REMOTE/NAME``: where branch ``name`` of ``remote`` was last seen."""
    if "/" in remote:
        raise _invalid(remote, "the name of a remote has no '/'")
    _check(remote, remote)
    return _full(f"{REMOTES}{remote}/", name)


def short_name(ref: str) -> str:
    """The name for people: without ``refs/heads/``, ``refs/tags/``, ``refs/remotes/`` or
    ``refs/``."""
    for prefix in (HEADS, TAGS, REMOTES, "refs/"):
        if ref.startswith(prefix):
            return ref[len(prefix) :]
    return ref


def check_no_clash(names: Iterable[str]) -> None:
    """Raise ``ExistsError`` if one of these refs is, as a path, a folder of another.

    Git refuses ``refs/heads/a`` beside ``refs/heads/a/b``; a repository that held both could
    not be exported to it, and ``a/b`` could not be told from a file of ``a``.
    """
    refs = set(names)
    for name in refs:
        at = name.find("/", len("refs/"))
        while at >= 0:
            if name[:at] in refs:
                raise ExistsError(
                    f"{name[:at]} and {name} cannot be beside each other",
                    hint="rename or delete the one that is there already, or take another name",
                )
            at = name.find("/", at + 1)


def _full(prefix: str, name: str) -> str:
    if name.startswith("-"):
        raise _invalid(name, "it may not start with '-'")
    if prefix == HEADS and name == "HEAD":
        raise _invalid(name, "no branch may be called HEAD")
    _check(prefix + name, name)
    return prefix + name


def _check(name: str, shown: str) -> None:
    for pattern, rule in _RULES:
        if re.search(pattern, name):
            raise _invalid(shown, rule)


def _invalid(name: str, rule: str) -> InvalidError:
    return InvalidError(f"{name!r} cannot be the name of a ref: {rule}")
