"""Follow what a commit, or the state, leads to, and prove it down to the last byte.

What is proved: the bytes of each commit, tag and node give its id; a tree is cut as the format
says and its sums are right; each file is there with all its parts, has the size that the tree
says and, with ``full``, assembles to its id.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace

from oxcore import tree
from oxcore.codec.node import Inner, Leaf
from oxcore.errors import CorruptError, FormatError, MissingError, OxError
from oxcore.model.entries import Entry, path_text
from oxcore.model.ids import Kind
from oxcore.repo import Repository
from oxcore.store import content
from oxcore.tree import Facts, Nodes
from oxcore.verbs.upkeep.roots import view_roots

_FILE = int(Kind.FILE)
_AT_ONCE = 512

FAULTS = (CorruptError, MissingError, FormatError)
"""What reading an object raises where the repository is to blame."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong: ``kind`` is corrupt, missing, index or log; ``what`` the id of an object
    in hex, or the name of a file of ox; ``path`` a file of the dataset that needs it, if known."""

    kind: str
    what: str
    message: str
    path: str = ""

    def text(self) -> str:
        """The line for people."""
        return f"{self.message}; {self.path} needs it" if self.path else self.message


@dataclass(slots=True)
class Proved:
    """Counts of what was looked at, each once: ``nbytes`` are the bytes of ``files``."""

    commits: int = 0
    tags: int = 0
    nodes: int = 0
    files: int = 0
    nbytes: int = 0


@dataclass(slots=True)
class Known:
    """What is known beforehand, from an audit of the packs: ids of ``bad`` objects, ``proved``
    manifests, and whether the bytes of all ``chunks`` were looked at."""

    bad: Collection[bytes] = ()
    proved: Collection[bytes] = ()
    chunks: bool = False


@dataclass(slots=True)
class Prover:
    """Looks at each object once, however many versions share it; ``problems`` by id in hex.

    ``broken``: files with a part that is missing or damaged, or a manifest that names a wrong one.
    """

    repo: Repository
    full: bool = True
    known: Known = field(default_factory=Known)
    counts: Proved = field(default_factory=Proved)
    problems: dict[str, Problem] = field(default_factory=dict)
    broken: set[bytes] = field(default_factory=set)
    _seen: set[bytes] = field(default_factory=set)
    _sizes: dict[bytes, int] = field(default_factory=dict)
    _facts: dict[bytes, Facts] = field(default_factory=dict)
    _reader: Nodes | None = None

    def state(self) -> None:
        """All that the present state leads to: refs, stashes, the stage, a merge that waits."""
        edge = self.repo.shallow()
        roots = view_roots(self.repo.view())
        self.repo.settings.progress.start("proving history", unit="objects")
        for root in roots:
            if root.kind == Kind.TREE:
                self.tree(root.id)
            elif root.kind == Kind.FILE:
                self._content([(b"", Entry(1, -1, root.id))])
        self.history([root.id for root in roots if root.kind == Kind.COMMIT], edge)
        self.repo.settings.progress.done()

    def history(self, tips: Iterable[bytes], edge: frozenset[bytes]) -> None:
        """These commits or tags, and all behind them; of the commits ``edge`` no parents."""
        pending = [oid for oid in tips if self._is_new(oid)]
        while pending:
            oid = pending.pop()
            parents = self.commit(oid)
            behind = () if oid in edge else parents
            pending.extend(parent for parent in behind if self._is_new(parent))

    def commit(self, oid: bytes) -> tuple[bytes, ...]:
        """One commit with its tree and files; gives its parents. Of a tag, its target."""
        self._seen.add(oid)
        try:
            tag = self.repo.tag(oid)
            if tag is not None:
                self.counts.tags += 1
                return (tag.target,)
            self.repo.store.get(oid, Kind.COMMIT)  # the handle may remember an older reading
            commit = self.repo.commit(oid)
        except FAULTS as error:
            self._note(oid, error)
            return ()
        self.counts.commits += 1
        self.tree(commit.tree)
        return commit.parents

    def met(self, oid: bytes) -> bool:
        """Whether this object was looked at."""
        return oid in self._seen

    def tree(self, root: bytes) -> None:
        """All nodes below ``root``, and the files that they list."""
        if root in self._facts:
            return
        for leaf in self._leaves(root):
            entries = list(leaf.entries())
            for start in range(0, len(entries), _AT_ONCE):
                self._content(entries[start : start + _AT_ONCE])
        for text in tree.check(self._nodes(), root, self._facts):
            if not any(oid in text for oid in self.problems):
                self.problems.setdefault(text, Problem("corrupt", root.hex(), text))

    def _leaves(self, root: bytes) -> Iterator[Leaf]:
        pending = [root]
        while pending:
            oid = pending.pop()
            if not self._is_new(oid):
                continue
            try:
                node = self._nodes().read(oid)
            except FAULTS as error:
                self._note(oid, error)
                continue
            self.counts.nodes += 1
            if isinstance(node, Inner):
                pending.extend(reversed(node.children()))
            else:
                yield node

    def _content(self, entries: Iterable[tuple[bytes, Entry]]) -> None:
        fresh = [(path, entry) for path, entry in entries if self._is_fresh(path, entry)]
        places = self.repo.store.locate([entry.id for _, entry in fresh])
        for (path, entry), where in zip(fresh, places, strict=True):
            try:
                if where is None:
                    raise _gone(entry.id)
                size = self._file(entry, path) if where.kind == _FILE else self._chunk(entry.id)
            except FAULTS as error:
                self._note(entry.id, error, path)
                continue
            self.counts.files += 1
            self.counts.nbytes += size
            self._check_size(entry, size, path)
            self.repo.settings.progress.step(1, size)

    def _is_fresh(self, path: bytes, entry: Entry) -> bool:
        """Whether the file was not met before; if it was, its size must be the same."""
        known = self._sizes.setdefault(entry.id, entry.size)
        if known >= 0:
            self._check_size(entry, known, path)
        return self._is_new(entry.id)

    def _check_size(self, entry: Entry, size: int, path: bytes) -> None:
        if size != entry.size >= 0:
            name = entry.id.hex()
            text = f"file {name} has {size} bytes, and a tree says {entry.size}"
            self.problems.setdefault(text, Problem("corrupt", name, text, path_text(path)))

    def _chunk(self, oid: bytes) -> int:
        """The size of a file that is one chunk, proved."""
        self._check_known(oid)
        where = self.repo.store.locate([oid])[0]
        if self.full and not self.known.chunks:
            return len(self.repo.store.get(oid, Kind.CHUNK))
        return 0 if where is None else where.raw

    def _file(self, entry: Entry, path: bytes) -> int:
        """The size of a file of several chunks, proved; all parts that are missing are noted."""
        size = 0
        parts = list(content.parts(self.repo.store, entry.id))
        there = self.repo.store.has_many([part.oid for part in parts])
        for part, here in zip(parts, there, strict=True):
            try:
                self._check_known(part.oid)
                if not here:
                    raise _gone(part.oid)
            except FAULTS as error:
                self._note(part.oid, error, path)
            size += part.length if part.kind == Kind.CHUNK else 0
        sound = not any(part.oid.hex() in self.problems for part in parts)
        if not sound:
            self.broken.add(entry.id)
        if self.full and sound and entry.id not in self.known.proved:
            for _ in content.read(self.repo.store, entry.id):
                pass
        return size

    def _check_known(self, oid: bytes) -> None:
        if oid in self.known.bad:
            raise CorruptError(f"object {oid.hex()} is damaged", items=[oid.hex()])

    def _is_new(self, oid: bytes) -> bool:
        if oid in self._seen:
            return False
        self._seen.add(oid)
        return True

    def _nodes(self) -> Nodes:
        if self._reader is None:
            self._reader = Nodes(self.repo.store)
        return self._reader

    def _note(self, oid: bytes, error: OxError, path: bytes = b"") -> None:
        """Note a problem under the object that is to blame: the error names it first."""
        name = error.items[0] if error.items else oid.hex()
        kind = "missing" if isinstance(error, MissingError) else "corrupt"
        found = self.problems.setdefault(name, Problem(kind, name, error.message))
        if path and not found.path:
            self.problems[name] = replace(found, path=path_text(path))


def _gone(oid: bytes) -> MissingError:
    return MissingError(f"object {oid.hex()} is missing", items=[oid.hex()])
