"""Where requests lie, what becomes of them, what a later model says: what ``requests`` calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from oxcore import tree, verbs
from oxcore.api import evaluations
from oxcore.errors import AmbiguousError, InvalidError, NotFoundError, RejectedError, UsageError
from oxcore.model.commits import Moment
from oxcore.model.entries import Entry, path_bytes, show_path
from oxcore.model.ids import parse_id
from oxcore.refs import branch_ref, check_ref_name, short_name
from oxcore.repo import Repository

if TYPE_CHECKING:
    import pyarrow as pa

    from oxcore.insight.comparison import Comparison
    from oxcore.insight.evaluation import Evaluation
    from oxcore.insight.figures import Figure
    from oxcore.insight.pinned import Relabelled
    from oxcore.insight.report import Example
    from oxcore.insight.requests import Request

HEADS, REMOTES = "refs/heads/", "refs/remotes/"
OWN = "request/"
"""What the branch of a request is called, before its name."""


class Kept(NamedTuple):
    """A request where it lies: ``branch`` as people call it ("" for a version that is none), the
    ``commit`` that was looked at, and the full name of the branch, ``ref``."""

    request: Request
    branch: str
    commit: bytes
    ref: str


class Step(NamedTuple):
    """A commit that changed a request: what it ``did`` (opened, passed, closed, reopened, edited,
    removed), when and by whom."""

    did: str
    commit: bytes
    author: str
    time: Moment
    title: str


class Details(NamedTuple):
    """A request with its history, the oldest step first; the first ``failing`` of the pinned
    records (``input_path`` is from ``folder``); how many pinned records kept their input
    (``inputs``); and those that have another label by now, None where their branch is not here."""

    kept: Kept
    folder: str
    failing: tuple[Example, ...]
    inputs: int
    history: tuple[Step, ...]
    relabelled: tuple[Relabelled, ...] | None


class Tested(NamedTuple):
    """What a later model came to on the pinned records: the ``figure`` that is asked for, what was
    fixed and what broke since (``comparison``), ``why`` it does not pass; ``commit``: the one that
    closed the request, None where there is none. ``kept`` is the request afterwards."""

    kept: Kept
    model: str
    figure: Figure
    evaluation: Evaluation
    comparison: Comparison
    why: tuple[str, ...]
    relabelled: tuple[Relabelled, ...] | None
    commit: bytes | None

    @property
    def passed(self) -> bool:
        """Whether the model does what is asked for."""
        return not self.why


# -- where they lie


def at(repo: Repository, root: bytes, name: str) -> Request | None:
    """The request of this name in a tree."""
    from oxcore.insight.requests import parse

    found = _file(repo, root, name)
    return None if found is None else parse(name, found)


def _file(repo: Repository, root: bytes, name: str) -> bytes | None:
    from oxcore.insight.requests import path_of

    entry = tree.get(repo.store, root, path_of(name))
    if entry is None:
        return None
    with verbs.files.open_entry(repo, entry) as file:
        return file.read()


def names(repo: Repository, root: bytes) -> Iterator[str]:
    """The names of the requests in a tree."""
    from oxcore.insight.requests import FOLDER, check_name

    for item in tree.listing(repo.store, root, FOLDER):
        name = item.name.decode("utf-8", "replace")
        try:
            check_name(name)
        except InvalidError:
            continue
        if item.entry is None and _file(repo, root, name) is not None:
            yield name


def every(repo: Repository, rev: str | None) -> list[Kept]:
    """The requests of a version, or of all branches, each as ``find`` has it."""
    if rev is not None:
        known = names(repo, verbs.names.resolve_tree(repo, rev))
        return [find(repo, name, rev) for name in sorted(known)]
    refs = [*repo.view().refs(HEADS).values(), *repo.view().refs(REMOTES).values()]
    trees = {repo.commit(parse_id(oid)).tree for oid in refs}
    found = {name for root in trees for name in names(repo, root)}
    return [kept for name in sorted(found) for kept in nearest(repo, name)]


def find(repo: Repository, name: str, rev: str | None = None) -> Kept:
    """The request of this name in a version, else on its own branch, on the present one, on any
    other, or on that of a remote: the first that has it.

    ``NotFoundError``; ``AmbiguousError`` where several others have it, and not the same.
    """
    kept = nearest(repo, name) if rev is None else _in(repo, name, rev)
    if not kept:
        raise _unknown(repo, name, rev)
    if len(kept) > 1:
        raise AmbiguousError(
            f"the request {name!r} is on {len(kept):,} branches, and not the same",
            hint="say which: --rev, or --onto",
            items=[one.branch for one in kept],
        )
    return kept[0]


def ref_of(repo: Repository, rev: str) -> str:
    """The full name of the branch that a revision names, "" if it names none."""
    ref = verbs.names.resolve(repo, rev).ref or ""
    ref = repo.view().head()[0] or "" if ref == "HEAD" else ref
    return ref if ref.startswith((HEADS, REMOTES)) else ""


def _in(repo: Repository, name: str, rev: str) -> list[Kept]:
    ref = ref_of(repo, rev)
    commit = verbs.names.resolve_commit(repo, rev)
    found = at(repo, repo.commit(commit).tree, name)
    return [] if found is None else [Kept(found, short_name(ref) if ref else "", commit, ref)]


def nearest(repo: Repository, name: str) -> list[Kept]:
    """The request where it is looked for first; several where branches say otherwise."""
    for refs in _places(repo, name):
        kept = list[Kept]()
        for ref in refs:
            one = _on(repo, name, ref)
            if one is not None and all(one.request != other.request for other in kept):
                kept.append(one)
        if kept:
            return kept
    return []


def _places(repo: Repository, name: str) -> Iterator[list[str]]:
    view = repo.view()
    own, head = f"{HEADS}{OWN}{name}", view.head()[0]
    local, remote = view.refs(HEADS), view.refs(REMOTES)
    yield [own] if own in local else []
    yield [head] if head in local else []
    yield [*local]
    yield [ref for ref in remote if ref.endswith(f"/{OWN}{name}")]
    yield [*remote]


def _on(repo: Repository, name: str, ref: str) -> Kept | None:
    commit = parse_id(repo.view()[ref])
    try:
        found = at(repo, repo.commit(commit).tree, name)
    except InvalidError as error:
        raise InvalidError(f"{short_name(ref)}: {error.message}", hint=error.hint) from None
    return None if found is None else Kept(found, short_name(ref), commit, ref)


def _unknown(repo: Repository, name: str, rev: str | None = None) -> NotFoundError:
    known = [one.request.name for one in every(repo, rev)]
    hint = f"there are: {', '.join(known)}" if known else "open one: ox request open"
    if rev is not None and (kept := nearest(repo, name)):
        hint = f"there is one on {kept[0].branch}"
    where = "" if rev is None else f" in {rev}"
    return NotFoundError(f"no request is called {name!r}{where}", hint=hint)


def rows_of(repo: Repository, kept: Kept) -> pa.Table:
    """The pinned records; ``InvalidError`` unless they are the ones that were pinned."""
    from oxcore.insight.pinned import load
    from oxcore.insight.requests import rows_of as path_of

    path = path_of(kept.request.name)
    entry = tree.get(repo.store, repo.commit(kept.commit).tree, path)
    if entry is None or entry.id.hex() != kept.request.rows:
        raise InvalidError(
            f"{show_path(path)} is {'not what was pinned' if entry else 'gone'}",
            hint=f"which commits changed it: ox log {kept.branch} -- {show_path(path)}",
        )
    with verbs.files.open_entry(repo, entry) as file:
        return load(show_path(path), file.read())


def history(repo: Repository, kept: Kept) -> tuple[Step, ...]:
    """The commits that changed a request, the oldest first."""
    from oxcore.insight.requests import path_of

    name = kept.request.name
    only = verbs.log.Filter((path_of(name),))
    steps = []
    for one in verbs.log.log(repo, [kept.commit.hex()], only=only):
        roots = (verbs.log.first_tree(repo, one.commit), one.commit.tree)
        before, after = (at(repo, root, name) for root in roots)
        author, commit = str(one.commit.author), one.commit
        steps.append(Step(_did(before, after), one.id, author, commit.time, commit.title))
    return tuple(reversed(steps))


def _did(before: Request | None, after: Request | None) -> str:
    if after is None:
        return "removed"
    if before is None:
        return "opened"
    if before.state == after.state:
        return "edited"
    return "reopened" if after.state == "open" else after.state


# -- what becomes of them


def target(kept: Kept) -> str:
    """The branch that a change of a request goes to; ``UsageError`` where it lies on none."""
    if not kept.ref:
        raise UsageError(f"{kept.commit.hex()[:10]} is no branch", hint="name one: --onto BRANCH")
    name = kept.ref.removeprefix(HEADS)
    return name if kept.ref.startswith(HEADS) else name.removeprefix(REMOTES).partition("/")[2]


def change(
    repo: Repository, kept: Kept, after: Request, message: str, more: Mapping[bytes, bytes | None]
) -> Kept:
    """Commit a request as it is now, and other files with it (None: be gone).

    One that is known of a remote only gets its branch here, which follows that. ``RejectedError``
    if the request is another meanwhile, or the branch here lacks it.
    """
    from oxcore.insight.requests import dump, path_of

    branch = target(kept)
    ref = branch_ref(branch)
    with repo.lock("request"):
        if kept.ref != ref:
            _follow(repo, kept, branch)
        found = _on(repo, after.name, ref)
        if found is None or found.request != kept.request:
            raise RejectedError(f"the request {after.name} changed meanwhile", hint="try again")
        with verbs.transaction.transaction(repo, branch, message=message) as t:
            t.put(path_of(after.name), dump(after))
            for path, data in more.items():
                if data is None:
                    t.remove(path)
                else:
                    t.put(path, data)
        return Kept(after, branch, parse_id(repo.view()[ref]), ref)


def _follow(repo: Repository, kept: Kept, branch: str) -> None:
    if branch_ref(branch) in repo.view():
        raise RejectedError(
            f"the branch {branch} here has not the request of {kept.branch}",
            hint=f"bring it up to date: ox switch {branch}, ox pull",
        )
    verbs.branch.create(repo, branch, kept.branch)


def begin(
    repo: Repository, made: Request, onto: str, files: Mapping[bytes, bytes | Entry], message: str
) -> Kept:
    """Commit a new request onto a branch, which is made of the present commit if it is not there.

    The caller holds the lock, and knows that there is no such request.
    """
    from oxcore.insight.requests import dump, path_of

    branch = onto or OWN + made.name
    ref = branch_ref(branch)
    check_ref_name(ref)
    start = repo.head()
    with verbs.transaction.transaction(repo, branch, message=message, start=start) as t:
        t.put(path_of(made.name), dump(made))
        for path, data in files.items():
            if isinstance(data, bytes):
                t.put(path, data)
            else:
                t.keep(path, data)
    return Kept(made, branch, parse_id(repo.view()[ref]), ref)


# -- what a later model says


class Said(NamedTuple):
    """Where a later model's answers are: ``pred``, a file, ``REV:PATH``, the name of an evaluation,
    or ``BRANCH:DIR``; the ``key`` and the ``prediction`` in it; and the ``model``."""

    pred: str
    key: str
    prediction: str
    model: str


class Answers(NamedTuple):
    """Answers to pinned records: key, prediction and confidence; where they came from; whose."""

    rows: pa.Table
    origin: Mapping[str, str]
    model: str


def answers(repo: Repository, request: Request, rows: pa.Table, said: Said) -> Answers:
    """What a later model says of the pinned records; raises as ``Requests.test_request``."""
    from oxcore.insight.pinned import answers_of
    from oxcore.tables import Table
    from oxcore.tables.engine import engine

    table, origin = evaluations.table_of(repo, said.pred)
    entry = evaluations.called(repo, said.pred) if table is None else None
    if entry is not None:
        path = f"evals/{said.pred}.parquet"
        table, origin = Table(verbs.df.stored(repo, entry, path)), {"path": path}
        origin["hash"] = entry.id.hex()
    if table is None:
        return _captured(repo, request, rows, said)
    with engine({"q": table.reader}) as sql:
        found = answers_of(sql, rows, table.schema, said.key, said.prediction)
    return Answers(found, origin, said.model or evaluations.name_of(said.pred))


def _captured(repo: Repository, request: Request, rows: pa.Table, said: Said) -> Answers:
    from oxcore.insight.examples import Reading, examples
    from oxcore.insight.pinned import captured_answers
    from oxcore.insight.records import captured
    from oxcore.insight.versus import of_model

    rev, _, folder = said.pred.partition(":")
    place = path_bytes(folder).strip(b"/")
    found = captured(repo, evaluations.tree_of(repo, rev, said.pred), place)
    field = said.prediction or request.prediction
    where = f"coalesce({of_model(said.model)}, false)" if said.model else "true"
    with examples(found, Reading(field), ("input_hash",)) as opened:
        told, models = captured_answers(opened, rows, where)
    if len(models) > 1:
        shown = ", ".join(one or "no model" for one in models)
        raise UsageError(
            f"the latest answers are of {len(models):,} models: {shown}", hint="say whose: --model"
        )
    origin = evaluations.origin_of(repo, rev, folder)
    return Answers(told, origin, models[0] or said.model or evaluations.name_of(said.pred))
