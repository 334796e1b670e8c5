"""Many rows that change alike, in a few bytes each: five million take 40 MB."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import pyarrow as pa

Values = Mapping[str, object]


class Places(Collection[int]):
    """Numbers of rows, which ascend."""

    def __init__(self, rows: Iterable[int] = ()) -> None:
        self._rows = array("q", rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[int]:
        return iter(self._rows)

    def __contains__(self, row: object) -> bool:
        return isinstance(row, int) and self.at(row) is not None

    def at(self, row: int) -> int | None:
        """Which of the numbers this is; None if it is none of them."""
        found = bisect_left(self._rows, row)
        return found if found < len(self._rows) and self._rows[found] == row else None

    def last(self) -> int:
        """The greatest; -1 if there is none."""
        return self._rows[-1] if self._rows else -1


class Alike(Mapping[int, Values]):
    """The same values for many rows, and for each of them a value of its own in some columns:
    ``own`` has a list or an array of these for a column, in the order of the rows."""

    def __init__(
        self, rows: Places, values: Values, own: Mapping[str, Sequence[object] | pa.Array]
    ) -> None:
        self.places = rows
        self._values, self._own = values, own

    def __len__(self) -> int:
        return len(self.places)

    def __iter__(self) -> Iterator[int]:
        return iter(self.places)

    def __getitem__(self, row: int) -> Values:
        at = self.places.at(row)
        if at is None:
            raise KeyError(row)
        if not self._own:
            return self._values
        return {**self._values, **{name: _given(own[at]) for name, own in self._own.items()}}


def _given(value: object) -> object:
    return None if isinstance(value, pa.Scalar) and not value.is_valid else value


def ascending(rows: Iterable[int]) -> Iterable[int]:
    """The numbers in order."""
    return rows if isinstance(rows, range | Places | Alike) else sorted(rows)
