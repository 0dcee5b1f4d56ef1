"""Keys in files that a diff does not read: what the log's bounds say of them, and in which of them to look.

The keys alone of 99 files in a hundred take ten times as long as reading the pair that differs, so that a few files are
looked into, those first that look as if the same rows had been written twice.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate, takewhile
from typing import Any

from odibi_magics.config.types import Column
from odibi_magics.engines.pandas.datafiles import DataFile
from odibi_magics.engines.pandas.modes import EXACT

_Meets = Callable[[DataFile], bool]


def may_share(
    read: Sequence[DataFile], others: Sequence[DataFile], keys: Sequence[Column]
) -> tuple[DataFile, ...]:
    """Those of the others that may hold a key that stands in a file that was read; none without keys.

    Two files share none where they have no value of one of the keys in common.
    """
    if not keys or not read:
        return ()
    meets = [_meets(read, key) for key in keys]
    return tuple(file for file in others if all(meet(file) for meet in meets))


# Bytes of files whose keys are read in any case, and how many times as many as the diff reads anyway: it takes at most
# three times as long as reading that alone. What a file takes at least, for its footer is asked for.
_ALWAYS, _TIMES, _LEAST = 16 << 20, 2, 1 << 20


def looked_into(
    read: Sequence[DataFile], others: Sequence[DataFile], keys: Sequence[Column]
) -> tuple[DataFile, ...]:
    """Those of the others whose keys are worth reading; first come those with the rows and bounds of one that was read,
    as an append has that was made twice."""
    known = {_likeness(file, keys) for file in read}
    ordered = sorted(others, key=lambda file: _likeness(file, keys) not in known)
    room = max(_ALWAYS, _TIMES * sum(map(_cost, read)))
    costs = accumulate(map(_cost, ordered))
    return tuple(file for file, _ in takewhile(lambda one: one[1] <= room, zip(ordered, costs, strict=True)))


def _cost(file: DataFile) -> int:
    return max(file.size, _LEAST)


def _likeness(file: DataFile, keys: Sequence[Column]) -> tuple[Any, ...]:
    bounds = (repr(_bounds(file, key)) for key in keys if key.name not in file.partition)
    return (file.rows, *bounds)


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
