"""From what people call a commit to its id."""

from __future__ import annotations

import re

from oxcore.errors import AmbiguousError, InvalidError, MissingError, NotFoundError, counted
from oxcore.history.names import Names, Revision
from oxcore.history.parse import Parsed, Step, parse, parse_time
from oxcore.model.entries import path_bytes, show_path
from oxcore.model.ids import ID_LEN, Kind

_PLACES = ("{}", "refs/{}", "refs/tags/{}", "refs/heads/{}", "refs/remotes/{}")
_HEX = r"[0-9a-fA-F]{4,64}"
_SHOWN = 12  # hex digits of an id among candidates


def resolve(text: str, names: Names, *, zone: int = 0) -> Revision:
    """The commit that ``text`` names, by the grammar of git's revisions.

    Names (``main``, ``v1``, ``origin/main``, ``refs/...``), ``HEAD`` or ``@``, ids of 4 to 64 hex
    digits, then ``@{n}``, ``@{time}``, ``@{-n}``, ``@{u}``, any of ``~n ^n ^{} ^{commit}``, and
    ``:path``. ``zone``: minutes east of UTC for times that have none. Raises ``NotFoundError``,
    ``AmbiguousError``, ``InvalidError`` for the form, ``MissingError`` past a shallow clone's end.
    """
    parsed = parse(text)
    ref, oid = _start(parsed, names, zone)
    tag = oid if names.kind(oid) == Kind.TAG else None
    oid = _peel(oid, names)
    for step in parsed.steps:
        oid = _walk(text, oid, step, names)
    if names.kind(oid) != Kind.COMMIT:
        raise MissingError(f"the commit {oid.hex()} is not here", items=[oid.hex()])
    moved = any(step.kind != "peel" for step in parsed.steps)
    return Revision(oid, text, None if moved else ref, tag, parsed.path)


def find_ref(name: str, names: Names) -> str | None:
    """The full name of the ref that a short or full name means, None if there is none.

    Looks for the name itself, then below ``refs/``, tags, branches and remotes;
    ``AmbiguousError`` if it is there more than once.
    """
    if name in {"HEAD", "@"}:
        return "HEAD"
    places = [place.format(name) for place in _PLACES]
    known = [place for place in places if place.startswith("refs/")]
    found = [place for place in known if names.ref(place) is not None]
    if len(found) > 1:
        raise AmbiguousError(
            f"{name!r} names more than one thing: {' and '.join(found)}",
            hint=f"write the full name, such as {found[0]}",
            items=found,
        )
    return found[0] if found else None


def _start(parsed: Parsed, names: Names, zone: int) -> tuple[str | None, bytes]:
    """The ref, if one is named, and the id before any steps."""
    base, selector = parsed.base, parsed.selector
    if selector is None:
        return _named(base, names)
    if selector.startswith("-"):
        return _previous(base, selector, names)
    ref = find_ref(base, names) if base else names.current() or "HEAD"
    if ref is None:
        raise _unknown(base, names)
    if selector.lower() in {"u", "upstream"}:
        return _upstream(ref, names)
    return None, _logged(ref, selector, names, zone)


def _named(base: str, names: Names) -> tuple[str | None, bytes]:
    if len(base) == 2 * ID_LEN and re.fullmatch(_HEX, base):
        return None, _by_id(base, names)
    ref = find_ref(base, names)
    if ref is not None:
        return ref, _held(ref, names)
    if re.fullmatch(_HEX, base):
        return None, _by_id(base, names)
    raise _unknown(base, names)


def _held(ref: str, names: Names) -> bytes:
    oid = names.ref(ref)
    if oid is None:
        raise NotFoundError(f"{ref} has no commit yet", hint="commit something first")
    return oid


def _by_id(digits: str, names: Names) -> bytes:
    low = digits.lower()
    prefix = bytes.fromhex(low[: len(low) // 2 * 2])
    wanted = {Kind.COMMIT, Kind.TAG}
    rows = sorted(set(names.find(prefix)))
    found = [oid for oid, kind in rows if kind in wanted and oid.hex().startswith(low)]
    if len(found) > 1:
        raise AmbiguousError(
            f"{digits!r} is the start of {len(found)} ids",
            hint="write more digits",
            items=[_candidate(oid, names) for oid in found],
        )
    if not found:
        raise _unknown(digits, names)
    return found[0]


def _candidate(oid: bytes, names: Names) -> str:
    if names.kind(oid) == Kind.TAG:
        tag = names.tag(oid)
        return f"{oid.hex()[:_SHOWN]} {tag.time.iso()[:10]} tag {tag.name}"
    commit = names.commit(oid)
    return f"{oid.hex()[:_SHOWN]} {commit.time.iso()[:10]} {commit.title}"


def _previous(base: str, selector: str, names: Names) -> tuple[str | None, bytes]:
    count = selector[1:]
    if base or not count.isdecimal() or not 0 < len(count) < 7 or int(count) == 0:
        raise InvalidError(
            f"not a revision: '{base}@{{{selector}}}'",
            hint="@{-1} is the branch before this one, @{-2} the one before that",
        )
    name = names.previous(int(count))
    if name is None:
        raise NotFoundError(f"@{{-{count}}} goes too far back: so many branches were not left")
    return _named(name, names)


def _upstream(ref: str, names: Names) -> tuple[str | None, bytes]:
    branch = names.current() if ref == "HEAD" else ref
    followed = names.upstream(branch) if branch else None
    if followed is None:
        raise NotFoundError(f"{branch or ref} follows no remote branch")
    oid = names.ref(followed)
    if oid is None:
        raise NotFoundError(f"{followed}, which {branch} follows, was not fetched yet")
    return followed, oid


def _logged(ref: str, selector: str, names: Names, zone: int) -> bytes:
    """What a ref held so many changes ago, or at a time."""
    log = names.reflog(ref)
    if selector.isdecimal() and len(selector) < 7:
        if int(selector) >= len(log):
            raise NotFoundError(
                f"{ref} was set {counted(len(log), 'time')}: there is no {ref}@{{{selector}}}"
            )
        oid = log[int(selector)][1]
    else:
        moment = parse_time(selector, zone)
        rows = [value for when, value in log if when <= moment]
        if not rows:
            raise NotFoundError(f"{ref} was not there at {selector}")
        oid = rows[0]
    if oid is None:
        raise NotFoundError(f"{ref} held nothing at {selector}")
    return oid


def _peel(oid: bytes, names: Names) -> bytes:
    for _ in range(10):
        if names.kind(oid) != Kind.TAG:
            return oid
        oid = names.tag(oid).target
    raise NotFoundError(f"the tag {oid.hex()} leads to no commit")


def _walk(text: str, oid: bytes, step: Step, names: Names) -> bytes:
    if step.kind == "peel" or (step.kind == "^" and not step.number):
        return oid
    if step.kind == "^":
        return _parent(text, oid, step.number, names)
    for _ in range(step.number):
        oid = _parent(text, oid, 1, names)
    return oid


def _parent(text: str, oid: bytes, number: int, names: Names) -> bytes:
    parents = names.commit(oid).parents
    if number > len(parents):
        has = {0: "is a first commit", 1: "has one parent"}.get(
            len(parents), f"has {len(parents)} parents"
        )
        raise NotFoundError(
            f"{text!r} goes too far: {oid.hex()[:_SHOWN]} {has}", hint="see: ox log --graph"
        )
    return parents[number - 1]


def _unknown(name: str, names: Names) -> NotFoundError:
    from difflib import get_close_matches

    short = {_short(ref): None for ref in names.refs()}
    close = get_close_matches(name, [*short, "HEAD"], n=3)
    hint = "see: ox branch --all, ox tag, ox log"
    if close:
        hint = "did you mean " + " or ".join(repr(match) for match in close) + "?"
    shown = show_path(path_bytes(name))
    return NotFoundError(f"no branch, tag or commit is called '{shown}'", hint=hint, items=close)


def _short(ref: str) -> str:
    for place in ("refs/heads/", "refs/tags/", "refs/remotes/", "refs/"):
        if ref.startswith(place):
            return ref[len(place) :]
    return ref
