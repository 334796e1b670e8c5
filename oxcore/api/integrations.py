"""Where models are served: ASGI applications, Gradio, clients in the style of OpenAI's."""

from __future__ import annotations

from typing import Any, TypeVar, cast

from oxcore.api.capturing import Late, Place, feedback, parted
from oxcore.capturing.asgi import App, Middleware
from oxcore.capturing.chat import Chat
from oxcore.capturing.gradio import Flags

C = TypeVar("C")


class CaptureMiddleware(Middleware):
    """Saves each request to an ASGI application, and its answer, as a record.

    >>> app.add_middleware(                                          # doctest: +SKIP
    ...     ox.CaptureMiddleware, repo=url, branch="deployed", directory="wild", paths=["/predict"]
    ... )

    ``paths`` (starts of paths), ``methods`` (POST, PUT, PATCH) and ``most`` (bytes of a body) say
    what is saved; other names are as in ``ox.save``. The header ``ox-record-id`` of the answer
    is what feedback names.
    """

    def __init__(
        self, app: App, *, repo: Place, branch: str, directory: str, **more: object
    ) -> None:
        settings = parted(more)
        options: dict[str, Any] = more
        super().__init__(app, Late(repo, branch, directory, settings), **options)


def wrap_client(client: C, repo: Place, branch: str, directory: str, **more: object) -> C:
    """A client of the shape of OpenAI's whose completions are saved, streamed ones too.

    >>> client = ox.wrap_client(OpenAI(), url, "deployed", "chat")   # doctest: +SKIP

    The messages are the input, the answer the output, all else that is handed over ``params``.
    """
    settings = parted(more)
    return cast("C", Chat(client, Late(repo, branch, directory, settings), more))


def gradio_flags(
    repo: Place, branch: str, directory: str, *, inputs: int = 1, **more: object
) -> Flags:
    """The ``flagging_callback`` of a ``gr.Interface``: what is flagged is saved, with a vote.

    ``inputs``: how many components are inputs. Other names are as in ``ox.save``.
    """
    settings = parted(more)
    place: dict[str, Any] = {"repo": repo, "branch": branch, "directory": directory, **settings}

    def vote(record_id: str, kind: str, value: object, author: str) -> None:
        feedback(record_id, kind, value, source="gradio", author=author, **place)

    return Flags(Late(repo, branch, directory, settings), vote, inputs=inputs, **more)
