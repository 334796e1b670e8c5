"""The names that a writer gives to files and folders that are not yet in their place."""

from __future__ import annotations

import os
import re
import time

from oxcore.fs.atomic import remove_quietly

# Sixteen hexadecimal digits, so that a person's own '.ox-tmp-notes' is a file like any other.
# The probe for Unicode folding adds an e with an acute accent, composed or not.
_SHAPE = rb"\.ox-tmp-[0-9a-f]{16}(?:\xc3\xa9|e\xcc\x81)?\Z"


def temporary_name() -> bytes:
    """A fresh name; ``scan`` leaves such files and folders out."""
    return b".ox-tmp-" + os.urandom(8).hex().encode()


def is_temporary(name: bytes) -> bool:
    """Whether a writer of ox may have made a file or folder of this name."""
    return name.startswith(b".ox-tmp-") and re.match(_SHAPE, name) is not None


def clean_leftovers(root: str, leftovers: list[bytes], *, older_than: float = 3600.0) -> int:
    """Remove those of ``leftovers`` (from ``Folder``) that no one changed for ``older_than`` s.

    Gives how many. A younger one may belong to a writer that is at work.
    """
    limit = time.time() - older_than
    removed = 0
    for path in leftovers:
        place = os.path.join(root, os.fsdecode(path))
        try:
            old = os.lstat(place).st_mtime < limit
        except OSError:
            continue
        if old:
            _remove(place)
            removed += 1
    return removed


def _remove(place: str) -> None:
    if os.path.isdir(place) and not os.path.islink(place):
        from shutil import rmtree  # brings all compressors with it

        rmtree(place, ignore_errors=True)
    else:
        remove_quietly(place)
