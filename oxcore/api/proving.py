"""The area of proof: predictions measured against a truth, and two such measurements compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypedDict, Unpack

from oxcore import verbs
from oxcore.api.base import RepoBase

if TYPE_CHECKING:
    from oxcore.api.evaluations import Columns
    from oxcore.insight.comparison import Comparison
    from oxcore.insight.evaluation import Evaluation
    from oxcore.insight.labels import Imported


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
        from oxcore.api import evaluations
        from oxcore.insight.evaluation import check_name, paths_of

        name = check_name(name or evaluations.name_of(pred))
        if commit:
            evaluations.check_stage(self._repo)
        made = evaluations.evaluation(self._repo, pred, on, key, name, columns)
        made = made._replace(note=evaluations.known(self._repo, name, made.note))
        files = dict(zip(paths_of(name), (made.rows, made.note), strict=True))
        if not evaluations.there(self._repo, files):
            verbs.place.place(self._repo, files, verb="eval", note=name)
        if not commit or self._repo.stage() == self._repo.head_tree():
            return Evaluated(made, None)
        done = verbs.commit.commit(self._repo, evaluations.message(made))
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
        from oxcore.api import evaluations
        from oxcore.insight.comparison import Bar, check, compare
        from oxcore.tables.engine import engine

        found = [evaluations.stored(self._repo, one) for one in (a, b)]
        for name, table in zip((a, b), found, strict=True):
            check(name, table.schema)
        schemas = dict(zip("ab", (table.schema for table in found), strict=True))
        with engine(dict(zip("ab", (table.reader for table in found), strict=True))) as sql:
            return compare(sql, (a, b), schemas, Bar(**bars), limit)

    def import_labels(
        self,
        file: str,
        branch: str,
        folder: str | bytes,
        *,
        key: str = "",
        value: str = "",
        source: str = "gold",
        match: str = "",
        author: str = "",
    ) -> Imported:
        """Take the ground truth in a table as feedback on records below ``folder`` of ``branch``.

        ``file``: a table on the disk, or ``"REV:PATH"``. Its column ``key`` is the record id or the
        hash of the input, or what ``match`` names: a column of examples, or SQL over them; one that
        is called as a column of examples is that. ``value`` is the label. Each is an event of the
        kind label, of this ``source``; one commit for all. Importing a table again adds nothing.
        Raises ``NotFoundError`` for what is not there, ``InvalidError`` for labels that contradict
        each other.
        """
        from oxcore.api import labelling

        say = labelling.Say(source, author)
        return labelling.import_labels(self._repo, file, branch, folder, (key, value, match), say)
