"""How a command is declared: plain data, once, for both who read it.

``oxcli.quick`` reads the words of a call by it without click; ``oxcli.clicked`` makes click's
commands of it, for help, completion and every word that is out of the ordinary.
"""

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from oxcli import catalog

if TYPE_CHECKING:
    from typing import NotRequired, TypedDict, Unpack

    class How(TypedDict):
        """What an option may have said of it: the fields of ``Param``."""

        help: str
        kind: NotRequired["Kind"]
        metavar: NotRequired[str]
        default: NotRequired[object]
        show_default: NotRequired[bool]
        flag: NotRequired[bool]
        flag_value: NotRequired[str]
        many: NotRequired[bool]
        required: NotRequired[bool]


Function = TypeVar("Function", bound=Callable[..., object])

MARK = "params"  # the attribute of a function that its declarations wait in


class Kind:
    """What a value is; ``name`` is how help speaks of it."""

    def __init__(self, name: str) -> None:
        self.name = name

    def plain(self, text: str) -> object:
        """The value that ``text`` stands for; None where click has to judge it."""
        return text


class Choice(Kind):
    """One of a few words."""

    def __init__(self, *words: str) -> None:
        super().__init__("choice")
        self.words = words

    def plain(self, text: str) -> object:
        """The word, if it is one of them."""
        return text if text in self.words else None


class Number(Kind):
    """A number from ``low`` to ``high``; with ``whole`` an int, else a float."""

    def __init__(
        self, low: int | None = None, high: int | None = None, *, whole: bool = True
    ) -> None:
        super().__init__("number")
        self.low, self.high, self.whole = low, high, whole

    def plain(self, text: str) -> object:
        """The int that ``text`` writes in digits alone, if it is in the range."""
        if not (self.whole and text.isascii() and text.isdecimal()) or len(text) > 18:
            return None
        value = int(text)
        above = self.low is None or self.low <= value
        return value if above and (self.high is None or value <= self.high) else None


TEXT = Kind("text")
PATH = Kind("path")  # the shell completes files
REVISION = Kind("revision")  # the shell completes branches and tags


class Param(NamedTuple):
    """An option, or an argument, which has no ``names``.

    ``target``: the keyword that it is handed over as. ``many``: given often, it becomes a tuple.
    ``flag``: takes no value; with a name such as ``--tags/--no-tags`` it is True, False or None,
    and with ``flag_value`` that, or None.
    """

    target: str
    names: tuple[str, ...] = ()
    kind: Kind = TEXT
    help: str = ""
    metavar: str | None = None
    default: object = None
    show_default: bool = False
    flag: bool = False
    flag_value: str | None = None
    many: bool = False
    required: bool = False

    @property
    def switch(self) -> bool:
        """Whether it is a flag with a name for off as well: ``--tags/--no-tags``."""
        return self.flag and any("/" in name for name in self.names)

    @property
    def absent(self) -> object:
        """What is handed over where it is not given."""
        if self.many:
            return ()
        plain = self.flag and not self.switch and self.flag_value is None
        return False if plain else self.default


class Verb:
    """A command: what it calls, with the session first, and what it takes.

    ``examples`` close its help, which is the docstring of ``function``. ``parted``: what stands
    after ``--`` is kept apart, in ``session.after``.
    """

    def __init__(
        self, function: Callable[..., object], examples: tuple[str, ...], *, parted: bool = False
    ) -> None:
        self.function = function
        self.examples = examples
        self.parted = parted
        self.params: list[Param] = function.__dict__.pop(MARK, [])[::-1]


class VerbGroup(Verb):
    """A verb with verbs of its own, as ``ox stash pop``; ``alone``: it runs without one too."""

    def __init__(
        self, function: Callable[..., object], examples: tuple[str, ...], *, alone: bool
    ) -> None:
        super().__init__(function, examples)
        self.alone = alone
        self.verbs: dict[str, Verb] = {}

    def command(self, name: str, *examples: str) -> Callable[[Callable[..., object]], Verb]:
        """Declare a verb of its own."""

        def declare(function: Callable[..., object]) -> Verb:
            made = self.verbs[name] = Verb(function, examples)
            return made

        return declare


def load(name: str) -> Verb:
    """The verb of this name, which must be in the catalog; its module is imported."""
    found: Verb = import_module(catalog.module_of(name)).command
    return found


# -- declaring


def verb(*examples: str, parted: bool = False) -> Callable[[Callable[..., object]], Verb]:
    """Declare a verb: ``@verb("ox add .", "ox add 'photos/*.png'")``. The docstring is its help."""
    return lambda function: Verb(function, examples, parted=parted)


def verb_group(
    *examples: str, default: bool = False
) -> Callable[[Callable[..., object]], VerbGroup]:
    """Declare a verb with verbs of its own; with ``default`` it also runs when none is named."""
    return lambda function: VerbGroup(function, examples, alone=default)


def option(*names: str, **how: "Unpack[How]") -> Callable[[Function], Function]:
    """Declare an option: its names, and last the keyword if that is not the first long name."""
    dashed = tuple(name for name in names if name.startswith("-"))
    target = names[-1] if len(dashed) < len(names) else _keyword(dashed)
    if how.get("flag_value") is not None or "/" in dashed[-1]:
        how["flag"] = True
    return declared(Param(target, dashed, **how))


def argument(
    target: str,
    *,
    kind: Kind = TEXT,
    metavar: str | None = None,
    default: str | None = None,
    many: bool = False,
    required: bool | None = None,
) -> Callable[[Function], Function]:
    """Declare an argument; one without a default is asked for, unless it takes ``many``."""
    needed = default is None and not many if required is None else required
    return declared(Param(target, (), kind, "", metavar, default, many=many, required=needed))


def declared(param: Param) -> Callable[[Function], Function]:
    """The decorator that notes ``param``."""

    def note(function: Function) -> Function:
        function.__dict__.setdefault(MARK, []).append(param)
        return function

    return note


def _keyword(names: tuple[str, ...]) -> str:
    long = [name for name in names if name.startswith("--")] or list(names)
    return long[0].partition("/")[0].lstrip("-").replace("-", "_")


# -- what many share

json_option = option("--json", "as_json", flag=True, help="Print one JSON document.")
dry_run_option = option(
    "-n", "--dry-run", flag=True, help="Say what would be done, and do nothing."
)


def paths_argument(required: bool = False) -> Callable[[Function], Function]:
    """``[PATHS]...``, handed over as ``paths: tuple[str, ...]``; give them to ``session.paths``."""
    return argument("paths", many=True, kind=PATH, required=required)


FLAGS = (  # before the verb; `catalog.OPTIONS` tells of them
    Param("folder", ("-C",), metavar="PATH", many=True),
    Param("quiet", ("-q", "--quiet"), flag=True),
    Param("no_color", ("--no-color",), flag=True),
    Param("stats", ("--stats",), flag=True),
    Param("debug", ("--debug",), flag=True),
)
