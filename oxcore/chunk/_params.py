"""The parameters of the cuts, as they stand in a repository's `format` file."""

from collections.abc import Mapping
from typing import Final, NamedTuple, Self

ALGORITHM: Final = "fastcdc-2020-nc2"
"""The name of the algorithm in the `format` file: FastCDC 2020, normalised chunking level 2."""

LEVEL: Final = 2
"""Normalisation: how many bits the mask has more before the mean, and fewer after it."""

# The bounds of the table of masks and of the library: (lowest, highest), bytes.
_BOUNDS = {"minimum": (64, 1 << 20), "mean": (256, 4 << 20), "maximum": (1024, 16 << 20)}


class _Sizes(NamedTuple):
    minimum: int
    mean: int
    maximum: int


class ChunkParams(_Sizes):
    """Sizes of chunks in bytes, each a power of two, `minimum` < `mean` < `maximum`.

    `mean` is FastCDC's normal size, where the mask changes. The true mean of the chunks of random
    bytes lies a little above it: 72 KiB with the default. Raises `ValueError` for sizes that break
    a rule.
    """

    __slots__ = ()

    def __new__(cls, minimum: int = 16384, mean: int = 65536, maximum: int = 262144) -> Self:
        """Check the sizes."""
        made = super().__new__(cls, minimum, mean, maximum)
        for name, (low, high) in _BOUNDS.items():
            _check_size(name, getattr(made, name), low, high)
        if not minimum < mean < maximum:
            raise ValueError(f"chunk sizes must rise: {minimum}, {mean}, {maximum}")
        return made

    def to_dict(self) -> dict[str, str | int]:
        """Give the parameters, with the algorithm's name, as plain values for `format`."""
        return {"algorithm": ALGORITHM, **self._asdict()}

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> Self:
        """Read what `to_dict` gave.

        Raises `ValueError` where the algorithm is not ours, a key is missing or unknown, or a size
        breaks a rule.
        """
        if values.get("algorithm") != ALGORITHM:
            raise ValueError(f"unknown chunking algorithm: {values.get('algorithm')!r}")
        if values.keys() != {"algorithm", *_BOUNDS}:
            raise ValueError(f"chunk parameters must be algorithm, {', '.join(_BOUNDS)}")
        return cls(**{name: _whole(name, values[name]) for name in _BOUNDS})


def _whole(name: str, value: object) -> int:
    """Give `value` if it is an int (and no bool), else raise `ValueError`."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValueError(f"chunk {name} must be a whole number: {value!r}")


def _check_size(name: str, value: object, low: int, high: int) -> None:
    size = _whole(name, value)
    if not low <= size <= high or size & (size - 1):
        raise ValueError(f"chunk {name} must be a power of two from {low} to {high}: {size}")
