"""The API of docs/protocol.md: one function a route."""

from __future__ import annotations

from contextlib import ExitStack

from oxcore.codec import canonical
from oxcore.hub.context import Context, Handler, named, opened
from oxcore.hub.http import Answer, Request
from oxcore.transfer import Endpoint
from oxcore.wire import routes, shapes
from oxcore.wire.append import AppendRequest
from oxcore.wire.frames import StreamReader, encode_stream
from oxcore.wire.ids import pack_bits, unpack_ids
from oxcore.wire.messages import CommitsRequest, RepoInfo, SwapRequest, WhoAmI, encode_repos

_FIRST = 3  # the part of /api/v1/repos/NS/NAME/... that is NS


def whoami(_: Context, request: Request) -> Answer:
    """Who the caller is."""
    caller = request.caller
    return Answer(
        body=WhoAmI(caller.user, caller.scope, caller.namespaces, caller.expires).encode()
    )


def repos(context: Context, request: Request) -> Answer:
    """The repositories that the caller may read."""
    caller = request.caller
    listed = [
        RepoInfo(name.namespace, name.name, caller.may_write(name.namespace))
        for name in context.shelf.names()
        if caller.may_read(name.namespace)
    ]
    return Answer(body=encode_repos(listed))


def create(context: Context, request: Request) -> Answer:
    """Make a repository."""
    request.require_type(routes.JSON_TYPE)
    record = shapes.parse_object(request.body, "the body")
    name = routes.repo_name(
        shapes.text(record.get("namespace"), "namespace"), shapes.text(record.get("name"), "name")
    )
    request.caller.require(name.namespace, write=True)
    context.shelf.create(name)
    body = canonical.dumps({"namespace": name.namespace, "name": name.name})
    return Answer(status=201, body=body)


def refs(context: Context, request: Request) -> Answer:
    """Branches and tags."""
    with ExitStack() as stack:
        return Answer(body=_endpoint(context, request, stack, write=False).refs().encode())


def has(context: Context, request: Request) -> Answer:
    """Which ids are there."""
    request.require_type(routes.IDS_TYPE)
    with ExitStack() as stack:
        end = _endpoint(context, request, stack, write=False)
        return Answer(body=pack_bits(end.has(unpack_ids(request.body))), kind=routes.BITS_TYPE)


def objects(context: Context, request: Request) -> Answer:
    """A stream of objects."""
    request.require_type(routes.IDS_TYPE)
    with ExitStack() as stack:
        end = _endpoint(context, request, stack, write=False)
        found, missing = end.objects(unpack_ids(request.body))
        stream = encode_stream(found, lambda: missing)
        return Answer(kind=routes.STREAM_TYPE, stream=stream, close=stack.pop_all().close)


def commits(context: Context, request: Request) -> Answer:
    """A stream of commits and tags."""
    request.require_type(routes.JSON_TYPE)
    with ExitStack() as stack:
        end = _endpoint(context, request, stack, write=False)
        found, missing = end.commits(CommitsRequest.decode(request.body))
        stream = encode_stream(found, lambda: missing)
        return Answer(kind=routes.STREAM_TYPE, stream=stream, close=stack.pop_all().close)


def push(context: Context, request: Request) -> Answer:
    """Take a stream of objects."""
    request.require_type(routes.STREAM_TYPE)
    with ExitStack() as stack:
        name = named(request, _FIRST)
        request.caller.require_put(name)
        end = Endpoint(opened(context, name, stack), who=request.caller.user or "anonymous")
        return Answer(body=end.put(StreamReader(request.parts)).encode())


def swap(context: Context, request: Request) -> Answer:
    """Move refs."""
    request.require_type(routes.JSON_TYPE)
    with ExitStack() as stack:
        end = _endpoint(context, request, stack, write=True)
        return Answer(body=end.swap(SwapRequest.decode(request.body)).encode())


def append(context: Context, request: Request) -> Answer:
    """Add files to a branch."""
    request.require_type(routes.JSON_TYPE)
    name = named(request, _FIRST)
    asked = AppendRequest.decode(request.body)
    request.caller.require_append(name, asked.branch, [one.path for one in asked.files])
    with ExitStack() as stack:
        end = Endpoint(opened(context, name, stack), who=request.caller.user or "anonymous")
        return Answer(body=end.append(asked).encode())


ACTIONS: dict[str, Handler] = {
    "refs": refs,
    "has": has,
    "objects": objects,
    "commits": commits,
    "push": push,
    "swap": swap,
    "append": append,
}
"""Action on a repository -> function."""


def _endpoint(context: Context, request: Request, stack: ExitStack, *, write: bool) -> Endpoint:
    name = named(request, _FIRST)
    caller = request.caller
    caller.require(name.namespace, write=write)
    repo = opened(context, name, stack)
    may_write = caller.may_write(name.namespace)
    return Endpoint(repo, who=caller.user or "anonymous", write=may_write)
