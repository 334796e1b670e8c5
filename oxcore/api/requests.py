"""Failures that go back to who owns the model, until a later one mends them: what ``proving``
calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypedDict

from oxcore import verbs
from oxcore.api import requesting
from oxcore.api.insight import How, Insight, condition_of, file_of
from oxcore.api.requesting import Details, Kept, Said, Tested
from oxcore.errors import (
    CorruptError,
    ExistsError,
    InvalidError,
    MissingError,
    NotFoundError,
    UsageError,
    counted,
)
from oxcore.insight import pinned
from oxcore.insight import requests as files
from oxcore.insight.chosen import TEXTS, Picked, pick
from oxcore.insight.examples import checked
from oxcore.insight.split import check
from oxcore.insight.versus import of_model
from oxcore.model.entries import Entry, path_bytes, show_path
from oxcore.refs import short_name
from oxcore.repo import Repository

if TYPE_CHECKING:
    import pyarrow as pa


class Ask(TypedDict, total=False):
    """All that may be said of a request; see ``Proving.open_request``."""

    metric: str
    at_least: float | None
    at_most: float | None
    within: float
    owner: str
    note: str
    model: str
    split: float | None
    proposed: bool
    slices_of: str | None
    prediction: str
    trust: tuple[str, ...]
    onto: str


class Wanted(NamedTuple):
    """What a new request is called, and the slice of records that it is about."""

    name: str
    branch: str
    folder: str | bytes
    slice: str


def details(area: Insight, repo: Repository, name: str, rev: str | None, limit: int) -> Details:
    """See ``Proving.request``."""
    kept = requesting.find(repo, name, rev)
    rows = requesting.rows_of(repo, kept)
    return Details(
        kept,
        show_path(files.folder_of(name)),
        tuple(pinned.failing(rows, limit)),
        len(rows) - rows.column("path").null_count,
        requesting.history(repo, kept),
        _relabelled(area, kept.request, rows),
    )


def opened(area: Insight, repo: Repository, wanted: Wanted, ask: Ask, *, dry_run: bool) -> Kept:
    """See ``Proving.open_request``."""
    goal = files.checked(
        files.Goal(
            ask.get("metric", "accuracy"),
            ask.get("at_least"),
            ask.get("at_most"),
            ask.get("within", 0.0),
        )
    )
    _check_free(repo, files.check_name(wanted.name))
    request, more = _asked(area, repo, wanted, goal, ask)
    if dry_run:
        return Kept(request, "", bytes.fromhex(request.commit), "")
    records = counted(request.n, "record")
    message = f"request {wanted.name}: {files.asked(goal)} on {records} of {wanted.slice}"
    with repo.lock("request"):
        _check_free(repo, wanted.name)
        return requesting.begin(repo, request, ask.get("onto", ""), more, message)


def tested(
    area: Insight, repo: Repository, kept: Kept, said: Said, *, dry_run: bool, limit: int
) -> Tested:
    """See ``Proving.test_request``."""
    request = kept.request
    goal, rows = request.goal, requesting.rows_of(repo, kept)
    told = requesting.answers(repo, request, rows, said)
    names = (", ".join(request.model) or "then", told.model)
    made, compared = pinned.judged(rows, told.rows, goal.within, names, limit)
    figure, why = files.figure_of(goal, made), files.lacking(goal, made)
    drift = _relabelled(area, request, rows)
    done = Tested(kept, told.model, figure, made, compared, why, drift, None)
    if why or dry_run or request.state != "open":
        return done
    versus = compared.versus
    passed = {
        "model": told.model,
        **told.origin,
        **files.standing(goal, made),
        "fixed": versus.fixed,
        "broken": versus.broken,
        "p": versus.p,
    }
    value = files.shown(goal, figure.value or 0.0)
    message = f"request {request.name}: passed by {told.model}, {goal.metric} {value}"
    more = {files.passed_of(request.name): made.rows}
    kept = requesting.change(repo, kept, request.moved("passed", passed=passed), message, more)
    return done._replace(kept=kept, commit=kept.commit)


def closed(repo: Repository, kept: Kept, reason: str) -> Kept:
    """See ``Proving.close_request``."""
    name = kept.request.name
    if not reason.strip():
        raise UsageError("closed for what reason?", hint="--reason TEXT")
    if kept.request.state != "open":
        raise UsageError(f"the request {name} is {kept.request.state} already")
    after = kept.request.moved("closed", reason=reason)
    return requesting.change(repo, kept, after, f"request {name}: closed, {reason}", {})


def reopened(repo: Repository, kept: Kept) -> Kept:
    """See ``Proving.reopen_request``."""
    name = kept.request.name
    if kept.request.state == "open":
        raise UsageError(f"the request {name} is open")
    more = {files.passed_of(name): None}
    after = kept.request.moved("open")
    return requesting.change(repo, kept, after, f"request {name}: reopened", more)


def _check_free(repo: Repository, name: str) -> None:
    """``ExistsError`` if any branch has a request of this name."""
    for kept in requesting.nearest(repo, name):
        raise ExistsError(
            f"there is a request {name!r} already, {kept.request.state}, on {kept.branch}",
            hint="take another name, or: ox request reopen",
        )


def _asked(
    area: Insight, repo: Repository, wanted: Wanted, goal: files.Goal, ask: Ask
) -> tuple[files.Request, dict[bytes, bytes | Entry]]:
    """A new request, and the files that it comes with."""
    pins, picked = _pins(area, repo, wanted, ask)
    rows, made = pinned.measured(pins.rows, goal.within)
    files.fitting(goal, made)
    if not files.lacking(goal, made):
        value = files.shown(goal, files.figure_of(goal, made).value or 0.0)
        raise InvalidError(
            f"the {goal.metric} of {wanted.slice} is {value} already, of {made.whole.n:,}",
            hint="ask for more than that, or of another slice",
        )
    data, slices = pinned.dump(rows), ask.get("slices_of")
    ref = requesting.ref_of(repo, wanted.branch)
    request = files.Request(
        name=wanted.name,
        state="open",
        owner=ask.get("owner", ""),
        note=ask.get("note", ""),
        slice=wanted.slice,
        model=tuple(sorted({one for one in rows.column("model").to_pylist() if one})),
        unlabelled=picked.unlabelled,
        proposed=picked.proposed,
        split=ask.get("split"),
        prediction=ask.get("prediction", ""),
        trust=ask.get("trust", ()),
        branch=short_name(ref) if ref else wanted.branch,
        folder=show_path(path_bytes(wanted.folder).strip(b"/")),
        commit=verbs.names.resolve_commit(repo, wanted.branch).hex(),
        slices=verbs.names.resolve_commit(repo, slices).hex() if slices else "",
        rows=_hash(data),
        **goal._asdict(),
        **files.standing(goal, made),
    )
    below = files.folder_of(wanted.name) + b"/"
    inputs = {below + path.encode(): entry for path, entry in pins.inputs.items()}
    return request, {files.rows_of(wanted.name): data, **inputs}


def _pins(area: Insight, repo: Repository, wanted: Wanted, ask: Ask) -> tuple[pinned.Pins, Picked]:
    """The labelled records of a slice."""
    source = ask.get("slices_of") or wanted.branch
    if source.startswith(":"):
        raise UsageError("a slice that is staged is of no version yet", hint="first: ox commit")
    where = condition_of(area.slices(source), wanted.slice, source)
    share, model = ask.get("split"), ask.get("model", "")
    if share is not None:
        check(share)
    place = path_bytes(wanted.folder).strip(b"/")
    root = verbs.names.resolve_tree(repo, wanted.branch)
    how = _how(ask.get("prediction", ""), ask.get("trust", ()))
    texts = (where, *TEXTS, *pinned.TEXTS)
    with area.examples(wanted.branch, wanted.folder, texts=texts, **how) as found:
        chosen = checked(found.sql, where, file_of(wanted.slice))
        if model:
            chosen += f" AND coalesce({of_model(model)}, false)"
        proposed = ask.get("proposed", False)
        picked = pick(repo, found, root, place, chosen, proposed=proposed)
        made = pinned.pins(found, picked, share)
    if not len(made.rows):
        raise _unlabelled(wanted, model, picked)
    return made, picked


def _relabelled(
    area: Insight, request: files.Request, rows: pa.Table
) -> tuple[pinned.Relabelled, ...] | None:
    """The pinned records that are labelled otherwise by now; None if that cannot be known: whatever
    became of the branch, it is no matter of the request."""
    how = _how(request.prediction, request.trust)
    try:
        with area.examples(request.branch, request.folder, texts=(), **how) as found:
            return tuple(pinned.relabelled(found, rows))
    except (NotFoundError, InvalidError, CorruptError, MissingError):
        return None


def _how(prediction: str, trust: tuple[str, ...]) -> How:
    how: How = {"prediction": prediction}
    if trust:
        how["trust"] = trust
    return how


def _hash(data: bytes) -> str:
    from blake3 import blake3

    return blake3(data).hexdigest()


def _unlabelled(wanted: Wanted, model: str, picked: Picked) -> InvalidError:
    """The error for a slice of which nothing is known."""
    of_model = f" of {model}" if model else ""
    if picked.rows:
        why, hint = "no labelled record for the test", "a larger --split, or none"
    elif picked.proposed:
        why = f"no label but the {picked.proposed:,} that rules or models propose"
        hint = "say what is right: ox failures correct; or count proposals: --proposed"
    elif picked.unlabelled:
        why = f"no label on any of its {counted(picked.unlabelled, 'record')}"
        hint = "say what is right: ox failures correct, or a table: ox label import"
    else:
        place = f"{wanted.branch} {show_path(path_bytes(wanted.folder))}"
        why, hint = "no record", f"which are in it? ox slice test {wanted.slice} {place}"
    return InvalidError(f"the slice {wanted.slice}{of_model} has {why}", hint=hint)
