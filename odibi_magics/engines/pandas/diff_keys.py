"""Keys in files that a diff does not read: what the log's bounds say of them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any

from odibi_magics.config.types import Column
from odibi_magics.engines.pandas.datafiles import DataFile
from odibi_magics.engines.pandas.modes import EXACT

_Meets = Callable[[DataFile], bool]


def may_share(read: Sequence[DataFile], others: Sequence[DataFile], keys: Sequence[Column]) -> int:
    """How many of the others may hold a key that stands in a file that was read; 0 without keys.

    Two files share none where they have no value of one of the keys in common.
    """
    if not keys or not read:
        return 0
    meets = [_meets(read, key) for key in keys]
    return sum(all(meet(file) for meet in meets) for file in others)


def _meets(read: Sequence[DataFile], key: Column) -> _Meets:
    """Whether a file may hold a value of this column that stands in one of those read."""
    name = key.name
    if all(name in file.partition for file in read):
        values = {file.partition[name] for file in read}
        return lambda file: file.partition.get(name) in values
    bounds = [_bounds(file, key) for file in read]
    told = sorted(bound for bound in bounds if bound is not None)
    if len(told) < len(bounds):
        return lambda file: True
    lows, highest = [low for low, _ in told], list(accumulate((high for _, high in told), max))

    def meet(file: DataFile) -> bool:
        bound = _bounds(file, key)
        if bound is None:
            return True
        begun = bisect_right(lows, bound[1])
        return begun > 0 and highest[begun - 1] >= bound[0]

    return meet


def _bounds(file: DataFile, key: Column) -> tuple[Any, Any] | None:
    """Lowest and highest; None where the log does not tell, or not every writer would tell it exactly."""
    if key.type not in EXACT:
        return None
    low, high = (file.low or {}).get(key.name), (file.high or {}).get(key.name)
    return None if low is None or high is None else (low, high)
