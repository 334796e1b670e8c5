"""The area of training data: captured failures into what a model learns from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, Unpack

from oxcore import tree, verbs
from oxcore.api.insight import How, Insight, condition_of, file_of
from oxcore.errors import NotFoundError, UsageError, counted
from oxcore.model.entries import path_bytes, show_path
from oxcore.model.ids import parse_id
from oxcore.refs import branch_ref, check_ref_name

if TYPE_CHECKING:
    from oxcore.insight.chosen import Picked
    from oxcore.insight.dataset import Dataset
    from oxcore.insight.examples import Examples
    from oxcore.insight.exports.formats import Exported
    from oxcore.insight.exports.samples import Sample
    from oxcore.insight.promote import Job, Promoted
    from oxcore.insight.rules import Proposals, Rule, Tried

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

    def export(
        self,
        branch: str,
        folder: str | bytes,
        output: str,
        format_name: str = "parquet",
        *,
        slice_name: str = "",
        where: str = "",
        **terms: Unpack[Terms],
    ) -> Exported:
        """Write labelled records to the folder ``output`` in a format that trainers read.

        Of captured records below ``folder`` of ``branch``, chosen as in ``promote`` (with
        ``split`` in two files, by the same hash), or of the dataset that ``promote`` made there.
        Formats: ``chat``, ``preference``, ``parquet``, ``hf``, ``imagefolder``, ``coco``; see
        ``oxcore.insight.exports``. ``manifest.json`` names commits, query, counts and hashes. The
        same commits and query give the same bytes.

        Raises ``InvalidError`` that lists records and fields that the format cannot hold, or what
        training and test of a dataset share (then nothing is written), ``ExistsError`` where
        ``output`` is there, ``NothingToDoError`` if no record is chosen, and as ``report`` does.
        """
        from oxcore.insight.exports.formats import check_format, export

        repo, base = self._repo, path_bytes(folder).strip(b"/")
        query = {"folder": show_path(base), "slice": slice_name, "where": where, **terms}
        commit = verbs.names.resolve_commit(repo, branch)
        root = verbs.names.resolve_tree(repo, branch)
        if check_format(format_name) == "coco":
            terms["prediction"] = terms.get("prediction") or "boxes"
        samples = self._samples(branch, root, base, slice_name, where, terms)
        return export(repo, samples, format_name, output, query, [commit.hex()])

    def _samples(
        self, branch: str, root: bytes, base: bytes, slice_name: str, where: str, terms: Terms
    ) -> list[Sample]:
        """What is exported: all of a promoted dataset, or records that are chosen."""
        from oxcore.insight.dataset import load
        from oxcore.insight.exports.samples import of_dataset, of_records

        dataset = load(self._repo, root, base)
        if dataset.share is not None:
            chosen = bool(slice_name or where or terms.get("split") is not None)
            _check_whole(dataset, chosen=chosen)
            return of_dataset(self._repo, root, base, dataset)
        share = terms.pop("split", None)
        with self._picked(branch, base, slice_name, where, **terms) as (_, picked):
            return of_records(picked.rows, share)

    def rules(self, rev: str = ":") -> dict[str, Rule]:
        """The rules of a version (``":"``: of the stage), by name."""
        from oxcore.insight.rules import FOLDER, parse

        files = verbs.files.named(self._repo, FOLDER, b".yaml", rev)
        return {name: parse(name, text) for name, text in files}

    def add_rule(
        self, name: str, *, label: str = "", where: str = "", python: str = "", about: str = ""
    ) -> Rule:
        """Write the rule ``name`` into the work tree, ``rules/NAME.yaml``, and stage it.

        It proposes ``label`` for the records for which ``where`` holds, or what the function
        ``python`` (``"rules/dark.py:dark"``) says; see ``oxcore.insight.rules``. Raises
        ``InvalidError``.
        """
        from oxcore.insight.examples import check_condition
        from oxcore.insight.rules import Rule, dump, parse, path_of

        text = dump(Rule(name, about, where, python, label))
        made = parse(name, text)
        if where:
            check_condition(where, path_of(name).decode())
        verbs.place.place(self._repo, {path_of(name): text}, verb="rule", note=name)
        return made

    def test_rules(
        self,
        branch: str,
        folder: str | bytes,
        names: Sequence[str] = (),
        *,
        allow_python: bool = False,
        **reading: Unpack[How],
    ) -> list[Tried]:
        """What rules, as they are staged, say of the records below ``folder`` of ``branch``: how
        many they cover, where they conflict, and how often they are right where a person (source
        gold, expert or human) said the label.

        ``names``: these; else all. Rules in Python run only with ``allow_python``, else
        ``UsageError``. Raises ``InvalidError`` for a rule that makes no sense, or fails, and
        as ``report`` does.
        """
        from oxcore.insight.rules import chosen, tried

        rules = chosen(self.rules(), names, python=allow_python)
        with self._proposed(branch, folder, rules, reading) as found:
            return tried(found.sql, rules)

    def apply_rules(
        self,
        branch: str,
        folder: str | bytes,
        names: Sequence[str] = (),
        *,
        allow_python: bool = False,
        dry_run: bool = False,
        **reading: Unpack[How],
    ) -> Proposals:
        """Write what rules propose onto ``branch``, as events of the kind ``label`` and the source
        ``rule``, whose author are the rules.

        Records that a person labelled are left alone, and so are those whose rules disagree; what
        was proposed before is not said twice. Errors as of ``test_rules``.
        """
        from oxcore.insight.rules import chosen, proposals, tried

        if branch_ref(branch) not in self._repo.view().refs():
            raise NotFoundError(f"no branch is called {branch!r}", hint="see: ox branch")
        rules = chosen(self.rules(), names, python=allow_python)
        with self._proposed(branch, folder, rules, reading) as found:
            made = proposals(found.sql)
            precision = {one.name: one.precision.value for one in tried(found.sql, rules)}
        if made.new and not dry_run:
            self._say(branch, folder, made, precision)
        return made

    def _say(
        self,
        branch: str,
        folder: str | bytes,
        made: Proposals,
        precision: Mapping[str, float | None],
    ) -> None:
        """Put proposals on the branch."""
        from oxcore.capturing.events import Said, said

        events = []
        for one in made.new:
            known = [value for name in one.rules if (value := precision.get(name)) is not None]
            sure = max(known, default=None)
            author = ", ".join(one.rules)
            events.append(Said(one.record_id, "label", one.label, "rule", author, sure))
        place = path_bytes(folder).strip(b"/").decode("utf-8", "surrogateescape")
        path, data = said(place, events, self._repo.settings.clock().us)
        begin = verbs.transaction.transaction
        with begin(self._repo, branch, message=f"rules: {counted(len(events), 'label')}") as t:
            t.put(path.lstrip(b"/"), data)

    @contextmanager
    def _proposed(
        self, branch: str, folder: str | bytes, rules: Sequence[Rule], reading: How
    ) -> Iterator[Examples]:
        """Examples with the table of what the rules propose."""
        from oxcore.insight.dataset import file_at
        from oxcore.insight.examples import TRUST
        from oxcore.insight.rules import GOLD, propose, texts

        reading.setdefault("trust", (*GOLD, *(one for one in TRUST if one not in GOLD)))
        repo, base = self._repo, path_bytes(folder).strip(b"/")
        root, stage = verbs.names.resolve_tree(repo, branch), verbs.files.root_of(repo, ":")
        files = {rule.python.rpartition(":")[0] for rule in rules if rule.python}
        code = {file: file_at(repo, stage, b"", file.encode()) for file in files}
        with self.examples(branch, folder, texts=texts(rules), **reading) as found:
            propose(found, rules, code, lambda path: file_at(repo, root, base, path.encode()))
            yield found

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
        ref = branch_ref(onto)
        check_ref_name(ref)
        with self._repo.lock("promote"):
            tip = self._repo.view().refs().get(ref)
            root = self._repo.commit(parse_id(tip)).tree if tip else tree.EMPTY
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

        parts = {"": where} if where else {}
        if slice_name:
            known = {**self.slices(":"), **self.slices(branch)}
            parts[file_of(slice_name)] = condition_of(known, slice_name)
        proposed = reading.pop("proposed", False)
        root = verbs.names.resolve_tree(self._repo, branch)
        texts = (*parts.values(), *TEXTS)
        with self.examples(branch, folder, texts=texts, **_how(reading)) as found:
            told = [checked(found.sql, part, file) for file, part in parts.items()]
            chosen = " AND ".join(told) or "true"
            yield found, pick(self._repo, found, root, folder, chosen, proposed=proposed)


def _check_whole(dataset: Dataset, *, chosen: bool) -> None:
    """Raise ``UsageError`` where only some of a promoted dataset is asked for, ``InvalidError`` for
    what its training and test share."""
    if chosen:
        raise UsageError("a promoted dataset is exported as it is, split as it is")
    from oxcore.insight.dataset import leaks
    from oxcore.insight.promote import leaking

    if shared := leaks(dataset.rows):
        raise leaking(shared)


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
