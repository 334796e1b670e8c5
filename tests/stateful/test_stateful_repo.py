"""A real repository in a real folder, held to plain dicts: files, stage, commits, branches.

Every rule does one thing to both; what the model says must be refused must be refused, and must
change nothing. After every step the folder, the status, the roots of the trees and HEAD are
compared.
"""

import os
import shutil
import tempfile
from typing import NamedTuple

import pytest
from blake3 import blake3
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from oxcore import tree
from oxcore.api import Repo
from oxcore.errors import (
    ConflictError,
    NotFoundError,
    NothingToDoError,
    UnsavedError,
)
from oxcore.model.commits import Moment, Person
from oxcore.model.entries import Entry
from oxcore.model.settings import Settings
from oxcore.store import MemoryStore


class File(NamedTuple):
    mode: int
    data: bytes


FILE, EXEC, LINK = 1, 2, 3
LARGE = bytes(range(256)) * 400  # more than one chunk may hold at the least
PATHS = st.sampled_from([b"a", b"b", b"d", b"d/a", b"d/e/f", b"A", b"\xff", b"d-"])
FILES = st.sampled_from(
    [
        *(File(FILE, data) for data in (b"x", b"y", b"", LARGE)),
        *(File(EXEC, data) for data in (b"x", b"z")),
        *(File(LINK, target) for target in (b"a", b"nowhere/at/all")),
    ]
)
NAMES = st.sampled_from(["main", "one", "two"])


class Refused(Exception):
    """The model says that the verb must refuse."""


def entry(file):
    return Entry(file.mode, len(file.data), blake3(file.data).digest())


def root_of(files):
    return tree.build(MemoryStore(), sorted((path, entry(file)) for path, file in files.items()))


def folders(path):
    parts = path.split(b"/")
    return [b"/".join(parts[:count]) for count in range(1, len(parts))]


def clashes(files):
    return any(folder in files for path in files for folder in folders(path))


def changed(old, new):
    return sorted(path for path in {*old, *new} if old.get(path) != new.get(path))


def put(files, path, file):
    """``path`` holds ``file``, and what cannot be beside it is gone."""
    kept = {
        one: held
        for one, held in files.items()
        if one != path and not one.startswith(path + b"/") and one not in folders(path)
    }
    return {**kept, path: file}


def with_changes(files, edits):
    result = {path: file for path, file in files.items() if path not in edits}
    return {**result, **{path: file for path, file in edits.items() if file is not None}}


def carried(work, steps):
    """The files after ``steps`` (path -> old, new); ``Refused`` where work would be lost."""
    for path, (old, new) in steps.items():
        if work.get(path) not in (None, old, new):
            raise Refused
    return forced(work, steps)


def forced(work, steps):
    result = with_changes(work, {path: new for path, (_, new) in steps.items()})
    if clashes(result):
        raise Refused
    return result


def steps_between(old, new):
    return {path: (old.get(path), new.get(path)) for path in changed(old, new)}


def merged(base, ours, theirs):
    """``ours`` with what ``theirs`` did to ``base``; None where both did."""
    result = dict(ours)
    for path in changed(base, theirs):
        old, own, new = base.get(path), ours.get(path), theirs.get(path)
        if own == old:
            result = with_changes(result, {path: new})
        elif own != new:
            both = combined(old, own, new)
            if both is None:
                return None
            result[path] = both
    return None if clashes(result) else result


def combined(old, own, new):
    if None in (old, own, new) or LINK in (old.mode, own.mode, new.mode):
        return None
    parts = []
    for was, mine, other in zip(old, own, new, strict=True):
        if mine == was:
            parts.append(other)
        elif other in (was, mine):
            parts.append(mine)
        else:
            return None
    return File(*parts)


class RepoMachine(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.now = 0  # a clock of its own: the same steps give the same ids
        self.folder = tempfile.mkdtemp(prefix="ox-stateful-")
        self.repo = Repo.init(self.folder, settings=self._settings())
        self.work, self.stage = {}, {}
        self.commits = {}  # id -> files, parents
        self.branches = {}
        self.branch = "main"
        self.stashes = []  # base, files, which of them were staged

    def teardown(self):
        self.repo.close()
        shutil.rmtree(self.folder)

    def _settings(self):
        return Settings(author=Person("A", "a@example.org"), clock=self._tick)

    def _tick(self):
        self.now += 1_000_000
        return Moment(self.now)

    # -- the model

    @property
    def head(self):
        return self.branches.get(self.branch)

    @property
    def head_files(self):
        return {} if self.head is None else self.commits[self.head][0]

    def tracked(self):
        return sorted(self.stage)

    def note(self, oid, files, parents):
        self.commits[oid] = (dict(files), parents)
        self.branches[self.branch] = oid

    def attempt(self, act, model, *errors):
        """Do both: either both refuse, or the new state of the model stands. Gives the result."""
        try:
            change = model()
        except Refused:
            with pytest.raises(errors or UnsavedError):
                act()
            return None
        result = act()
        change()
        return result

    # -- the user's hands

    def place(self, path):
        return os.path.join(os.fsencode(self.folder), path)

    @initialize()
    def some_files(self):
        for path in (b"a", b"d/a"):
            self.write(path, File(FILE, b"x"))
        self.add_all()
        self.commit()

    @rule(path=PATHS, file=FILES)
    def write(self, path, file):
        self.work = put(self.work, path, file)
        for folder in folders(path):
            if os.path.lexists(self.place(folder)) and not _is_folder(self.place(folder)):
                os.unlink(self.place(folder))
        if _is_folder(self.place(path)):
            shutil.rmtree(self.place(path))
        os.makedirs(os.path.dirname(self.place(path)), exist_ok=True)
        _write(self.place(path), file)

    @rule(path=PATHS)
    def delete(self, path):
        if self.work.pop(path, None) is not None:
            os.unlink(self.place(path))

    @rule(old=PATHS, new=PATHS)
    def rename(self, old, new):
        below = any(one.startswith(new + b"/") for one in self.work)
        if old not in self.work or below or old == new or clashes({**self.work, new: None}):
            return
        shutil.rmtree(self.place(new), ignore_errors=True)  # folders without a file
        os.makedirs(os.path.dirname(self.place(new)), exist_ok=True)
        os.rename(self.place(old), self.place(new))
        self.work[new] = self.work.pop(old)

    # -- verbs

    @rule()
    def add_all(self):
        self.repo.add()
        self.stage = dict(self.work)

    @rule(path=PATHS)
    def add(self, path):
        below = {p for p in {*self.work, *self.stage} if p == path or p.startswith(path + b"/")}
        if not below and not os.path.lexists(self.place(path)):
            with pytest.raises(NotFoundError):
                self.repo.add([path])
            return
        self.repo.add([path])
        for one in sorted(below):
            if one not in self.work:
                self.stage.pop(one, None)
        for one in sorted(below & set(self.work)):
            self.stage = put(self.stage, one, self.work[one])

    @rule()
    def add_update(self):
        self.repo.add(update=True)
        self.stage = {path: self.work[path] for path in self.stage if path in self.work}

    @rule(data=st.data(), cached=st.booleans(), force=st.booleans())
    @precondition(lambda self: self.stage)
    def rm(self, data, cached, force):
        path = data.draw(st.sampled_from(self.tracked()))
        there, staged = self.work.get(path), self.stage[path]

        def model():
            safe = there in (None, staged) and staged == self.head_files.get(path)
            if not (cached or force or safe):
                raise Refused
            return lambda: self._remove(path, keep=cached)

        self.attempt(lambda: self.repo.rm([path], cached=cached, force=force), model)

    def _remove(self, path, *, keep):
        del self.stage[path]
        if not keep:
            self.work.pop(path, None)

    @rule(data=st.data(), new=PATHS)
    @precondition(lambda self: self.stage)
    def mv(self, data, new):
        old = data.draw(st.sampled_from(self.tracked()))
        if old not in self.work or os.path.lexists(self.place(new)) or clashes({old: 0, new: 0}):
            return
        if not _is_folder(os.path.dirname(self.place(new))):
            return
        self.repo.mv([old], new)
        self.work[new] = self.work.pop(old)
        file = self.stage.pop(old)
        self.stage = put(self.stage, new, file)

    @rule(amend=st.booleans())
    def commit(self, amend=False):
        amend = amend and self.head is not None
        if not amend and self.stage == self.head_files:
            with pytest.raises(NothingToDoError):
                self.repo.commit("nothing")
            return
        made = self.repo.commit("a version", amend=amend)
        parents = [self.head] if self.head is not None else []
        if amend:
            parents = self.commits[self.head][1]
        assert (made.added, made.removed) == self._count(made, parents)
        self.note(made.id, self.stage, parents)

    def _count(self, made, parents):
        before = self.commits[parents[0]][0] if parents else {}
        return len(set(self.stage) - set(before)), len(set(before) - set(self.stage))

    @rule(name=NAMES)
    def switch(self, name):
        if self.head is None:
            return
        if name not in self.branches:
            self.repo.switch(create=name)
            self.branches[name], self.branch = self.head, name
            return
        target = self.commits[self.branches[name]][0]

        def model():
            work, stage = self._taken_to(target)
            return lambda: self._go(name, work, stage)

        self.attempt(lambda: self.repo.switch(name), model)

    def _taken_to(self, target):
        """Work tree and stage after HEAD's tree becomes ``target``, staged changes along."""
        staged = steps_between(self.head_files, self.stage)
        for path in changed(self.head_files, target):
            if path in staged and self.stage.get(path) != target.get(path):
                raise Refused
        wanted = with_changes(target, {path: new for path, (_, new) in staged.items()})
        if clashes(wanted):
            raise Refused
        return carried(self.work, steps_between(self.stage, wanted)), wanted

    def _go(self, name, work, stage):
        self.branch, self.work, self.stage = name, work, stage

    @rule(data=st.data(), how=st.sampled_from(["soft", "mixed", "hard"]))
    @precondition(lambda self: self.commits)
    def reset(self, data, how):
        oid = data.draw(st.sampled_from(list(self.commits)))
        target = self.commits[oid][0]

        def model():
            tracked = {*self.stage, *target}
            back = {path: (None, target.get(path)) for path in tracked}
            work = forced(self.work, back) if how == "hard" else self.work
            stage = self.stage if how == "soft" else dict(target)
            return lambda: self._back(oid, work, stage)

        self.attempt(lambda: self.repo.reset(oid.hex(), how), model)

    def _back(self, oid, work, stage):
        self.branches[self.branch] = oid
        self.work, self.stage = dict(work), dict(stage)

    @rule(path=PATHS, staged=st.booleans())
    def restore(self, path, staged):
        source = self.head_files if staged else self.stage
        inside = [p for p in {*source, *self.stage} if p == path or p.startswith(path + b"/")]
        if not inside:
            with pytest.raises(NotFoundError):
                self.repo.restore([path], staged=staged, worktree=not staged)
            return

        def model():
            back = {one: source.get(one) for one in inside}
            if staged:
                return lambda: setattr(self, "stage", self._unstaged(back))
            work = forced(self.work, {one: (None, file) for one, file in back.items()})
            return lambda: setattr(self, "work", work)

        self.attempt(lambda: self.repo.restore([path], staged=staged, worktree=not staged), model)

    def _unstaged(self, back):
        stage = with_changes(self.stage, dict.fromkeys(back))
        for path, file in back.items():
            stage = stage if file is None else put(stage, path, file)
        return stage

    @rule(untracked=st.booleans())
    @precondition(lambda self: self.head is not None and len(self.stashes) < 3)
    def stash(self, untracked):
        head = self.head_files
        paths = {*self.stage, *head} | (set(self.work) if untracked else set())
        snapshot = {path: self.work[path] for path in paths if path in self.work}
        if snapshot == head and self.stage == head:
            with pytest.raises(NothingToDoError):
                self.repo.stash_push(untracked=untracked)
            return

        def model():
            work = forced(self.work, {path: (None, head.get(path)) for path in paths})
            return lambda: self._put_aside(snapshot, work)

        self.attempt(lambda: self.repo.stash_push(untracked=untracked), model)

    def _put_aside(self, snapshot, work):
        self.stashes.append((self.head_files, snapshot, set(self.stage)))
        self.work, self.stage = work, dict(self.head_files)

    @rule(drop=st.booleans())
    @precondition(lambda self: self.stashes)
    def pop(self, drop):
        base, files, _ = self.stashes[-1]

        def model():
            wanted = merged(base, self.stage, files)
            if wanted is None:
                raise Refused
            work = carried(self.work, steps_between(self.stage, wanted))
            return lambda: self._take_back(work, wanted, drop)

        act = self.repo.stash_pop if drop else self.repo.stash_apply
        self.attempt(act, model, ConflictError, UnsavedError)

    def _take_back(self, work, wanted, drop):
        for path in sorted((set(wanted) - set(self.stage)) & self.stashes[-1][2]):
            self.stage = put(self.stage, path, wanted[path])
        self.work = work
        if drop:
            self.stashes.pop()

    @rule(name=NAMES)
    def merge(self, name):
        if self.head is None or name not in self.branches:
            return
        theirs = self.branches[name]
        bases = self._bases(self.head, theirs)
        if len(bases) != 1:
            return
        base, target = self.commits[min(bases)][0], self.commits[theirs][0]
        wanted = merged(base, self.head_files, target)
        if bases == {theirs}:
            assert self.repo.merge(name).kind == "up-to-date"
        elif wanted is None:
            self._conflict(name)
        else:
            self._merge(name, wanted, forward=bases == {self.head})

    def _merge(self, name, wanted, *, forward):
        def model():
            if self.stage != self.head_files and not forward:
                raise Refused
            work, stage = self._taken_to(wanted)
            return lambda: self._joined(work, stage)

        result = self.attempt(lambda: self.repo.merge(name), model)
        if result is not None and forward:
            self.branches[self.branch] = result.commit
        elif result is not None:
            self.note(result.commit, wanted, [self.head, self.branches[name]])

    def _conflict(self, name):
        """It stops, or refuses at once; given up, it leaves no trace."""
        try:
            assert self.repo.merge(name).kind == "conflicts"
        except UnsavedError:
            return
        self.repo.abort()

    def _joined(self, work, wanted):
        self.work, self.stage = work, dict(wanted)

    def _bases(self, one, other):
        common = self._above(one) & self._above(other)
        return {oid for oid in common if not any(oid in self._above(c) - {c} for c in common)}

    def _above(self, oid):
        found, todo = set(), [oid]
        while todo:
            oid = todo.pop()
            if oid not in found:
                found.add(oid)
                todo += self.commits[oid][1]
        return found

    @rule(path=PATHS, file=FILES, name=NAMES)
    def transaction(self, path, file, name):
        if name not in self.branches or file.mode == LINK:
            return
        old = self.commits[self.branches[name]][0]
        new = put(old, path, file)

        def model():
            if new == old or name != self.branch:
                return lambda: None
            work, stage = self._taken_to(new)
            return lambda: self._joined(work, stage)

        made = self.attempt(lambda: self._transact(name, path, file), model)
        if made is not None:
            self.commits[made] = (new, [self.branches[name]])
            self.branches[name] = made

    def _transact(self, name, path, file):
        with self.repo.transaction(name, message="by program") as edits:
            edits.put(path, file.data, executable=file.mode == EXEC)
        return edits.commit_id

    @rule(
        data=st.data(), verb=st.sampled_from(["reset", "restore", "stash", "switch", "rm", "add"])
    )
    @precondition(lambda self: self.head is not None)
    def there_and_back(self, data, verb):
        """Whatever a verb does, undo takes it back to the byte."""
        before = self.repo._repo.view().number
        acts = {
            "reset": lambda: self.repo.reset(self._any_commit(data).hex(), "hard"),
            "restore": lambda: self.repo.restore([b""], source=self._any_commit(data).hex()),
            "stash": lambda: self.repo.stash_push(untracked=True),
            "switch": lambda: self.repo.switch(data.draw(NAMES), force=True),
            "rm": lambda: self.repo.rm([b""], recursive=True, force=True),
            "add": self.repo.add,
        }
        try:
            acts[verb]()
        except (NotFoundError, NothingToDoError, UnsavedError):
            return
        if self.repo._repo.view().number > before:
            self.repo.undo()

    def _any_commit(self, data):
        return data.draw(st.sampled_from(list(self.commits)))

    @rule()
    def reopen(self):
        self.repo.close()
        self.repo = Repo.open(self.folder, settings=self._settings())

    # -- what always holds

    @invariant()
    def the_folder_is_as_the_model_says(self):
        assert _read_all(os.fsencode(self.folder)) == self.work

    @invariant()
    def status_is_the_difference(self):
        status = self.repo.status(each_untracked=True)
        assert [c.path for c in status.staged.changes] == changed(self.head_files, self.stage)
        tracked = {path: self.work[path] for path in self.stage if path in self.work}
        assert sorted(c.path for c in status.changed.changes) == changed(self.stage, tracked)
        assert sorted(status.untracked) == sorted(set(self.work) - set(self.stage))

    @invariant()
    def trees_are_those_built_at_once(self):
        assert self.repo._repo.stage() == root_of(self.stage)
        assert self.repo._repo.head_tree() == root_of(self.head_files)

    @invariant()
    def branches_and_stashes_are_known(self):
        heads = {name: oid.hex() for name, oid in self.branches.items()}
        refs = self.repo.refs()
        assert {r[11:]: oid for r, oid in refs.items() if r.startswith("refs/heads/")} == heads
        assert len(self.repo.stash_list()) == len(self.stashes)


def _is_folder(place):
    return os.path.isdir(place) and not os.path.islink(place)


def _write(place, file):
    if os.path.lexists(place):
        os.unlink(place)
    if file.mode == LINK:
        os.symlink(file.data, place)
        return
    with open(place, "wb") as out:
        out.write(file.data)
    os.chmod(place, 0o755 if file.mode == EXEC else 0o644)


def _read_all(top):
    found = {}
    for folder, folders_, names in os.walk(top):
        folders_[:] = [name for name in folders_ if name != b".ox"]
        links = [name for name in folders_ if os.path.islink(os.path.join(folder, name))]
        for name in names + links:
            place = os.path.join(folder, name)
            found[os.path.relpath(place, top)] = _read(place)
    return found


def _read(place):
    if os.path.islink(place):
        return File(LINK, os.readlink(place))
    with open(place, "rb") as file:
        return File(EXEC if os.stat(place).st_mode & 0o100 else FILE, file.read())


COMMON = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large],
}


def test_a_repository_is_what_plain_dicts_say():
    run_state_machine_as_test(
        RepoMachine, settings=settings(max_examples=50, stateful_step_count=30, **COMMON)
    )


@pytest.mark.deep
@pytest.mark.timeout(3600)
def test_a_repository_is_what_plain_dicts_say_at_length():
    run_state_machine_as_test(
        RepoMachine, settings=settings(max_examples=400, stateful_step_count=60, **COMMON)
    )
