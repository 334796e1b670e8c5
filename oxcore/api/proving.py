"""The area of proof: predictions measured against a truth, and two such measurements compared."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, TypedDict, Unpack

from oxcore import tree, verbs
from oxcore.api.base import RepoBase
from oxcore.errors import AmbiguousError, NotFoundError, UsageError
from oxcore.fs.atomic import storage_errors
from oxcore.model.entries import Entry, Mode, path_bytes, show_path

if TYPE_CHECKING:
    import pyarrow as pa

    from oxcore.insight.comparison import Comparison
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


class Bars(TypedDict, total=False):
    """What counts as a regression: ``oxcore.insight.comparison.Bar``."""

    alpha: float | None
    max_broken: int | None
    tolerance: float | None


class Evaluated(NamedTuple):
    """An evaluation, and the id of the commit that keeps it (None: it is staged, or was there)."""

    evaluation: Evaluation
    commit: bytes | None


class Proving(RepoBase):
    """``evaluate``, ``compare_evaluations`` and ``import_labels``."""

    def evaluate(
        self,
        pred: str,
        on: str,
        *,
        key: str = "",
        name: str = "",
        commit: bool = True,
        **columns: Unpack[Columns],
    ) -> Evaluated:
        """Measure predictions against the truth table ``on`` (``"REV:PATH"``), and keep it.

        ``pred`` is a table with a key, a ``prediction`` and, if it is known, a ``confidence``: a
        file, or ``"REV:PATH"``; or captured records: ``"BRANCH:DIR"``, matched with the key by
        record id or hash of the input, or by the column ``match``. ``key`` names the column of the
        truth (otherwise the key of its schema, ``key``, ``record_id`` or ``id``), ``truth`` and
        ``prediction`` other columns, ``by`` columns of the truth to cut figures by, ``within`` how
        far off a number is still right. A key without a prediction is wrong.

        What is measured becomes ``evals/NAME.parquet`` (key, truth, prediction, correct,
        confidence) and ``evals/NAME.json`` on the present branch; without ``commit`` they are
        staged. The same inputs give the same bytes. Raises ``NotFoundError`` for what is not there,
        ``InvalidError`` for keys that occur twice or fit nothing, ``UsageError`` if other changes
        are staged.
        """
        from oxcore.insight.evaluation import check_name, paths_of

        name = check_name(name or _name_of(pred))
        if commit:
            self._check_stage()
        made = self._evaluation(pred, on, key, name, columns)
        made = made._replace(note=self._known(name, made.note))
        files = dict(zip(paths_of(name), (made.rows, made.note), strict=True))
        if not self._there(files):
            verbs.place.place(self._repo, files, verb="eval", note=name)
        if not commit or self._repo.stage() == self._repo.head_tree():
            return Evaluated(made, None)
        done = verbs.commit.commit(self._repo, _message(made))
        return Evaluated(made, done.id)

    def compare_evaluations(
        self, a: str, b: str, *, limit: int = 20, **bars: Unpack[Bars]
    ) -> Comparison:
        """What the evaluation ``b`` fixes and what it breaks, against ``a``.

        Each is a name (as it is staged), ``"REV:evals/NAME.parquet"``, or a revision in which there
        is one evaluation, or which is the commit of one. ``limit``: so many of the fixed and of the
        broken are listed. For ``bars``, and so for ``.regression``, see
        ``oxcore.insight.comparison.Bar``. Raises ``NotFoundError``, ``AmbiguousError`` where a
        revision has several, ``InvalidError`` for what is no evaluation, or where no key is in
        both.
        """
        from oxcore.insight.comparison import Bar, check, compare
        from oxcore.tables.engine import engine

        found = [self._stored(one) for one in (a, b)]
        for name, table in zip((a, b), found, strict=True):
            check(name, table.schema)
        schemas = dict(zip("ab", (table.schema for table in found), strict=True))
        with engine(dict(zip("ab", (table.reader for table in found), strict=True))) as sql:
            return compare(sql, (a, b), schemas, Bar(**bars), limit)

    def _evaluation(self, pred: str, on: str, key: str, name: str, columns: Columns) -> Evaluation:
        from oxcore.insight.evaluation import Columns as Chosen
        from oxcore.insight.evaluation import evaluate
        from oxcore.tables.engine import engine

        truth, truth_origin = self._truth(on)
        by = tuple(columns.get("by", ()))
        given = key or (truth.key[0] if len(truth.key) == 1 else "")
        within = columns.get("within", 0.0)
        prediction = columns.get("prediction", "")
        chosen = Chosen(given, columns.get("truth", ""), prediction, by, within)
        table, origin = self._table(pred)
        if table is not None:
            told = {"truth": truth_origin, "predictions": origin}
            with engine({"t": truth.reader, "p": table.reader}) as sql:
                schemas = {"t": truth.schema, "p": table.schema}
                return evaluate(sql, schemas, name, chosen, told)
        rows, origin = self._records(pred, prediction, columns.get("match", ""))
        told = {"truth": truth_origin, "predictions": origin}
        with engine({"t": truth.reader}) as sql:
            sql.put("p", rows)
            schemas = {"t": truth.schema, "p": rows.schema}
            return evaluate(sql, schemas, name, chosen._replace(prediction=""), told)

    def _there(self, files: Mapping[bytes, bytes]) -> bool:
        """Whether the stage holds these files."""
        from blake3 import blake3

        paths = sorted(files)
        entries = tree.get_many(self._repo.store, self._repo.stage(), paths)
        return all(
            entry is not None
            and entry.mode != Mode.LINK
            and entry.id == blake3(files[path]).digest()
            for path, entry in zip(paths, entries, strict=True)
        )

    def _known(self, name: str, note: bytes) -> bytes:
        """The note; or that which lies there, if it tells the same of the same tables, which other
        commits have as well: to evaluate again what did not change is no new version."""
        from oxcore.insight.evaluation import paths_of, same_but_commits

        entry = tree.get(self._repo.store, self._repo.stage(), paths_of(name)[1])
        if entry is None:
            return note
        with verbs.files.open_entry(self._repo, entry) as file:
            old = file.read()
        return old if same_but_commits(old, note) else note

    def _truth(self, on: str) -> tuple[Table, dict[str, str]]:
        rev, colon, path = on.partition(":")
        if not colon or not path:
            raise UsageError(f"{on!r} names no table of a version", hint="as in main:gold.csv")
        table = self._of_version(rev, path_bytes(path))
        return table, self._origin(rev, path, table)

    def _origin(self, rev: str, path: str, table: Table | None = None) -> dict[str, str]:
        """Where something came from: a commit (none: it was staged), a path, the table's id."""
        told = {"commit": verbs.names.resolve_commit(self._repo, rev).hex()} if rev else {}
        oid = None if table is None else table.source.id
        return {**told, "path": path, **({} if oid is None else {"hash": oid.hex()})}

    def _of_version(self, rev: str, path: bytes) -> Table:
        return verbs.df.open_table(self._repo, path.strip(b"/"), rev or ":")

    def _table(self, pred: str) -> tuple[Table | None, dict[str, str]]:
        """Predictions that are a table, a file or one of a version; None if they are records."""
        from oxcore.tables import Table

        if os.path.isfile(pred):
            source, oid = _outside(pred)
            return Table(source), {"file": os.path.basename(pred), "hash": oid}
        rev, _, path = pred.partition(":")
        name = path_bytes(path).strip(b"/")
        if name and tree.get(self._repo.store, self._root(rev, pred), name) is not None:
            table = self._of_version(rev, name)
            return table, self._origin(rev, path, table)
        return None, {}

    def _root(self, rev: str, pred: str) -> bytes:
        try:
            return verbs.files.root_of(self._repo, rev or ":")
        except NotFoundError as error:
            hint = "a file, REV:PATH, or BRANCH:DIR of captured records"
            raise NotFoundError(f"{pred!r}: {error.message}", hint=hint) from None

    def _records(self, pred: str, prediction: str, match: str) -> tuple[pa.Table, dict[str, str]]:
        """What captured records predict: key, prediction, confidence."""
        from oxcore.insight.evaluation import said_by_records
        from oxcore.insight.examples import Reading, examples
        from oxcore.insight.records import captured

        rev, _, folder = pred.partition(":")
        place = path_bytes(folder).strip(b"/")
        found = captured(self._repo, self._root(rev, pred), place)
        with examples(found, Reading(prediction), (match or "input_hash",)) as opened:
            rows = said_by_records(opened.sql, match)
        return rows, {**self._origin(rev, folder), "match": match or "record_id, input_hash"}

    def _check_stage(self) -> None:
        if self._repo.stage() != self._repo.head_tree():
            raise UsageError(
                "other changes are staged, and an evaluation is a commit of its own",
                hint="commit them first, or leave the evaluation staged: --no-commit",
            )

    def _stored(self, text: str) -> Table:
        """The table of an evaluation that is named."""
        from oxcore.insight.evaluation import FOLDER
        from oxcore.tables import Table

        name = FOLDER + b"/" + path_bytes(text) + b".parquet"
        here = self._repo.stage() if self._repo.worktree is not None else self._repo.head_tree()
        if ":" in text:
            root, path = verbs.names.resolve_path(self._repo, text)
            entry = tree.get(self._repo.store, root, path)
        else:
            entry = tree.get(self._repo.store, here, name) if _plain(text) else None
            entry = entry or self._only(text)
        if entry is None or entry.mode == Mode.LINK:
            raise NotFoundError(f"no file is at {text!r}", hint="as in main:evals/NAME.parquet")
        return Table(verbs.df.stored(self._repo, entry, text))

    def _only(self, rev: str) -> Entry:
        """The evaluation of a revision: the one that it has, or that its commit put there."""
        from oxcore.insight.evaluation import FOLDER

        try:
            commit = self._repo.commit(verbs.names.resolve_commit(self._repo, rev))
        except NotFoundError:
            hint = "a name (evals/NAME.parquet), REV:evals/NAME.parquet, or a commit of one"
            raise NotFoundError(f"no evaluation is called {rev!r}", hint=hint) from None
        found = _evaluations(tree.walk(self._repo.store, commit.tree, FOLDER + b"/"))
        if len(found) > 1 and commit.parents:
            before = self._repo.commit(commit.parents[0]).tree
            old = _evaluations(tree.walk(self._repo.store, before, FOLDER + b"/"))
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


def _plain(text: str) -> bool:
    return bool(text) and "/" not in text and "\0" not in text


def _name_of(pred: str) -> str:
    """A name for what is predicted: of a file its stem, of records the branch."""
    rev, _, path = pred.partition(":")
    if os.path.isfile(pred) or os.path.splitext(path)[1]:
        return os.path.basename(pred if os.path.isfile(pred) else path).split(".")[0]
    return rev.replace("/", "-")


def _message(made: Evaluation) -> str:
    whole = made.whole
    if made.task == "numbers":
        return f"eval {made.name}: mean absolute error {_shown(whole.mae)} of {whole.n:,}"
    share = "" if whole.accuracy.value is None else f"{whole.accuracy.value:.1%}"
    return f"eval {made.name}: {share} of {whole.n:,} right"


def _shown(figure: Figure) -> str:
    return "-" if figure.value is None else f"{figure.value:.4g}"


def _outside(path: str) -> tuple[Source, str]:
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
    digest = hasher.digest()
    return Source(path, found.st_size, partial(_open, path)), digest.hex()


def _open(path: str) -> BinaryIO:
    with storage_errors(f"read {path}"):
        return open(path, "rb")
