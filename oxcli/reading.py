"""Options that say how captured records are read, for the commands that look at them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from oxcli.params import option
from oxcore.errors import InvalidError

if TYPE_CHECKING:
    from oxcore.api import Repo
    from oxcore.api.insight import How

as_of_option = option(
    "--as-of", metavar="TIME|REV", help="As it was known then: a date, a time, or a version."
)
prediction_option = option(
    "--prediction", default="", metavar="FIELD", help="The field of an output that is the answer."
)
trust_option = option(
    "--trust", default="", metavar="SOURCES", help="Sources of labels, the most trusted first."
)


def reading(
    repo: Repo, branch: str, as_of: str | None, prediction: str, trust: str
) -> tuple[str, How]:
    """The version to read, and how; ``as_of`` a version takes the place of ``branch``."""
    from oxcore.history import parse_time
    from oxcore.model.settings import local_time

    # The thread that reads ahead would wait 5 ms for each of its turns while libraries load.
    sys.setswitchinterval(0.0005)
    how: How = {"prediction": prediction}
    if trust:
        how["trust"] = tuple(name.strip() for name in trust.split(","))
    if as_of is None:
        return branch, how
    try:
        how["as_of"] = parse_time(as_of, local_time().offset)
    except InvalidError:
        repo.revision(as_of)
        return as_of, how
    return branch, how
