"""The state of a repository: refs, HEAD and stage as one flat map, its log, compare-and-swap."""

from oxcore.model.late import late
from oxcore.refs.names import branch_ref, check_ref_name, remote_ref, short_name, tag_ref
from oxcore.refs.state import State
from oxcore.refs.view import View

TYPE_CHECKING = False  # see `oxcore`
if TYPE_CHECKING:
    from oxcore.refs._salvage import Salvage, gaps, salvage, sound_records

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

__getattr__ = late(__name__, {"_salvage": "Salvage gaps salvage sound_records"})
