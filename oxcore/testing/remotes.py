"""What every remote must do, as a suite: subclass ``RemoteSuite``, give it remotes, run pytest.

class TestMine(RemoteSuite):
    def new_remote(self, folder): return MyRemote(...)   # an empty repository
"""

from __future__ import annotations

import secrets
from functools import partial
from pathlib import Path

from oxcore import tree
from oxcore.errors import CorruptError, InvalidError, MissingError, OxError, RejectedError
from oxcore.model.ids import Kind, content_id, parse_id
from oxcore.model.protocols import How, Stored
from oxcore.model.run import gathered, objects_of, run_of
from oxcore.store import content
from oxcore.testing.appends import AppendSuite
from oxcore.testing.histories import (
    MAIN,
    commit_files,
    commit_line,
    commit_versions,
    count_deltas,
    edited_table,
    files_of,
    lies,
    many_files,
    raw,
    set_ref,
    set_shallow,
    tag_commit,
    update,
)
from oxcore.testing.stores import expect, noise, refuses
from oxcore.transfer import fetch, push
from oxcore.verbs.storing.deposit import put_bytes
from oxcore.wire.messages import CommitsRequest, SwapRequest


class RemoteSuite(AppendSuite):
    """The contract of ``oxcore.transfer.Remote``."""

    def test_an_empty_one_has_no_refs(self, tmp_path: Path) -> None:
        """Refs of a new repository."""
        refs = self.new_remote(tmp_path).refs()
        expect(refs.head == f"ref:{MAIN}", "HEAD names the branch to come")
        expect(not refs.refs and not refs.shallow and refs.write, "nothing there, and writable")

    def test_what_is_pushed_comes_out_bit_for_bit(self, tmp_path: Path) -> None:
        """Small files, large ones, empty ones, several commits, a tag; out through a fetch."""
        here, remote = self.source(tmp_path), self.new_remote(tmp_path)
        files = {
            **many_files(300),
            b"big": noise(1, 3_000_000),
            b"empty": b"",
            b"zero": bytes(900_000),
        }
        first = commit_files(here, files)
        changed = {
            **files,
            b"new": b"n",
            b"big": files[b"big"][:1000] + b"x" + files[b"big"][1000:],
        }
        second = commit_files(here, changed, [first])
        tag = tag_commit(here, first, "v1")
        push(here, remote, [update(MAIN, None, second), update("refs/tags/v1", None, tag)])
        refs = remote.refs()
        expect(refs.refs == {MAIN: second.hex(), "refs/tags/v1": tag.hex()}, "the refs moved")
        there = self.source(tmp_path)
        report = fetch(there, remote, [parse_id(one) for one in refs.refs.values()])
        expect(report.commits == 2 and not report.shallow, "two commits came")
        expect(files_of(there, second) == changed, "the second version is the same")
        expect(files_of(there, first) == files, "so is the first")
        expect(there.peel(tag) == first, "the tag is there")

    def test_a_second_push_sends_what_changed(self, tmp_path: Path) -> None:
        """One file of 3,000 edited: its chunk, the nodes on one path, the commit."""
        here, remote = self.source(tmp_path), self.new_remote(tmp_path)
        files = many_files(3000)
        first = commit_files(here, files)
        push(here, remote, [update(MAIN, None, first)])
        second = commit_files(here, {**files, b"dir3/file00003.bin": b"edited"}, [first])
        report = push(here, remote, [update(MAIN, first, second)])
        expect(report.commits == 1, "one commit")
        expect(report.objects <= 6, f"one chunk, a path of nodes, a commit: {report.objects}")
        again = push(here, remote, [update("refs/heads/other", None, second)])
        expect(again.objects == 0, "a second branch sends nothing")

    def test_an_edit_of_a_large_file_sends_its_chunks(self, tmp_path: Path) -> None:
        """A byte inserted near the start of 5 MB."""
        here, remote = self.source(tmp_path), self.new_remote(tmp_path)
        data = noise(7, 5_000_000)
        first = commit_files(here, {b"big": data})
        push(here, remote, [update(MAIN, None, first)])
        second = commit_files(here, {b"big": data[:99] + b"!" + data[99:]}, [first])
        report = push(here, remote, [update(MAIN, first, second)])
        expect(report.nbytes < 700_000, f"a few chunks: {report.nbytes} bytes")
        there = self.source(tmp_path)
        fetch(there, remote, [first])
        set_ref(there, MAIN, first)
        got = fetch(there, remote, [second])
        expect(got.nbytes < 700_000, f"a few chunks back: {got.nbytes} bytes")
        expect(files_of(there, second)[b"big"][:100] == data[:99] + b"!", "the edit came")

    def test_deltas_travel_as_they_lie(self, tmp_path: Path) -> None:
        """What is sent of a new version is what the store grew by, both ways."""
        here, remote = self.source(tmp_path), self.new_remote(tmp_path)
        versions = edited_table(3)
        line = commit_versions(here, versions)
        push(here, remote, [update(MAIN, None, line[0])])
        report = push(here, remote, [update(MAIN, line[0], line[1])])
        expect(report.nbytes < 20_000, f"the differences, the manifest: {report.nbytes} bytes")
        there = self.source(tmp_path)
        fetch(there, remote, [line[0]])
        set_ref(there, MAIN, line[0])
        got = fetch(there, remote, [line[1]])
        expect(got.nbytes < 20_000, f"so it comes back: {got.nbytes} bytes")
        expect(files_of(there, line[1]) == {b"t": versions[1]}, "bit for bit")
        expect(count_deltas(there) == count_deltas(here) // 2 > 3, "and lies as it lay")

    def test_a_history_with_deltas_travels_at_once(self, tmp_path: Path) -> None:
        """Bases go before what needs them; of a part of the history, they go along."""
        here, remote = self.source(tmp_path), self.new_remote(tmp_path)
        versions = edited_table(3)
        line = commit_versions(here, versions)
        whole = len(versions[0])
        report = push(here, remote, [update(MAIN, None, line[2])])
        expect(report.nbytes < whole, f"{report.nbytes} bytes of {whole} compressed")
        there = self.source(tmp_path)
        got = fetch(there, remote, [line[2]])
        expect(got.nbytes < whole, f"{got.nbytes} bytes of {whole} compressed")
        for commit, data in zip(line, versions, strict=True):
            expect(files_of(there, commit) == {b"t": data}, "each version, bit for bit")
        last = self.source(tmp_path)
        fetch(last, remote, [line[2]], depth=1)
        expect(files_of(last, line[2]) == {b"t": versions[2]}, "the last one alone")
        expect(count_deltas(last) > 3, "against bases that came along")

    def test_a_delta_needs_its_base(self, tmp_path: Path) -> None:
        """It may come after it; where it does not come, nothing is kept."""
        here, remote = self.source(tmp_path), self.new_remote(tmp_path)
        old = noise(1, 40_000)
        new = old[:20_000] + b"edit" + old[20_000:]
        base, oid = content_id(old), content_id(new)
        with here.store.batch() as batch:
            batch.put(base, Kind.CHUNK, old)
            batch.put(oid, Kind.CHUNK, new, base=base)
        delta, plain = here.store.locate([oid])[0], here.store.get_stored(base)
        expect(delta is not None and delta.how == How.DELTA, "a delta")
        (run,) = here.store.get_runs_at([(oid, delta)], deltas=True)
        error = refuses(MissingError, lambda: remote.put([run]))
        expect(base.hex() in error.items, "it names the base")
        expect(remote.has([oid]) == [False], "nothing was kept")
        expect(remote.put([run, run_of([plain])]).kept == 2, "the base may come later")
        there = self.source(tmp_path)
        with there.store.batch() as batch:
            for item in objects_of(remote.fetch([base, oid])):
                batch.put_stored(item)
        expect(there.store.get(oid, Kind.CHUNK) == new, "bit for bit")

    def test_has_tells_what_is_there(self, tmp_path: Path) -> None:
        """In the order of the question."""
        remote = self.new_remote(tmp_path)
        remote.put(gathered([raw(b"a"), raw(b"b")]))
        asked = [content_id(one) for one in (b"x", b"b", b"a", b"y")]
        expect(remote.has(asked) == [False, True, True, False], "two of four")
        expect(remote.has([]) == [], "nothing asked, nothing told")

    def test_put_tells_what_was_new(self, tmp_path: Path) -> None:
        """And storing twice stores once."""
        remote = self.new_remote(tmp_path)
        expect(remote.put(gathered([raw(b"a"), raw(b"b")])).kept == 2, "two are new")
        reply = remote.put(gathered([raw(b"b"), raw(b"c")]))
        expect((reply.received, reply.kept) == (2, 1), "one is new")

    def test_fetch_gives_what_is_there_then_tells_what_is_not(self, tmp_path: Path) -> None:
        """``MissingError`` comes last."""
        remote = self.new_remote(tmp_path)
        remote.put(gathered([raw(b"a")]))
        got: list[Stored] = []

        def act() -> None:
            got.extend(objects_of(remote.fetch([content_id(b"a"), content_id(b"x")])))

        error = refuses(MissingError, act)
        expect(error.items == (content_id(b"x").hex(),), "it names the one")
        stream = remote.fetch([content_id(b"a")])
        expect([bytes(run.blob) for run in stream] == [b"a"], "the other one comes")

    def test_lies_are_refused_and_not_kept(self, tmp_path: Path) -> None:
        """Bytes that do not fit their id, paths that leave, manifests that do not assemble."""
        for lie in lies():
            remote = self.new_remote(tmp_path / secrets.token_hex(4))
            good = raw(b"before the lie")
            error = refuses(OxError, partial(remote.put, [run_of([good, lie])]))
            kinds = (CorruptError, InvalidError, MissingError)
            expect(isinstance(error, kinds), f"{error.kind}: {error.message}")
            expect(remote.has([good.id, lie.id]) == [False, False], "nothing was kept")

    def test_a_manifest_is_kept_with_its_chunks_only(self, tmp_path: Path) -> None:
        """A gap is refused; with the chunks it is taken, in one stream or after them."""
        here, remote = self.source(tmp_path), self.new_remote(tmp_path)
        data = noise(3, 900_000)
        with here.store.batch() as batch:
            oid = put_bytes(here, batch, data)
        parts = [part.oid for part in content.parts(here.store, oid)]
        stored = {one: here.store.get_stored(one) for one in parts}
        expect(stored[parts[0]].kind == Kind.FILE and len(parts) > 3, "a file of several chunks")
        refuses(MissingError, lambda: remote.put(gathered([stored[parts[0]], stored[parts[1]]])))
        expect(not any(remote.has(parts)), "nothing was kept")
        remote.put(gathered([stored[one] for one in parts]))
        expect(all(remote.has(parts)), "manifest first, then its chunks: fine")

    def test_a_swap_is_a_compare_and_swap(self, tmp_path: Path) -> None:
        """A stale ``old`` is refused and told; nothing of that swap happens."""
        here, remote = self.source(tmp_path), self.new_remote(tmp_path)
        one = commit_files(here, {b"a": b"1"})
        two = commit_files(here, {b"a": b"2"}, [one])
        push(here, remote, [update(MAIN, None, one)])
        both = [update(MAIN, one, two), update("refs/heads/x", two, one)]
        refuses(RejectedError, lambda: push(here, remote, both))
        expect(remote.refs().refs == {MAIN: one.hex()}, "neither ref moved")
        refuses(RejectedError, lambda: push(here, remote, [update(MAIN, None, two)]))
        push(here, remote, [update(MAIN, one, two)])
        expect(remote.refs().refs == {MAIN: two.hex()}, "the right one moves it")

    def test_two_at_once_one_wins(self, tmp_path: Path) -> None:
        """Both stand on the same commit."""
        here, remote = self.source(tmp_path), self.new_remote(tmp_path)
        base = commit_files(here, {b"a": b"1"})
        push(here, remote, [update(MAIN, None, base)])
        mine = commit_files(here, {b"a": b"mine"}, [base])
        yours = commit_files(here, {b"a": b"yours"}, [base])
        push(here, remote, [update(MAIN, base, mine)])
        error = refuses(RejectedError, lambda: push(here, remote, [update(MAIN, base, yours)]))
        expect(any(mine.hex() in item for item in error.items), "it tells the present value")

    def test_history_is_not_lost_without_force(self, tmp_path: Path) -> None:
        """A new tip descends from the old one, or it is forced with the right old value."""
        here, remote = self.source(tmp_path), self.new_remote(tmp_path)
        one = commit_files(here, {b"a": b"1"})
        two = commit_files(here, {b"a": b"2"}, [one])
        push(here, remote, [update(MAIN, None, two)])
        other = commit_files(here, {b"a": b"3"}, [one])
        back = [update(MAIN, two, other)]
        refuses(RejectedError, lambda: push(here, remote, back))
        refuses(RejectedError, lambda: push(here, remote, [update(MAIN, one, other)], force=[MAIN]))
        push(here, remote, back, force=[MAIN])
        expect(remote.refs().refs == {MAIN: other.hex()}, "forced")

    def test_a_retry_is_no_conflict(self, tmp_path: Path) -> None:
        """The same write-id gives the same answer, also when the ref has moved on."""
        here, remote = self.source(tmp_path), self.new_remote(tmp_path)
        one = commit_files(here, {b"a": b"1"})
        two = commit_files(here, {b"a": b"2"}, [one])
        done = push(here, remote, [update(MAIN, None, one)], write_id="the-first-try").swap
        request = SwapRequest((update(MAIN, None, one),), "the-first-try")
        again = remote.swap(request)
        expect(again.repeated and again.operation == done.operation, "the same operation")
        push(here, remote, [update(MAIN, one, two)])
        expect(remote.swap(request).repeated, "still")
        expect(remote.refs().refs == {MAIN: two.hex()}, "and nothing moved back")
        other = SwapRequest((update(MAIN, None, one),), "another-try")
        refuses(RejectedError, lambda: remote.swap(other))

    def test_a_branch_can_be_deleted(self, tmp_path: Path) -> None:
        """With the right old value."""
        here, remote = self.source(tmp_path), self.new_remote(tmp_path)
        one = commit_files(here, {b"a": b"1"})
        push(here, remote, [update(MAIN, None, one), update("refs/heads/x", None, one)])
        refuses(RejectedError, lambda: push(here, remote, [update("refs/heads/x", None, None)]))
        push(here, remote, [update("refs/heads/x", one, None)])
        expect(remote.refs().refs == {MAIN: one.hex()}, "gone")

    def test_a_history_with_holes_is_refused(self, tmp_path: Path) -> None:
        """A commit without its tree, its file or its parent."""
        here, remote = self.source(tmp_path), self.new_remote(tmp_path)
        big = noise(5, 800_000)
        one = commit_files(here, {b"a": b"1", b"big": big})
        root = here.commit(one).tree
        stored = here.store.get_stored
        request = SwapRequest((update(MAIN, None, one),), "with-holes")
        for part in (one, root, content_id(b"1")):
            refuses(MissingError, lambda: remote.swap(request))
            remote.put(gathered([stored(part)]))
        error = refuses(MissingError, lambda: remote.swap(request))
        expect(error.items == (content_id(big).hex(),), "it names what is missing")
        push(here, remote, [update(MAIN, None, one)])
        two = commit_files(here, {b"a": b"1"}, [commit_files(here, {b"b": b""}, [one]), one])
        remote.put(gathered([stored(two)]))
        refuses(
            MissingError, lambda: remote.swap(SwapRequest((update(MAIN, one, two),), "no-parent"))
        )

    def test_a_push_mends_a_tree_that_is_there_without_its_files(self, tmp_path: Path) -> None:
        """Objects that were there in part do not fool the sender for good."""
        here, remote = self.source(tmp_path), self.new_remote(tmp_path)
        one = commit_files(here, many_files(2000))
        remote.put(
            gathered([here.store.get_stored(here.commit(one).tree), here.store.get_stored(one)])
        )
        push(here, remote, [update(MAIN, None, one)])
        expect(remote.refs().refs == {MAIN: one.hex()}, "it got there")

    def test_only_branches_and_tags_can_be_moved(self, tmp_path: Path) -> None:
        """No HEAD, no stage, no name that breaks the rules."""
        here, remote = self.source(tmp_path), self.new_remote(tmp_path)
        one = commit_files(here, {b"a": b"1"})
        push(here, remote, [update(MAIN, None, one)])
        names = (
            "HEAD",
            "stage",
            "refs/stash/0",
            "refs/heads/a..b",
            "refs/heads/",
            "refs/heads/a b",
        )
        for name in names:
            refuses(InvalidError, partial(push, here, remote, [update(name, None, one)]))
        blob = content_id(b"1")
        refuses(
            OxError,
            lambda: remote.swap(SwapRequest((update("refs/heads/x", None, blob),), "x" * 9)),
        )

    def test_commits_come_as_far_as_they_are_asked_for(self, tmp_path: Path) -> None:
        """From ``want``, not beyond ``have``, not deeper than ``depth``."""
        here, remote = self.source(tmp_path), self.new_remote(tmp_path)
        line = commit_line(here, 6)
        push(here, remote, [update(MAIN, None, line[-1])])

        def got(request: CommitsRequest) -> set[bytes]:
            return {oid for run in remote.commits(request) for oid in run.ids}

        tip = (line[-1],)
        expect(got(CommitsRequest(tip)) == set(line), "all")
        expect(got(CommitsRequest(tip, (line[2],))) == set(line[3:]), "not beyond")
        expect(got(CommitsRequest(tip, (content_id(b"x"),))) == set(line), "unknown: ignored")
        expect(got(CommitsRequest(tip, depth=2)) == set(line[-2:]), "two deep")
        shallow = CommitsRequest((line[1], line[-1]), (line[3],), (line[3],))
        expect(got(shallow) == {line[0], line[1], line[4], line[5]}, "below a shallow commit too")
        refuses(MissingError, lambda: got(CommitsRequest((content_id(b"x"),))))

    def test_a_shallow_fetch_can_be_pushed_from(self, tmp_path: Path) -> None:
        """Depth 1: one commit and its files; then new work goes back."""
        here, remote = self.source(tmp_path), self.new_remote(tmp_path)
        line = commit_line(here, 5)
        push(here, remote, [update(MAIN, None, line[-1])])
        there = self.source(tmp_path)
        report = fetch(there, remote, [line[-1]], depth=1)
        expect(report.commits == 1 and report.shallow == {line[-1]}, "one commit, shallow")
        expect(files_of(there, line[-1]) == {b"n": b"4"}, "its files are there")
        expect(not any(there.store.has_many(line[:-1])), "the others are not")
        set_ref(there, MAIN, line[-1])
        set_shallow(there, report.shallow)
        new = commit_files(there, {b"n": b"new"}, [line[-1]])
        push(there, remote, [update(MAIN, line[-1], new)])
        expect(remote.refs().refs == {MAIN: new.hex()}, "pushed")

    def test_commits_and_trees_can_come_without_files(self, tmp_path: Path) -> None:
        """``files`` False."""
        here, remote = self.source(tmp_path), self.new_remote(tmp_path)
        one = commit_files(here, {b"a": b"some file"})
        push(here, remote, [update(MAIN, None, one)])
        there = self.source(tmp_path)
        fetch(there, remote, [one], files=False)
        expect(
            [path for path, _ in tree.walk(there.store, there.commit(one).tree)] == [b"a"], "tree"
        )
        expect(not there.store.has_many([content_id(b"some file")])[0], "no file")
