"""How evaluations are made of what a repository holds, and found again: what ``proving`` calls."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, BinaryIO, TypedDict

from oxcore import tree, verbs
from oxcore.errors import AmbiguousError, NotFoundError, UsageError
from oxcore.fs.atomic import storage_errors
from oxcore.model.entries import Entry, Mode, path_bytes, show_path
from oxcore.repo import Repository

if TYPE_CHECKING:
    import pyarrow as pa

    from oxcore.insight.evaluation import Evaluation
    from oxcore.insight.figures import Figure
    from oxcore.tables import Source, Table


class Columns(TypedDict, total=False):
    """What is what in the tables: ``oxcore.insight.evaluation.Columns``; and ``match``: the column
    of captured records that the key is."""

    truth: str
    prediction: str
    by: Sequence[str]
    within: float
    match: str


def evaluation(
    repo: Repository, pred: str, on: str, key: str, name: str, columns: Columns
) -> Evaluation:
    """Measure ``pred`` on ``on``; see ``Proving.evaluate``."""
    from oxcore.insight.evaluation import Columns as Chosen
    from oxcore.insight.evaluation import evaluate
    from oxcore.tables.engine import engine

    truth, truth_origin = _truth(repo, on)
    by = tuple(columns.get("by", ()))
    given = key or (truth.key[0] if len(truth.key) == 1 else "")
    within = columns.get("within", 0.0)
    prediction = columns.get("prediction", "")
    chosen = Chosen(given, columns.get("truth", ""), prediction, by, within)
    table, origin = table_of(repo, pred)
    if table is not None:
        told = {"truth": truth_origin, "predictions": origin}
        with engine({"t": truth.reader, "p": table.reader}) as sql:
            schemas = {"t": truth.schema, "p": table.schema}
            return evaluate(sql, schemas, name, chosen, told)
    rows, origin = _records(repo, pred, prediction, columns.get("match", "") or column_of(key))
    told = {"truth": truth_origin, "predictions": origin}
    with engine({"t": truth.reader}) as sql:
        sql.put("p", rows)
        schemas = {"t": truth.schema, "p": rows.schema}
        return evaluate(sql, schemas, name, chosen._replace(prediction=""), told)


def there(repo: Repository, files: Mapping[bytes, bytes]) -> bool:
    """Whether the stage holds these files."""
    from blake3 import blake3

    paths = sorted(files)
    entries = tree.get_many(repo.store, repo.stage(), paths)
    return all(
        entry is not None and entry.mode != Mode.LINK and entry.id == blake3(files[path]).digest()
        for path, entry in zip(paths, entries, strict=True)
    )


def known(repo: Repository, name: str, note: bytes) -> bytes:
    """The note; or that which lies there, if it tells the same of the same tables, which other
    commits have as well: to evaluate again what did not change is no new version."""
    from oxcore.insight.evaluation import paths_of, same_but_commits

    entry = tree.get(repo.store, repo.stage(), paths_of(name)[1])
    if entry is None:
        return note
    with verbs.files.open_entry(repo, entry) as file:
        old = file.read()
    return old if same_but_commits(old, note) else note


def _truth(repo: Repository, on: str) -> tuple[Table, dict[str, str]]:
    rev, colon, path = on.partition(":")
    if not colon or not path:
        raise UsageError(f"{on!r} names no table of a version", hint="as in main:gold.csv")
    table = _of_version(repo, rev, path_bytes(path))
    return table, origin_of(repo, rev, path, table)


def origin_of(repo: Repository, rev: str, path: str, table: Table | None = None) -> dict[str, str]:
    """Where something came from: a commit (none: it was staged), a path, the table's id."""
    told = {"commit": verbs.names.resolve_commit(repo, rev).hex()} if rev else {}
    oid = None if table is None else table.source.id
    return {**told, "path": path, **({} if oid is None else {"hash": oid.hex()})}


def _of_version(repo: Repository, rev: str, path: bytes) -> Table:
    return verbs.df.open_table(repo, path.strip(b"/"), rev or ":")


def table_of(repo: Repository, pred: str) -> tuple[Table | None, dict[str, str]]:
    """Predictions that are a table, a file or one of a version; None if they are records."""
    from oxcore.tables import Table

    if os.path.isfile(pred):
        source, oid = _outside(repo, pred)
        return Table(source), {"file": os.path.basename(pred), "hash": oid}
    rev, _, path = pred.partition(":")
    name = path_bytes(path).strip(b"/")
    if name and tree.get(repo.store, tree_of(repo, rev, pred), name) is not None:
        table = _of_version(repo, rev, name)
        return table, origin_of(repo, rev, path, table)
    return None, {}


def tree_of(repo: Repository, rev: str, pred: str) -> bytes:
    """The tree of the version in which predictions lie, for the error as they were named."""
    try:
        return verbs.files.root_of(repo, rev or ":")
    except NotFoundError as error:
        hint = "a file, REV:PATH, or BRANCH:DIR of captured records"
        raise NotFoundError(f"{pred!r}: {error.message}", hint=hint) from None


def _records(
    repo: Repository, pred: str, prediction: str, match: str
) -> tuple[pa.Table, dict[str, str]]:
    """What captured records predict: key, prediction, confidence."""
    from oxcore.insight.evaluation import said_by_records
    from oxcore.insight.examples import Reading, examples
    from oxcore.insight.records import captured

    rev, _, folder = pred.partition(":")
    place = path_bytes(folder).strip(b"/")
    found = captured(repo, tree_of(repo, rev, pred), place)
    with examples(found, Reading(prediction), (match or "input_hash",)) as opened:
        rows = said_by_records(opened.sql, match)
    return rows, {**origin_of(repo, rev, folder), "match": match or "record_id, input_hash"}


def check_stage(repo: Repository) -> None:
    """``UsageError`` if anything is staged."""
    if repo.stage() != repo.head_tree():
        raise UsageError(
            "other changes are staged, and an evaluation is a commit of its own",
            hint="commit them first, or leave the evaluation staged: --no-commit",
        )


def stored(repo: Repository, text: str) -> Table:
    """The table of an evaluation that is named."""
    from oxcore.tables import Table

    if ":" in text:
        root, path = verbs.names.resolve_path(repo, text)
        entry = tree.get(repo.store, root, path)
    else:
        entry = called(repo, text) or _only(repo, text)
    if entry is None or entry.mode == Mode.LINK:
        raise NotFoundError(f"no file is at {text!r}", hint="as in main:evals/NAME.parquet")
    return Table(verbs.df.stored(repo, entry, text))


def called(repo: Repository, name: str) -> Entry | None:
    """The table of the evaluation of this name, as it is staged; None if there is none."""
    from oxcore.insight.evaluation import FOLDER

    if not name or not {"/", "\0", ":"}.isdisjoint(name):
        return None
    here = repo.stage() if repo.worktree is not None else repo.head_tree()
    return tree.get(repo.store, here, FOLDER + b"/" + path_bytes(name) + b".parquet")


def _only(repo: Repository, rev: str) -> Entry:
    """The evaluation of a revision: the one that it has, or that its commit put there."""
    from oxcore.insight.evaluation import FOLDER

    try:
        commit = repo.commit(verbs.names.resolve_commit(repo, rev))
    except NotFoundError:
        hint = "a name (evals/NAME.parquet), REV:evals/NAME.parquet, or a commit of one"
        raise NotFoundError(f"no evaluation is called {rev!r}", hint=hint) from None
    found = _evaluations(tree.walk(repo.store, commit.tree, FOLDER + b"/"))
    if len(found) > 1 and commit.parents:
        before = repo.commit(commit.parents[0]).tree
        old = _evaluations(tree.walk(repo.store, before, FOLDER + b"/"))
        new = {path: entry for path, entry in found.items() if old.get(path) != entry}
        found = new if len(new) == 1 else found
    if len(found) == 1:
        return next(iter(found.values()))
    shown = [f"{rev}:{show_path(path)}" for path in found]
    if not found:
        raise NotFoundError(f"{rev} has no evaluation", hint="ox eval makes one")
    raise AmbiguousError(f"{rev} has {len(found):,} evaluations", hint="name one", items=shown)


def _evaluations(items: Iterable[tuple[bytes, Entry]]) -> dict[bytes, Entry]:
    return {path: entry for path, entry in items if path.endswith(b".parquet")}


def column_of(key: str) -> str:
    """The key, if it is called as a column of examples."""
    from oxcore.insight.examples import COLUMNS

    return key if key in COLUMNS else ""


def name_of(pred: str) -> str:
    """A name for what is predicted: of a file its stem, of records the branch."""
    rev, _, path = pred.partition(":")
    if os.path.isfile(pred) or os.path.splitext(path)[1]:
        return os.path.basename(pred if os.path.isfile(pred) else path).split(".")[0]
    return rev.replace("/", "-")


def message(made: Evaluation) -> str:
    """What the commit of an evaluation says."""
    whole = made.whole
    if made.task == "numbers":
        return f"eval {made.name}: mean absolute error {_shown(whole.mae)} of {whole.n:,}"
    share = "" if whole.accuracy.value is None else f"{whole.accuracy.value:.1%}"
    return f"eval {made.name}: {share} of {whole.n:,} right"


def _shown(figure: Figure) -> str:
    return "-" if figure.value is None else f"{figure.value:.4g}"


def _outside(repo: Repository, path: str) -> tuple[Source, str]:
    """A file of the disk as the source of a table, and the BLAKE3 of its bytes."""
    from blake3 import blake3

    from oxcore.tables import Source

    with storage_errors(f"read {path}"), open(path, "rb") as file:
        found = os.fstat(file.fileno())
        hasher = blake3()
        while piece := file.read(1 << 20):
            hasher.update(piece)
    if not stat.S_ISREG(found.st_mode):
        raise UsageError(f"{path} is not a file")
    opener = partial(_open, path)
    return Source(path, found.st_size, opener, counters=repo.counters), hasher.hexdigest()


def _open(path: str) -> BinaryIO:
    with storage_errors(f"read {path}"):
        return open(path, "rb")
