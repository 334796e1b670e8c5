"""How something said of records becomes events on a branch: what ``Insight.annotate`` calls."""

from __future__ import annotations

from collections.abc import Sequence

from oxcore import verbs
from oxcore.api.labelling import Say
from oxcore.capturing.events import Said, said
from oxcore.errors import InvalidError, NotFoundError, UsageError, counted
from oxcore.insight.records import captured
from oxcore.model.entries import path_bytes, show_path
from oxcore.model.ids import parse_id
from oxcore.refs import branch_ref
from oxcore.repo import Repository


def annotate(
    repo: Repository,
    branch: str,
    folder: str | bytes,
    records: Sequence[str],
    what: tuple[str, Sequence[object]],
    say: Say,
) -> bytes:
    """See ``Insight.annotate``; ``what``: a kind, and values."""
    kind, values = what
    tip = repo.view().get(branch_ref(branch))
    if tip is None:
        raise NotFoundError(f"no branch is called {branch!r}", hint="see: ox branch")
    if not kind or not records or not values:
        raise UsageError("say something, of some record", hint="a kind, records and values")
    if kind in {"tag", "untag"} and not all(isinstance(v, str) and v for v in values):
        raise InvalidError("a tag is text, and not empty")
    place = path_bytes(folder).strip(b"/")
    found = captured(repo, repo.commit(parse_id(tip)).tree, place)
    wanted = list(dict.fromkeys(records))
    missing = sorted(set(wanted) - found.records.having(wanted))
    if missing:
        more = f", and {len(missing) - 1:,} more" if len(missing) > 1 else ""
        raise NotFoundError(
            f"no record {missing[0]} lies below {show_path(place) or 'the dataset'}{more}",
            hint="ids are whole, as ox failures lists them",
        )
    who = say.author or repo.author().name
    events = [Said(one, kind, value, say.source, who) for one in wanted for value in values]
    shard = said(show_path(place), events, repo.settings.clock().us)
    message = f"{kind} of {counted(len(wanted), 'record')}"
    with verbs.transaction.transaction(repo, branch, message=message) as t:
        t.put(shard.path, shard.data)
    if t.commit_id is None:
        return parse_id(tip)
    return t.commit_id
