"""The area of training data: captured failures into what a model learns from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, Unpack

from oxcore import tree, verbs
from oxcore.api.insight import How, Insight, condition_of
from oxcore.errors import NotFoundError
from oxcore.model.entries import path_bytes, show_path

if TYPE_CHECKING:
    from oxcore.insight.chosen import Picked
    from oxcore.insight.examples import Examples
    from oxcore.insight.promote import Job, Promoted

Target = Literal["train", "test", "both"]


class Terms(How, total=False):
    """On what terms records are promoted, and how they are read; see ``promote``."""

    split: float | None
    onto: str
    proposed: bool
    drop_leaks: bool
    dry_run: bool


class Training(Insight):
    """``promote``: labelled records of a branch into a dataset, split for good."""

    def promote(
        self,
        branch: str,
        folder: str | bytes,
        *,
        to: Target = "train",
        slice_name: str = "",
        where: str = "",
        into: str | bytes = "data",
        **terms: Unpack[Terms],
    ) -> Promoted:
        """Take labelled records below ``folder`` of ``branch`` into the dataset ``into``.

        ``slice_name`` and ``where`` (SQL over the columns of examples) choose among them. A record
        is for the test if the hash of its group, else of its input, says so; of those chosen, the
        ones for ``to`` are taken. Of ``terms``, ``split`` is the share of the test, said the first
        time and kept in ``split.json`` (0.2 if it is not said); labels that only a rule or a model
        gave count with ``proposed``; the rest is as in ``report``. The dataset is written to the
        work tree and staged, or committed on the branch ``onto``; ``dry_run`` only tells. For its
        files see ``oxcore.insight.dataset``.

        Raises ``InvalidError`` that lists what training and test would share: records, bytes,
        pixels, texts, groups (``drop_leaks`` leaves those records out); ``UnsavedError`` where the
        work tree has other tables than the stage; and as ``report`` does.
        """
        from oxcore.insight.dataset import SPLITS
        from oxcore.insight.promote import Job, Origin, candidates

        base, place = path_bytes(folder).strip(b"/"), path_bytes(into).strip(b"/")
        origin = Origin(show_path(base), verbs.names.resolve_commit(self._repo, branch).hex())
        share, onto = terms.pop("split", None), terms.pop("onto", "")
        drop, dry_run = terms.pop("drop_leaks", False), terms.pop("dry_run", False)
        with self._picked(branch, base, slice_name, where, **terms) as (_, picked):
            found = candidates(self._repo, picked, origin)
        wanted = SPLITS if to == "both" else (to,)
        job = Job(place, found, wanted, share, drop_leaks=drop)
        made = self._do(job, onto, dry_run=dry_run)
        left = {"no label": picked.unlabelled, "label only proposed": picked.proposed}
        made.left = {**left, "no input": len(picked.rows) - len(found), **made.left}
        return made

    def _do(self, job: Job, onto: str, *, dry_run: bool) -> Promoted:
        repo = self._repo
        if onto:
            return self._commit(job, onto, dry_run=dry_run)
        if dry_run:
            return job.plan(repo, repo.stage())
        place = verbs.place.place_on
        place(repo, lambda root: job.plan(repo, root).files, verb="promote", note=lambda: job.note)
        return job.made

    def _commit(self, job: Job, onto: str, *, dry_run: bool) -> Promoted:
        """Plan it on a branch and commit it there, while no other writes."""
        with self._repo.lock("promote"):
            try:
                root = verbs.names.resolve_tree(self._repo, onto)
            except NotFoundError:
                root = tree.EMPTY
            made = job.plan(self._repo, root)
            if made.files and not dry_run:
                begin = verbs.transaction.transaction
                with begin(self._repo, onto, message=job.note) as t:
                    for path, data in made.files.items():
                        if isinstance(data, bytes):
                            t.put(path, data)
                        else:
                            t.keep(path, data)
                made.commit = t.commit_id
        return made

    @contextmanager
    def _picked(
        self,
        branch: str,
        folder: bytes,
        slice_name: str,
        where: str,
        **reading: Unpack[Terms],
    ) -> Iterator[tuple[Examples, Picked]]:
        """The labelled records that are chosen, while their examples are open."""
        from oxcore.insight.chosen import TEXTS, pick
        from oxcore.insight.examples import checked

        parts = [where] if where else []
        if slice_name:
            known = {**self.slices(":"), **self.slices(branch)}
            parts.append(condition_of(known, slice_name))
        proposed = reading.pop("proposed", False)
        root = verbs.names.resolve_tree(self._repo, branch)
        texts = (*parts, *TEXTS)
        with self.examples(branch, folder, texts=texts, **_how(reading)) as found:
            chosen = " AND ".join(checked(found.sql, part) for part in parts) or "true"
            yield found, pick(self._repo, found, root, folder, chosen, proposed=proposed)


def _how(terms: Terms) -> How:
    """How records are read, of what was said."""
    how: How = {}
    if "prediction" in terms:
        how["prediction"] = terms["prediction"]
    if "trust" in terms:
        how["trust"] = terms["trust"]
    if "as_of" in terms:
        how["as_of"] = terms["as_of"]
    return how
