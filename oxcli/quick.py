"""Reads the words of a call without click, whose import takes longer than a whole ``ox status``.

Only what is plain is read here: right names, values where they belong. At anything else this
gives up, and click looks at the same words by the same declarations (``oxcli.clicked``): it
knows help, and says what is wrong. Where both read a call they agree, which a test holds to.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from oxcli import catalog
from oxcli.params import FLAGS, Param, Verb, VerbGroup, load

Values = dict[str, Any]
"""Keyword -> value: of what type, the declaration says."""


class Unusual(Exception):
    """Words that are for click to judge."""


class Call(NamedTuple):
    """What to call, with the session first: ``after`` is what stood behind ``--`` of a verb that
    keeps it apart, None without one."""

    function: Callable[..., object]
    values: Values
    after: tuple[str, ...] | None


def read(args: Sequence[str]) -> tuple[Values, Call] | None:
    """The flags before the verb, and the call; None where click has to look."""
    try:
        flags, rest = options(FLAGS, args, mixed=False)
        if not rest or rest[0] not in catalog.VERBS:
            return None
        return flags, call(load(rest[0]), rest[1:])
    except Unusual:
        return None


def call(verb: Verb, words: Sequence[str]) -> Call:
    """The call of ``verb`` with these words; raises ``Unusual``."""
    if isinstance(verb, VerbGroup):
        if words and words[0] in verb.verbs:
            return call(verb.verbs[words[0]], words[1:])
        if not verb.alone:
            raise Unusual
    after = None
    if verb.parted and "--" in words:
        at = words.index("--")
        words, after = words[:at], tuple(words[at + 1 :])
    values, rest = options(verb.params, words)
    _bind([param for param in verb.params if not param.names], rest, values)
    if any(param.required and not values[param.target] for param in verb.params):
        raise Unusual
    return Call(verb.function, values, after)


def options(
    params: Sequence[Param], words: Sequence[str], *, mixed: bool = True
) -> tuple[Values, list[str]]:
    """The values of all ``params``, and the words that are no options; raises ``Unusual``.

    Not ``mixed``: no option stands behind the first such word.
    """
    reading = _Reading(params, words)
    rest: list[str] = []
    while reading.todo:
        word = reading.todo.pop()
        if word.startswith("-") and word not in {"-", "--"}:
            reading.option(word)
            continue
        if word != "--":
            rest.append(word)
        if word == "--" or not mixed:
            return reading.values, rest + reading.todo[::-1]
    return reading.values, rest


class _Reading:
    """Words from the first to the last: ``todo`` has those to come, the next one at its end."""

    def __init__(self, params: Sequence[Param], words: Sequence[str]) -> None:
        self.todo = list(words[::-1])
        self.values = {param.target: param.absent for param in params}
        self._known: dict[str, tuple[Param, bool]] = {}
        for param in params:
            for name in param.names:
                on, _, off = name.partition("/")
                self._known[on] = param, True
                if off:
                    self._known[off] = param, False

    def option(self, word: str) -> None:
        """Read an option, or several flags behind one dash, and the value of the last."""
        if word.startswith("--"):
            name, equals, value = word.partition("=")
            self._set(name, value if equals else None)
            return
        for at, letter in enumerate(word[1:], start=2):
            if self._set("-" + letter, word[at:] or None, may_be_flags=True):
                return

    def _set(self, name: str, value: str | None, *, may_be_flags: bool = False) -> bool:
        """Set an option; gives whether it took the value."""
        if name not in self._known:
            raise Unusual
        param, on = self._known[name]
        if param.flag:
            if value is not None and not may_be_flags:
                raise Unusual
            self.values[param.target] = on if param.flag_value is None else param.flag_value
            return False
        if value is None:
            value = self._next()
        self.values[param.target] = _with(param, self.values[param.target], value)
        return True

    def _next(self) -> str:
        if not self.todo:
            raise Unusual
        return self.todo.pop()


def _with(param: Param, before: object, text: str) -> object:
    value = param.kind.plain(text)
    if value is None:
        raise Unusual
    return (*before, value) if isinstance(before, tuple) else value


def _bind(arguments: Sequence[Param], words: list[str], values: Values) -> None:
    """Give each argument its word, and the one that takes many what the others leave."""
    many = next((at for at, param in enumerate(arguments) if param.many), len(arguments))
    behind = arguments[many + 1 :]
    spare = len(words) - (len(arguments) - 1)
    if many == len(arguments):
        if len(words) > len(arguments):
            raise Unusual
        taken: list[Param] = list(arguments)
    elif spare < 0:
        if behind:
            raise Unusual
        taken = list(arguments[:many])
    else:
        taken = [*arguments[:many], *[arguments[many]] * spare, *behind]
    for param, word in zip(taken, words, strict=False):
        values[param.target] = _with(param, values[param.target], word)
