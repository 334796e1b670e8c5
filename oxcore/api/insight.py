"""The area of insight: what went wrong on a branch of captured records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypedDict, Unpack

from oxcore import tree, verbs
from oxcore.api.base import RepoBase
from oxcore.errors import UsageError
from oxcore.model.entries import path_bytes

if TYPE_CHECKING:
    from oxcore.insight.examples import Examples
    from oxcore.insight.report import Example, Report
    from oxcore.insight.slices import Slice


class How(TypedDict, total=False):
    """How records are read: ``oxcore.insight.examples.Reading``."""

    prediction: str
    trust: tuple[str, ...]
    as_of: int | None


class Insight(RepoBase):
    """``report``, ``failures`` and slices: records on a branch, counted and looked at."""

    def report(
        self,
        branch: str,
        folder: str | bytes,
        *,
        by: Sequence[str] = (),
        slices: Sequence[str] | None = None,
        **reading: Unpack[How],
    ) -> Report:
        """Figures of the records below ``folder`` of ``branch``, with n, coverage and interval.

        ``branch`` may be any revision. Groups are the ``slices`` (None: all of the version's
        folder ``slices/``) and the values of the columns ``by``. Of ``reading``, ``as_of``
        (microseconds since the epoch) leaves later records and labels out, ``prediction`` names the
        field of an output that is it, and ``trust`` the order of sources of labels. The same commit
        gives the same report.

        Raises ``NotFoundError`` where no record lies, ``InvalidError`` for a slice that makes no
        sense.
        """
        from oxcore.insight.examples import checked
        from oxcore.insight.report import Cut, by_column, report

        commit = verbs.names.resolve_commit(self._repo, branch)
        found = self.slices(branch)
        names = sorted(found) if slices is None else list(slices)
        conditions = {name: _condition(found, name) for name in names}
        texts = (*conditions.values(), *by)
        with self.examples(branch, folder, texts=texts, **reading) as opened:
            cuts = [
                Cut(name, found[name].about, checked(opened.sql, where))
                for name, where in conditions.items()
            ]
            cuts += [cut for column in by for cut in by_column(opened.sql, column)]
            place = path_bytes(folder).strip(b"/").decode("utf-8", "backslashreplace")
            return report(opened, branch, place, commit.hex(), cuts, reading.get("as_of"))

    def failures(
        self,
        branch: str,
        folder: str | bytes,
        *,
        slice_name: str = "",
        where: str = "",
        sort: str = "worst",
        limit: int = 20,
        **reading: Unpack[How],
    ) -> list[Example]:
        """Records that failed: calls that raised, wrong answers, and those voted down.

        ``where``: other records, by SQL over the columns of examples; ``slice_name``: those of a
        slice. ``sort``: see ``oxcore.insight.report.SORTS``. Raises as ``report`` does.
        """
        from oxcore.insight.examples import checked
        from oxcore.insight.report import SORTS, WRONG, failures

        if sort not in SORTS:
            raise UsageError(f"{sort!r} is no order", hint=f"one of {', '.join(SORTS)}")
        parts = [where] if where else []
        if slice_name:
            parts.append(_condition(self.slices(branch), slice_name))
        with self.examples(branch, folder, texts=parts, **reading) as found:
            chosen = " AND ".join(checked(found.sql, part) for part in parts)
            return failures(found, chosen or WRONG, sort, limit)

    @contextmanager
    def examples(
        self,
        branch: str,
        folder: str | bytes,
        *,
        texts: Iterable[str] | None = None,
        **reading: Unpack[How],
    ) -> Iterator[Examples]:
        """An SQL engine with the table ``examples``: a row a record, with its current label.

        For columns see ``oxcore.insight.examples.COLUMNS``; ``texts`` is all SQL that will be
        asked, if that is known: then only what it names is read. Raises as ``report`` does.
        """
        from oxcore.insight.examples import LAZY, Reading, examples
        from oxcore.insight.records import captured

        root = verbs.names.resolve_tree(self._repo, branch)
        found = captured(self._repo, root, path_bytes(folder).strip(b"/"))
        with examples(found, Reading(**reading), LAZY if texts is None else texts) as opened:
            yield opened

    def slices(self, rev: str = "HEAD") -> dict[str, Slice]:
        """The slices of a version, by name."""
        from oxcore.insight.slices import FOLDER, parse

        root = verbs.names.resolve_tree(self._repo, rev)
        found: dict[str, Slice] = {}
        for path, entry in tree.walk(self._repo.store, root, FOLDER + b"/"):
            if path.endswith(b".yaml") and path.count(b"/") == 1:
                name = path[len(FOLDER) + 1 : -5].decode("utf-8", "backslashreplace")
                with verbs.files.open_entry(self._repo, entry) as file:
                    found[name] = parse(name, file.read())
        return found


def _condition(known: Mapping[str, Slice], name: str) -> str:
    """A slice as SQL."""
    from oxcore.insight.slices import condition, missing

    def find(name: str) -> Slice:
        if name not in known:
            raise missing(name, sorted(known))
        return known[name]

    return condition(find(name), find)
