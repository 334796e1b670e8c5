"""Capture: records of a model at work, from the caller's thread to a commit on a branch.

The design is docs/design/008-capture.md.
"""

from oxcore.model.late import late

TYPE_CHECKING = False  # see `oxcore`
if TYPE_CHECKING:
    from oxcore.capturing.background import Background
    from oxcore.capturing.options import Options
    from oxcore.capturing.recorder import Recorder
    from oxcore.capturing.registry import REGISTRY
    from oxcore.capturing.ship import Sent
    from oxcore.capturing.spool import Spool, spools
    from oxcore.capturing.upkeep import Flushed as Flushed
    from oxcore.capturing.upkeep import Waiting as Waiting
    from oxcore.capturing.where import Addition, Target, Where

__all__ = [
    "REGISTRY",
    "Addition",
    "Background",
    "Options",
    "Recorder",
    "Sent",
    "Spool",
    "Target",
    "Where",
    "spools",
]

__getattr__ = late(
    __name__,
    {
        "background": "Background",
        "options": "Options",
        "recorder": "Recorder",
        "registry": "REGISTRY",
        "ship": "Sent",
        "spool": "Spool spools",
        "where": "Addition Target Where",
        "upkeep": "Flushed Waiting",
    },
)
