"""What capture brought to a branch, and processes that save and die."""

import io
import os
import random
import signal
import time
from contextlib import contextmanager

import pyarrow.parquet as pq

from oxcore.capturing import REGISTRY


def shards(repo, branch, directory, kind="dt="):
    """The rows of all shards below ``directory``, as dicts; ``kind`` "feedback/": the events."""
    start = f"{directory}/{kind}".encode()
    if f"refs/heads/{branch}" not in repo.refs():
        return []
    rows = []
    for path, _ in repo.walk(branch):
        if path.startswith(start):
            rows += pq.read_table(io.BytesIO(repo.read(path, branch))).to_pylist()
    return rows


def records(repo, branch="deployed", directory="wild"):
    """Rows of records, without those of gaps."""
    return [row for row in shards(repo, branch, directory) if row["status"] != "gap"]


def gaps(repo, branch="deployed", directory="wild"):
    """Rows of gaps."""
    return [row for row in shards(repo, branch, directory) if row["status"] == "gap"]


@contextmanager
def forgotten():
    """The recorders of this process go when the block ends, and what is left is sent."""
    try:
        yield
    finally:
        REGISTRY.close()


def in_child(work):
    """Run ``work(tell)`` in a forked child; gives its pid, and the end of a pipe where ids come.

    ``tell(text)`` writes a line: what the parent reads of it had happened.
    """
    out, into = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.close(out)
            work(lambda text: os.write(into, f"{text}\n".encode()))
            code = 0
        finally:
            os._exit(code)
    os.close(into)
    return pid, out


def killed(pid, out, seconds):
    """Kill the child after so long; gives the lines that it told."""
    time.sleep(seconds)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return told(out)


def told(out):
    """All lines of a pipe whose other end is closed."""
    with os.fdopen(out, "rb") as file:
        lines = file.read().split(b"\n")
    return [line.decode() for line in lines[:-1]]


def waited(pid, out):
    """The lines that a child told until it ended by itself, which must be well."""
    lines = told(out)
    assert os.waitpid(pid, 0)[1] == 0
    return lines


def moment(most):
    """A random number of seconds, often a short one."""
    return random.random() ** 2 * most
