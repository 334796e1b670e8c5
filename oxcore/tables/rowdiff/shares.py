"""A comparison in parts, each of which another process may do: what they are asked, what they tell.

Rows are looked at in order, and most stand where they stood: so either file may be cut at a few
places that belong together, and the parts compared side by side. What is left of all of them is
put together as if one had gone through the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias, TypeVar

from oxcore.tables.helping import Helper, Lost
from oxcore.tables.rowdiff.span import Span

Q = TypeVar("Q", "Rows", "Lines")
T = TypeVar("T")


class Rows(NamedTuple):
    """What is left of these row groups (None: of all rows), by ``keys``, places among the columns
    of both?"""

    keys: tuple[int, ...]
    part: Span | None


class Lines(NamedTuple):
    """Which lines of this span (None: of the whole) are shared, and, unless ``types`` is None, of
    what types are the values of that side (0 or 1)?"""

    types: int | None
    span: Span | None


Question: TypeAlias = Rows | Lines


def shared_out(
    questions: Sequence[Q], helpers: Sequence[Helper], work: Callable[[Q], T]
) -> list[T]:
    """The answers to all: the first question is worked on here, each other by a helper."""
    for helper, question in zip(helpers, questions[1:], strict=False):
        helper.ask(question)
    found = [work(questions[0])]
    for helper, question in zip(helpers, questions[1:], strict=False):
        try:
            found.append(helper.answer())  # type: ignore[arg-type]  # as `work` gives it
        except Lost:
            found.append(work(question))
    return found
