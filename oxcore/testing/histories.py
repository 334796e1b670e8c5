"""Small histories for tests of what moves them: commits, tags, refs, objects as they travel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from oxcore import tree
from oxcore.codec.commit import encode_commit, encode_tag
from oxcore.codec.manifest import Manifest, encode_manifest
from oxcore.codec.node import encode_leaf
from oxcore.model.commits import Commit, Moment, Person, Tag
from oxcore.model.entries import Entry, Mode
from oxcore.model.ids import Kind, content_id, object_id
from oxcore.model.protocols import How, RefUpdate, Stored
from oxcore.repo import Repository
from oxcore.store import content
from oxcore.testing.stores import noise
from oxcore.verbs.storing.deposit import put_bytes

ANN = Person("Ann", "ann@example.org")
MAIN = "refs/heads/main"
Files = Mapping[bytes, bytes]


def commit_files(
    repo: Repository,
    files: Files,
    parents: Sequence[bytes] = (),
    message: str = "work",
    us: int = 0,
) -> bytes:
    """Store a commit whose tree holds just these files; gives its id. Moves no ref.

    Chunks that are new since the first parent may be deltas of its chunks, as ``add`` has it.
    """
    paths = sorted(files)
    before = tree.get_many(repo.store, repo.commit(parents[0]).tree, paths) if parents else []
    old = {path: one.id for path, one in zip(paths, before, strict=False) if one is not None}
    with repo.store.batch() as batch:
        rows = [
            (path, Entry(Mode.FILE, len(data), put_bytes(repo, batch, data, old.get(path))))
            for path, data in sorted(files.items())
        ]
        root = tree.build(batch, rows)
        when = Moment(us or 1_700_000_000_000_000 + 1_000_000 * len(parents))
        data = encode_commit(Commit(root, tuple(parents), ANN, when, message))
        oid = object_id(Kind.COMMIT, data)
        batch.put(oid, Kind.COMMIT, data)
    return oid


def tag_commit(repo: Repository, commit: bytes, name: str) -> bytes:
    """Store an annotated tag; gives its id."""
    data = encode_tag(Tag(commit, name, ANN, Moment(1_700_000_000_000_000), "a version"))
    oid = object_id(Kind.TAG, data)
    with repo.store.batch() as batch:
        batch.put(oid, Kind.TAG, data)
    return oid


def set_ref(repo: Repository, name: str, oid: bytes | None) -> None:
    """Move a ref of ``repo``, whatever it held."""
    with repo.lock("test"):
        new = None if oid is None else oid.hex()
        repo.operate("test", name, {name: (repo.view().get(name), new)})


def files_of(repo: Repository, commit: bytes) -> dict[bytes, bytes]:
    """Path -> bytes of every file of a commit, verified."""
    root = repo.commit(commit).tree
    return {
        path: b"".join(content.read(repo.store, entry.id))
        for path, entry in tree.walk(repo.store, root)
    }


def many_files(count: int, seed: int = 0) -> dict[bytes, bytes]:
    """``count`` small files in some folders."""
    return {b"dir%d/file%05d.bin" % (n % 7, n): noise(seed + n, 200) for n in range(count)}


def update(name: str, old: bytes | None, new: bytes | None) -> RefUpdate:
    """A ``RefUpdate`` of ids in bytes."""
    return RefUpdate(name, old.hex() if old else None, new.hex() if new else None)


def raw(data: bytes, kind: Kind = Kind.CHUNK, oid: bytes | None = None) -> Stored:
    """An object as it travels, raw; with a wrong ``oid`` it is a lie."""
    return Stored(oid or object_id(kind, data), int(kind), int(How.RAW), len(data), data)


def commit_line(repo: Repository, count: int) -> list[bytes]:
    """``count`` commits, each on the one before; the n-th has a file n that holds n."""
    line: list[bytes] = []
    for n in range(count):
        files = {b"n": b"%d" % n}
        line.append(commit_files(repo, files, line[-1:], us=1_700_000_000_000_000 + n))
    return line


def edited_table(count: int) -> list[bytes]:
    """Versions of a text of about 1 MB, each with a few lines changed since the one before."""
    lines = [b"%d,%s\n" % (n, noise(n, 24).hex().encode()) for n in range(20_000)]
    versions = [b"".join(lines)]
    for version in range(1, count):
        for at in range(version, len(lines), 2_500):
            lines[at] = b"%d,edited,%d\n" % (at, version)
        versions.append(b"".join(lines))
    return versions


def commit_versions(repo: Repository, versions: Sequence[bytes]) -> list[bytes]:
    """A commit for each version of the file ``t``, each on the one before."""
    line: list[bytes] = []
    for data in versions:
        line.append(commit_files(repo, {b"t": data}, line[-1:]))
    return line


def count_deltas(repo: Repository) -> int:
    """How many objects lie in the store as deltas."""
    return sum(where.how == How.DELTA for _, where in repo.index.locations.ids())


def set_shallow(repo: Repository, commits: Iterable[bytes]) -> None:
    """Note in the state which commits lack their parents."""
    listed = ",".join(f'"{oid.hex()}"' for oid in sorted(commits))
    with repo.lock("test"):
        change = (repo.view().get("shallow"), f"[{listed}]" if listed else None)
        repo.operate("test", "shallow", {"shallow": change})


def lies() -> list[Stored]:
    """Objects that no one may keep."""
    data = b"chunk of a file"
    chunk = content_id(data)
    manifest = encode_manifest(Manifest(0, chunk, [len(data)]))
    node = encode_leaf([b"../x"], chunk, [1], b"\1")
    unsorted = encode_leaf([b"b", b"a"], chunk * 2, [1, 1], b"\1\1")
    bomb = bytes.fromhex("28b52ffda000000001") + bytes(40)
    return [
        raw(b"x", oid=content_id(b"y")),
        raw(b"x", Kind.COMMIT),
        raw(b"{}", Kind.TAG),
        raw(b"OXTN", Kind.TREE),
        raw(node, Kind.TREE),
        raw(unsorted, Kind.TREE),
        raw(b"", Kind.SEGMENT),
        raw(manifest, Kind.FILE, content_id(b"another file")),
        raw(b"no manifest", Kind.FILE, content_id(b"z")),
        Stored(content_id(b"z"), int(Kind.CHUNK), int(How.ZSTD), 1 << 20, bomb),
        Stored(content_id(b"z"), int(Kind.CHUNK), int(How.ZSTD), 5, b"no zstd"),
        Stored(content_id(b"z"), 9, int(How.RAW), 1, b"z"),
        Stored(content_id(b"z"), int(Kind.CHUNK), int(How.DELTA), 1, bytes(40)),
    ]
