"""Which objects a version consists of, and how many of them a repository has."""

from oxcore import tree
from oxcore.repo import Repository
from oxcore.repo.names import resolve_commit
from oxcore.store import content


def opened(folder):
    """The handle of the repository at ``folder``."""
    return Repository.open(str(folder))


def of_version(repo, revision="HEAD", since=None):
    """Ids of the commit, of the nodes that ``since`` (a revision) lacks, and of the files in them,
    with all their parts: what a push of one commit on top of ``since`` is about."""
    commit = repo.commit(resolve_commit(repo, revision))
    base = tree.EMPTY if since is None else repo.commit(resolve_commit(repo, since)).tree
    found = {resolve_commit(repo, revision)}
    found |= {oid for oid, _ in tree.diff_nodes(repo.store, base, commit.tree)}
    for change in tree.diff(repo.store, base, commit.tree):
        if change.new is not None:
            found |= {part.oid for part in content.parts(repo.store, change.new.id)}
    return found


def present(folder, oids):
    """How many of these objects the repository at ``folder`` has."""
    with opened(folder) as repo:
        return sum(repo.store.has_many(sorted(oids)))
