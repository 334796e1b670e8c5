"""The folder of the user: what is in it, what is ignored, and how it is changed without harm."""

from oxcore.model.late import late
from oxcore.worktree.ignore import FILE_NAME, Ignore, IgnoreNothing
from oxcore.worktree.look import Places, Seen, exists, peek
from oxcore.worktree.rows import (
    PREFIX,
    STAT_SIZE,
    UNKNOWN_STAT,
    mode_of,
    pack_stat,
    racy,
    racy_places,
    racy_rows,
)
from oxcore.worktree.scan import Folder, scan
from oxcore.worktree.temporary import clean_leftovers, is_temporary, temporary_name

TYPE_CHECKING = False  # see `oxcore`
if TYPE_CHECKING:
    from oxcore.worktree.collide import collisions, fold, folds_case, folds_unicode
    from oxcore.worktree.folders import Folders
    from oxcore.worktree.making import Making
    from oxcore.worktree.patterns import Match
    from oxcore.worktree.patterns import Sieve as Sieve
    from oxcore.worktree.patterns import parse_patterns as parse_patterns
    from oxcore.worktree.reading import (
        StableRead,
        Taken,
        hash_file,
        open_stable,
        read_as_seen,
        read_file,
        stable,
    )
    from oxcore.worktree.writing import Writer, make_file

__all__ = [
    "FILE_NAME",
    "PREFIX",
    "STAT_SIZE",
    "UNKNOWN_STAT",
    "Folder",
    "Folders",
    "Ignore",
    "IgnoreNothing",
    "Making",
    "Match",
    "Places",
    "Seen",
    "StableRead",
    "Taken",
    "Writer",
    "clean_leftovers",
    "collisions",
    "exists",
    "fold",
    "folds_case",
    "folds_unicode",
    "hash_file",
    "is_temporary",
    "make_file",
    "mode_of",
    "open_stable",
    "pack_stat",
    "peek",
    "racy",
    "racy_places",
    "racy_rows",
    "read_as_seen",
    "read_file",
    "scan",
    "stable",
    "temporary_name",
]

__getattr__ = late(
    __name__,
    {
        "collide": "collisions fold folds_case folds_unicode",
        "folders": "Folders",
        "making": "Making",
        "patterns": "Match Sieve parse_patterns",
        "reading": "StableRead Taken hash_file open_stable read_as_seen read_file stable",
        "writing": "Writer make_file",
    },
)
