"""The area of insight: what went wrong on a branch of captured records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypedDict, Unpack

from oxcore import tree, verbs
from oxcore.api.base import RepoBase
from oxcore.errors import InvalidError, NotFoundError, UsageError
from oxcore.model.entries import path_bytes, show_path

if TYPE_CHECKING:
    from oxcore.insight.examples import Examples
    from oxcore.insight.held import Held, Listed
    from oxcore.insight.pictures import Shown
    from oxcore.insight.report import Cut, Example, Mark, Report
    from oxcore.insight.single import Single
    from oxcore.insight.slices import Slice
    from oxcore.insight.versus import Versus


_HISTORY = 1000  # commits of a branch that are marked over time, the newest


class How(TypedDict, total=False):
    """How records are read: ``oxcore.insight.examples.Reading``."""

    prediction: str
    trust: tuple[str, ...]
    as_of: int | None


class Insight(RepoBase):
    """``report``, ``failures``, ``annotate`` and slices: records, counted and looked at."""

    def report(
        self,
        branch: str,
        folder: str | bytes,
        *,
        by: Sequence[str] = (),
        slices: Sequence[str] | None = None,
        slices_of: str | None = None,
        **reading: Unpack[How],
    ) -> Report:
        """Figures of the records below ``folder`` of ``branch``, with n, coverage and interval.

        ``branch`` may be any revision. Groups are the ``slices`` (None: all of the version's
        folder ``slices/``, or of that of the revision ``slices_of``) and the values of the columns
        ``by``, which may be fields of JSON, as in ``params.camera``. Of ``reading``, ``as_of``
        (microseconds since the epoch) leaves later records and labels out, ``prediction`` names
        the field of an output that is it, and ``trust`` the order of sources of labels. The same
        commit gives the same report.

        Raises ``NotFoundError`` where no record lies, ``InvalidError`` for a slice that makes no
        sense.
        """
        source = slices_of or branch
        with self._shards(branch, folder) as shards:
            marks = self._marks(branch)
            named = self._named(source, slices)
            texts = (*(where for _, where in named.values()), *by)
            from oxcore.insight.report import marks_of, report

            ahead = () if by else marks_of(where for _, where in named.values())
            with self._examples(shards, texts, reading, ordered=False, marks=ahead) as opened:
                cuts = cuts_of(opened, named, by)
                place = path_bytes(folder).strip(b"/").decode("utf-8", "backslashreplace")
                made = report(opened, branch, place, marks, cuts, reading.get("as_of"))
        if slices_of is None:
            return made
        return made._replace(slices=verbs.names.resolve_commit(self._repo, slices_of).hex())

    def _named(self, source: str, slices: Sequence[str] | None) -> dict[str, tuple[Slice, str]]:
        """These slices of a version, or all, and their conditions."""
        found = self.slices(source)
        names = sorted(found) if slices is None else slices
        conditions = {name: condition_of(found, name, source) for name in names}
        return {name: (found[name], where) for name, where in conditions.items()}

    def _marks(self, branch: str) -> list[Mark]:
        """The latest commits of a branch, its tip first."""
        from oxcore.insight.report import Mark

        tip = verbs.names.resolve_commit(self._repo, branch).hex()
        found = verbs.log.log(self._repo, [tip], limit=_HISTORY, first_parent=True)
        return [Mark(one.commit.time.us, one.id.hex(), one.commit.title) for one in found]

    def failures(
        self,
        branch: str,
        folder: str | bytes,
        *,
        slice_name: str = "",
        where: str = "",
        sort: str = "worst",
        limit: int = 20,
        slices_of: str | None = None,
        **reading: Unpack[How],
    ) -> list[Example]:
        """Records that failed: calls that raised, wrong answers, and those voted down.

        ``where``: other records, by SQL over the columns of examples; ``slice_name``: those of a
        slice, of the version itself or of ``slices_of``. ``sort``: see
        ``oxcore.insight.report.SORTS``. Raises as ``report`` does.
        """
        from oxcore.insight.examples import checked
        from oxcore.insight.report import SORTS, WRONG, failures

        if sort not in SORTS:
            raise UsageError(f"{sort!r} is no order", hint=f"one of {', '.join(SORTS)}")
        parts = {"": where} if where else {}
        if slice_name:
            source = slices_of or branch
            chosen = condition_of(self.slices(source), slice_name, source)
            parts[file_of(slice_name)] = chosen
        with self.examples(branch, folder, texts=parts.values(), **reading) as found:
            chosen = " AND ".join(checked(found.sql, part, file) for file, part in parts.items())
            return failures(found, chosen or WRONG, sort, limit)

    def versus(
        self,
        branch: str,
        folder: str | bytes,
        other: str,
        *,
        model: str = "",
        by: Sequence[str] = (),
        slices: Sequence[str] | None = (),
        slices_of: str | None = None,
        **reading: Unpack[How],
    ) -> Versus:
        """``branch`` against ``other`` on the same inputs: what ``other`` fixes, what it breaks.

        ``other`` is a model of the records (``name`` or ``name@version``), compared with the other
        models or with ``model``, or else a branch whose folder of the same name is compared.
        Groups are as in ``report``, those of the records of ``branch``; none, if none are named.
        Raises ``NotFoundError`` for what is neither, and as ``report`` does.
        """
        from oxcore.insight.versus import GROUPS, of_model, seen, versus

        named = self._named(slices_of or branch, slices)
        texts = ("input_hash", *by, *(where for _, where in named.values()))
        with self.examples(branch, folder, texts=texts, **reading) as found:
            cuts = cuts_of(found, named, by)[:GROUPS]
            names, groups = [cut.name for cut in cuts], [cut.where for cut in cuts]
            theirs = of_model(other)
            if found.sql.rows(f"SELECT count(*) FROM examples WHERE {theirs}")[0][0]:
                ours = of_model(model) if model else f"NOT coalesce({theirs}, false)"
                old, new = seen(found, ours, groups), seen(found, theirs, groups)
                return versus(model or "the other models", other, old, new, names)
            old = seen(found, of_model(model) if model else "true", groups)
        try:
            verbs.names.resolve_commit(self._repo, other)
        except (NotFoundError, InvalidError):
            hint = "a model of the records, or a branch"
            raise NotFoundError(f"{other!r} is no model and no branch", hint=hint) from None
        with self.examples(other, folder, texts=("input_hash",), **reading) as found:
            return versus(branch, other, old, seen(found), names)

    def record(
        self, branch: str, folder: str | bytes, record_id: str, **reading: Unpack[How]
    ) -> Single:
        """All that is known of a record: fields, label and tags as of now, feedback.

        ``branch`` may be any revision; ``reading`` is as in ``report``. Raises ``NotFoundError``.
        """
        from oxcore.insight.examples import Reading
        from oxcore.insight.records import captured
        from oxcore.insight.single import single

        root = verbs.names.resolve_tree(self._repo, branch)
        place = path_bytes(folder).strip(b"/")
        found = captured(self._repo, root, place)
        return single(found, show_path(place), record_id, Reading(**reading))

    def annotate(
        self,
        branch: str,
        folder: str | bytes,
        records: Sequence[str],
        kind: str,
        values: Sequence[object],
        *,
        source: str = "human",
        author: str = "",
    ) -> bytes:
        """Say each of ``values`` of each of ``records``, in one commit on ``branch``; gives its id.

        ``kind`` is ``correction`` or ``label`` (what is right), ``vote``, ``tag`` and ``untag``
        (which count in the column ``tags``: the last word on a tag), ``note``, or your own.
        ``author`` is who commits, unless named. Raises ``NotFoundError`` for a branch or a record
        that is not there, ``InvalidError`` for a value that is no JSON; then nothing is said.
        """
        from oxcore.api.annotating import annotate
        from oxcore.api.labelling import Say

        say = Say(source, author)
        return annotate(self._repo, branch, folder, records, (kind, values), say)

    def input_of(self, branch: str, folder: str | bytes, ids: Sequence[str]) -> dict[str, Shown]:
        """What can be shown of the inputs of some records: a small picture, or text.

        Pictures and arrays become data addresses; of records that kept no input, or one that is
        neither, nothing.
        """
        from oxcore.insight.pictures import MOST, shown
        from oxcore.insight.records import captured

        root = verbs.names.resolve_tree(self._repo, branch)
        base = path_bytes(folder).strip(b"/")
        rows = captured(self._repo, root, base).records.find(list(ids))
        made: dict[str, Shown] = {}
        for record, row in rows.items():
            source = row.get("input") or {}
            path = b"/".join(part for part in (base, (source.get("path") or "").encode()) if part)
            entry = tree.get(self._repo.store, root, path) if source.get("path") else None
            if entry is not None and entry.size <= MOST:
                with verbs.files.open_entry(self._repo, entry) as file:
                    made[record] = shown(file.read(), source.get("mime"))
        return made

    def test_slice(
        self, name: str, branch: str, folder: str | bytes, **reading: Unpack[How]
    ) -> tuple[int, int, list[str]]:
        """How many records a slice has, as it is staged, of how many; and the first of their ids.

        Raises as ``report`` does.
        """
        from oxcore.insight.examples import checked

        where = condition_of(self.slices(":"), name)
        with self.examples(branch, folder, texts=(where,), **reading) as found:
            inside = checked(found.sql, where, file_of(name))
            counts = f"count(*) FILTER (WHERE {inside}), count(*)"
            n, total = found.sql.rows(f"SELECT {counts} FROM examples")[0]
            ids = found.sql.rows(
                f"SELECT record_id FROM examples WHERE {inside} ORDER BY record_id LIMIT 10"
            )
        return n, total, [row[0] for row in ids]

    def add_slice(self, name: str, *, about: str = "", **conditions: object) -> Slice:
        """Write the slice ``name`` into the work tree, ``slices/NAME.yaml``, and stage it.

        ``conditions``: ``where``, ``tag``, ``records``, ``model``, ``all``, ``any``, ``not_``; see
        ``oxcore.insight.slices``. Raises ``InvalidError`` for conditions that make no sense.
        """
        from oxcore.insight.examples import check_condition
        from oxcore.insight.slices import Slice, condition, dump, parse, path_of

        given = {key.rstrip("_"): value for key, value in conditions.items()}
        text = dump(Slice(name, about, given))
        made = parse(name, text)
        where = condition(made, lambda other: Slice(other, "", {}))
        check_condition(where, file_of(name))
        path = path_of(name)
        verbs.place.place(self._repo, {path: text}, verb="slice", note=name)
        return made

    @contextmanager
    def examples(
        self,
        branch: str,
        folder: str | bytes,
        *,
        texts: Iterable[str] | None = None,
        ordered: bool = True,
        **reading: Unpack[How],
    ) -> Iterator[Examples]:
        """An SQL engine with the table ``examples``: a row a record, with its current label.

        For columns see ``oxcore.insight.examples.COLUMNS``; ``texts`` is all SQL that will be
        asked, if that is known: then only what it names is read; unless ``ordered``, rows of a
        query that names no order come in any. Raises as ``report`` does.
        """
        with self._shards(branch, folder) as shards:
            wanted = None if texts is None else tuple(texts)
            with self._examples(shards, wanted, reading, ordered=ordered) as found:
                yield found

    @contextmanager
    def _shards(self, branch: str, folder: str | bytes) -> Iterator[tuple[Listed, Held]]:
        """The shards of records; a thread reads them while libraries are loaded."""
        from oxcore.insight.held import Held, listed

        root = verbs.names.resolve_tree(self._repo, branch)
        found = listed(self._repo, root, path_bytes(folder).strip(b"/"))
        with Held(self._repo, found) as held:
            yield found, held

    @contextmanager
    def _examples(
        self,
        shards: tuple[Listed, Held],
        texts: tuple[str, ...] | None,
        reading: How,
        *,
        ordered: bool,
        marks: Sequence[str] = (),
    ) -> Iterator[Examples]:
        from oxcore.insight.examples import ASKED, Reading, examples
        from oxcore.insight.records import opened

        found = opened(self._repo, *shards)
        wanted = ASKED if texts is None else texts
        how = Reading(**reading)
        with examples(found, how, wanted, ordered=ordered, marks=marks) as made:
            yield made

    def slices(self, rev: str = "HEAD") -> dict[str, Slice]:
        """The slices of a version (``":"``: of the stage), by name."""
        from oxcore.insight.slices import FOLDER, parse

        files = verbs.files.named(self._repo, FOLDER, b".yaml", rev)
        return {name: parse(name, text) for name, text in files}


def cuts_of(
    opened: Examples, named: Mapping[str, tuple[Slice, str]], by: Sequence[str]
) -> list[Cut]:
    """The groups of a report: slices, with their conditions, and the values of columns."""
    from oxcore.insight.examples import checked_all
    from oxcore.insight.report import DOCUMENTS, Cut, by_column

    wheres = checked_all(opened.sql, {file_of(name): where for name, (_, where) in named.items()})
    slices = zip(named.items(), wheres, strict=True)
    cuts = [Cut(name, one.about, where) for (name, (one, _)), where in slices]
    return cuts + [cut for column in by for cut in by_column(opened.sql, column, DOCUMENTS)]


def condition_of(known: Mapping[str, Slice], name: str, rev: str = "") -> str:
    """A slice as SQL; ``rev``: the version that the ``known`` ones are of, for the error."""
    from oxcore.insight.slices import condition, missing

    def find(name: str) -> Slice:
        if name not in known:
            raise missing(name, sorted(known), rev)
        return known[name]

    return condition(find(name), find)


def file_of(name: str) -> str:
    """The file of a slice."""
    from oxcore.insight.slices import path_of

    return path_of(name).decode()
