"""The file ``format`` at the root of a repository: what wrote it, and with which parameters.

Canonical JSON and a line break. A release refuses a version that it does not know, and a
``features`` list with a name that it does not know: that is how later releases keep earlier
ones from doing harm.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from oxcore.codec import canonical
from oxcore.errors import CorruptError, FormatError
from oxcore.model.commits import Json

VERSION = 1
FEATURES: frozenset[str] = frozenset()


class RepoFormat(NamedTuple):
    """``chunking``: algorithm, minimum, mean and maximum in bytes. ``bare``: no work tree."""

    chunking: Mapping[str, Json] = MappingProxyType({})
    bare: bool = False


def encode(form: RepoFormat) -> bytes:
    """The bytes of the file."""
    record: dict[str, Json] = {
        "ox": VERSION,
        "features": [],
        "bare": form.bare,
        "chunking": dict(form.chunking),
    }
    return canonical.dumps(record) + b"\n"


def decode(data: bytes) -> RepoFormat:
    """The format that ``data`` describes; ``FormatError`` if it is newer than this release."""
    record = canonical.loads(data.removesuffix(b"\n"), "the file 'format'")
    if not isinstance(record, dict) or type(record.get("ox")) is not int:
        raise CorruptError("the file 'format' is not a repository's")
    if record["ox"] != VERSION:
        raise FormatError(
            f"this repository has format {record['ox']}; this release reads {VERSION}",
            hint="update ox",
        )
    _check_features(record.get("features"))
    chunking = record.get("chunking")
    if not isinstance(chunking, dict):
        raise CorruptError("the file 'format' does not tell the chunking")
    form = RepoFormat(chunking, record.get("bare") is True)
    if encode(form) != data:
        raise CorruptError("the file 'format' has unknown fields, or is not canonical")
    return form


def _check_features(features: Json) -> None:
    if not isinstance(features, list):
        raise CorruptError("the file 'format' does not tell the features")
    unknown = sorted(str(name) for name in features if str(name) not in FEATURES)
    if unknown:
        raise FormatError(
            f"this repository needs features unknown here: {', '.join(unknown)}", hint="update ox"
        )
