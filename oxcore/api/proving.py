"""The area of proof: predictions measured and compared, and requests that a later model meets."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypedDict, Unpack

from oxcore import verbs
from oxcore.api.insight import Insight

if TYPE_CHECKING:
    from oxcore.api.evaluations import Columns
    from oxcore.api.requesting import Details, Kept, Tested
    from oxcore.api.requests import Ask
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


class Proving(Insight):
    """``evaluate``, ``compare_evaluations``, ``import_labels``; ``open_request`` and its like."""

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
        done = verbs.commit.commit(self._repo, evaluations.message(made), guard=self._guard())
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

    def requests(self, rev: str | None = None) -> list[Kept]:
        """The requests by name, open or not: those of a version, or else of all branches.

        Of one that is on several branches, that on its own (``request/NAME``), else that of the
        present branch, else of any other, else of a remote's.
        """
        from oxcore.api import requesting

        return requesting.every(self._repo, rev)

    def request(self, name: str, rev: str | None = None, *, limit: int = 20) -> Details:
        """A request with the first ``limit`` of its failing records, and its history.

        Looked for as in ``requests``. Raises ``NotFoundError``, ``AmbiguousError`` where branches
        say otherwise, ``InvalidError`` if its files are not as they were written.
        """
        from oxcore.api import requests

        return requests.details(self, self._repo, name, rev, limit)

    def open_request(
        self,
        name: str,
        branch: str,
        folder: str | bytes,
        slice_name: str,
        *,
        dry_run: bool = False,
        **ask: Unpack[Ask],
    ) -> Kept:
        """Pin the labelled records of a slice, and ask for a model that does better on them.

        ``metric`` (accuracy, if none is named) has to be ``at_least`` or, where less is better,
        ``at_most`` so much; ``within`` says how far off a number is still right. ``owner`` and
        ``note`` are for people; ``model`` takes its records only (``name`` or ``name@version``);
        ``split`` only those that ``promote`` keeps for the test at this share, so that the others
        may be learned from; labels that only a rule or a model gave count with ``proposed``. The
        slice is that of ``branch``, or of the version ``slices_of``.

        All of it is committed as ``requests/NAME/`` on the branch ``request/NAME``, or ``onto``
        another, which is made on top of the present commit if it is not there. For its files see
        ``oxcore.insight.requests``. Raises ``InvalidError`` for a metric that does not fit, for a
        slice without a labelled record, and where the model does what is asked for already;
        ``ExistsError`` if there is such a request, ``NotFoundError``, and as ``report`` does.
        """
        from oxcore.api import requests

        wanted = requests.Wanted(name, branch, folder, slice_name)
        return requests.opened(self, self._repo, wanted, ask, dry_run=dry_run)

    def test_request(
        self,
        name: str,
        pred: str,
        *,
        model: str = "",
        key: str = "",
        prediction: str = "",
        onto: str | None = None,
        dry_run: bool = False,
        limit: int = 20,
    ) -> Tested:
        """Measure a later model on exactly the pinned records; if it passes, close the request.

        ``pred`` is a table, a file or ``"REV:PATH"``, the name of an evaluation, or captured
        records, ``"BRANCH:DIR"`` (those of ``model``, if one is named; the pinned ones are left
        out). The ``key`` of a table is a record's id, or else the hash or the path of an input; a
        pinned record without a prediction is wrong. ``limit``: so many of the fixed and of the
        broken are listed.

        An open request that is met becomes ``passed``, in a commit on its branch (looked for as in
        ``requests``, or ``onto``), unless ``dry_run``; of one that is not open nothing is written.
        Raises ``NotFoundError``, ``InvalidError`` for keys that occur twice or are none of the
        pinned records, ``UsageError`` where the answers are of several models.
        """
        from oxcore.api import requests
        from oxcore.api.requesting import Said, find

        kept = find(self._repo, name, onto)
        said = Said(pred, key, prediction, model)
        return requests.tested(self, self._repo, kept, said, dry_run=dry_run, limit=limit)

    def close_request(self, name: str, reason: str, *, onto: str | None = None) -> Kept:
        """Close an open request that no model will meet, for this ``reason``, in a commit.

        Raises ``NotFoundError``, ``UsageError`` without a reason or if it is not open.
        """
        from oxcore.api import requests
        from oxcore.api.requesting import find

        return requests.closed(self._repo, find(self._repo, name, onto), reason)

    def reopen_request(self, name: str, *, onto: str | None = None) -> Kept:
        """Open a request again that passed or was closed, with the records that were pinned.

        Raises ``NotFoundError``, ``UsageError`` if it is open.
        """
        from oxcore.api import requests
        from oxcore.api.requesting import find

        return requests.reopened(self._repo, find(self._repo, name, onto))
