"""``ox commit``."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from oxcli.context import Session
from oxcli.params import json_option, option, verb
from oxcli.render.schema import warnings
from oxcli.render.text import human_size, plural, short_id
from oxcore.errors import InvalidError, UsageError
from oxcore.fs.atomic import storage_error

if TYPE_CHECKING:
    from typing import TypedDict, Unpack

    from oxcore.model.commits import Json
    from oxcore.verbs.commit import Committed

    class Options(TypedDict):
        """The options of ``ox commit``."""

        messages: tuple[str, ...]
        file: str | None
        pairs: tuple[str, ...]
        everything: bool
        amend: bool
        allow_empty: bool
        strict: bool | None
        allow_leak: bool
        as_json: bool


@verb(
    'ox commit -m "relabel the cats"',
    "ox commit -a -F notes.txt",
    "ox commit --amend",
    'ox commit --strict -m "new labels"',
    'ox commit -m "eval" --meta model=7 --meta \'tags=["night", "rain"]\'',
)
@option(
    "-m",
    "--message",
    "messages",
    many=True,
    metavar="TEXT",
    help="The message; each further -m is a paragraph.",
)
@option("-F", "--file", metavar="FILE", help="Take the message from FILE; - is stdin.")
@option("-a", "--all", "everything", flag=True, help="Stage changed tracked files first.")
@option("--amend", flag=True, help="Replace the last commit.")
@option("--allow-empty", flag=True, help="Even if nothing is staged.")
@option(
    "--strict/--no-strict",
    "strict",
    help="Refuse tables that leave their schema, or only warn; the setting commit.strict.",
)
@option("--allow-leak", flag=True, help="Let test data leak into training, and note it.")
@option(
    "--meta",
    "pairs",
    many=True,
    metavar="KEY=VALUE",
    help="Keep a value with the commit: JSON, or else text.",
)
@json_option
def command(session: Session, **options: Unpack[Options]) -> None:
    """Record the stage as a new version.

    New and changed tables that leave the schema kept of them (ox schema) are told of. A commit that
    takes rows of a promoted dataset (ox promote) from the test to training, or has the same in
    both, is refused; with --allow-leak its meta lists them, under allowed-leaks.
    """
    message = _message(options["messages"], options["file"])
    pairs = options["pairs"]
    with session.work() as repo:
        made = repo.commit(
            message,
            all_tracked=options["everything"],
            amend=options["amend"],
            allow_empty=options["allow_empty"],
            meta=dict(_pair(text) for text in pairs) if pairs else None,
            strict=options["strict"],
            allow_leak=options["allow_leak"],
        )
    for line in warnings(made.left, session.show):
        session.warn(line)
    allowed = made.commit.meta.get("allowed-leaks") if options["allow_leak"] else None
    for leak in allowed if isinstance(allowed, list) else ():
        session.warn(str(leak))
    if options["as_json"]:
        session.emit(made)
        return
    session.say(_headline(made))
    session.say(_counts(made))


def _message(messages: tuple[str, ...], file: str | None) -> str | None:
    if messages and file is not None:
        raise UsageError("-m and -F exclude each other")
    message = _read(file) if file is not None else "\n\n".join(messages) if messages else None
    if message is not None:
        _check_text(message)
    return message


def _headline(made: Committed) -> str:
    where = made.branch or "detached HEAD"
    first = " (first commit)" if made.first else ""
    return f"[{where}{first} {short_id(made.id)}] {made.commit.title}"


def _counts(made: Committed) -> str:
    words = {
        "added": made.added,
        "modified": made.modified,
        "removed": made.removed,
        "of another type": made.retyped,
    }
    parts = [f"{count:,} {word}" for word, count in words.items() if count]
    total = plural(sum(words.values()), "file")
    size = f", {human_size(made.nbytes)}" if made.removed < sum(words.values()) else ""
    return f"  {total}: {', '.join(parts)}{size}" if parts else "  no file changed"


def _read(name: str) -> str:
    try:
        if name == "-":
            return sys.stdin.read()
        with open(name, encoding="utf-8") as file:
            return file.read()
    except UnicodeDecodeError as error:
        raise InvalidError(f"the message in {name} is not UTF-8") from error
    except OSError as error:
        raise storage_error(f"read the message from {name}", error) from error


def _check_text(message: str) -> None:
    try:
        message.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InvalidError("the message is not UTF-8") from error


def _pair(text: str) -> tuple[str, Json]:
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise UsageError(f"--meta takes KEY=VALUE, not {text!r}")
    try:
        known: Json = json.loads(value)
    except ValueError:
        known = value
    return key, known
