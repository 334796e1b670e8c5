"""The state of a repository: refs, HEAD and stage as one flat map, its log, compare-and-swap."""

from oxcore.refs.names import branch_ref, check_ref_name, remote_ref, short_name, tag_ref
from oxcore.refs.salvage import Salvage, gaps, salvage, sound_records
from oxcore.refs.state import State
from oxcore.refs.view import View

__all__ = [
    "Salvage",
    "State",
    "View",
    "branch_ref",
    "check_ref_name",
    "gaps",
    "remote_ref",
    "salvage",
    "short_name",
    "sound_records",
    "tag_ref",
]
