"""Merges with whatever content a test needs, made past the verbs."""

from oxcore import tree
from oxcore.model.commits import Commit
from oxcore.model.entries import Entry, Mode
from oxcore.model.ids import parse_id
from oxcore.verbs.commit import store_commit
from oxcore.verbs.storing.deposit import put_bytes


def join(desk, files, names=("main", "side")):
    """A commit with the branches ``names`` as parents, the tree of the first with these files
    (path -> bytes) in it; on no branch."""
    core = desk.core
    parents = tuple(parse_id(core.view()[f"refs/heads/{name}"]) for name in names)
    with core.batch() as batch:
        edits = [
            (path, Entry(Mode.FILE, len(data), put_bytes(core, batch, data)))
            for path, data in sorted(files.items())
        ]
        root = tree.edit(batch, batch, core.commit(parents[0]).tree, edits)
    return store_commit(core, Commit(root, parents, core.author(), core.settings.clock(), "join"))
