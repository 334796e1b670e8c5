"""The public names: ``Repo``, one repository, ``Hub``, a server of many, and ``save`` with its
like, which take down what a model does.

One file an area; each method is a verb of ``oxcore.verbs`` with its documentation. The
command line calls these methods and nothing else. Each name loads when it is first used: who
opens a repository does not wait for a server.
"""

from __future__ import annotations

from oxcore.model.late import late

TYPE_CHECKING = False  # type checkers know the name; see `oxcore`
if TYPE_CHECKING:
    from oxcore.api.capturing import capture, feedback, flush, save
    from oxcore.api.hub import Hub
    from oxcore.api.integrations import CaptureMiddleware, gradio_flags, wrap_client
    from oxcore.api.repo import Repo

__all__ = [
    "CaptureMiddleware",
    "Hub",
    "Repo",
    "capture",
    "feedback",
    "flush",
    "gradio_flags",
    "save",
    "wrap_client",
]

__getattr__ = late(
    __name__,
    {
        "repo": "Repo",
        "hub": "Hub",
        "capturing": "capture feedback flush save",
        "integrations": "CaptureMiddleware gradio_flags wrap_client",
    },
)
