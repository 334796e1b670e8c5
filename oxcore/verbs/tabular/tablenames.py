"""Which files in conflict are taken for tables, told without loading what reads them."""

from __future__ import annotations

import os
import re

from oxcore import tree
from oxcore.model.entries import Entry, Mode
from oxcore.repo import Repository, files
from oxcore.repo.schemafile import file_of, table_of
from oxcore.tree import Conflict

_TEXTS = (b".csv", b".tsv", b".jsonl", b".ndjson", b".json")
_BINARY = (b".parquet", b".pq", b".arrow", b".arrows", b".feather")
_PACKED = (b".gz", b".zst")
_ARRAY = re.compile(rb"(?:\xef\xbb\xbf)?\s*\[\s*(?:\{|\]|\Z)")
_HEAD = 1 << 10


def named_table(path: bytes) -> bool:
    """Whether a file is called as a table is: ``.csv``, ``.jsonl.gz``, ``.parquet``..."""
    name = os.path.basename(path).lower()
    inner, last = os.path.splitext(name)
    return (inner if last in _PACKED else name).endswith(_TEXTS) or last in _BINARY


def may_merge(repo: Repository, root: bytes, conflict: Conflict) -> bool:
    """Whether a conflict may be settled by rows: both sides have a file, and so has the base, if
    there was any, which is called as a table is, or of which ``root`` has a schema."""
    entries = [conflict.ours, conflict.theirs, *([conflict.base] if conflict.base else [])]
    if any(one is None or one.mode == Mode.LINK for one in entries):
        return False
    if table_of(conflict.path) is not None:
        return False
    if named_table(conflict.path):
        json = conflict.path.lower().endswith(b".json")
        return not json or all(_is_array(repo, one) for one in entries)
    return tree.get(repo.store, root, file_of(conflict.path)) is not None


def _is_array(repo: Repository, entry: Entry | None) -> bool:
    """Whether a file of JSON begins as an array of records does."""
    if entry is None:
        return False
    with files.open_entry(repo, entry) as file:
        return _ARRAY.match(file.read(_HEAD)) is not None
