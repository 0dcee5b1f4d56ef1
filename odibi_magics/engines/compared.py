"""Which columns of two tables are compared, by which keys, and which of the rows that differ are shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from odibi_magics.config.types import Column
from odibi_magics.delta.diff import DiffColumn, Kind
from odibi_magics.engines.checks import for_example
from odibi_magics.engines.comparable import common_type
from odibi_magics.errors import EngineError, KeysRefused, suggest
from odibi_magics.quoting import Quoting

KINDS: tuple[Kind, ...] = ("removed", "added", "changed")
REMOVED, ADDED, CHANGED, SAME = range(4)
"""How the SQL of a diff calls what became of a row; the first three in the order of KINDS."""


class Side(Protocol):
    """One of two tables. name: its address with the version."""

    @property
    def name(self) -> str: ...

    @property
    def columns(self) -> tuple[Column, ...]: ...


@dataclass(frozen=True)
class Pair:
    """A column of both sides, and the type in which its values are compared."""

    before: Column
    after: Column
    type: str


def shared_columns(before: Side, after: Side) -> tuple[DiffColumn, ...]:
    """Those that both have. Raises EngineError where there are none whose values can be compared."""
    old = {column.name.lower(): column for column in before.columns}
    found = tuple(
        DiffColumn(column.name, was.type, column.type, common_type(was.type, column.type) is not None)
        for column in after.columns
        if (was := old.get(column.name.lower()))
    )
    if not any(column.compared for column in found):
        named = (f"{side.name} has {', '.join(map(str, side.columns))}" for side in (before, after))
        raise EngineError(f"there is no column to compare: {'; '.join(named)}")
    return found


def paired(before: Side, after: Side, columns: Sequence[DiffColumn], keys: Sequence[str]) -> list[Pair]:
    """The columns to compare, the keys first. Raises KeysRefused for keys that are none."""
    old, new = ({column.name.lower(): column for column in side.columns} for side in (before, after))
    wanted = list(dict.fromkeys(_key(before, after, columns, key) for key in keys))
    rest = [column for column in columns if column.compared and column not in wanted]
    return [
        Pair(old[lower], new[lower], common_type(column.before, column.after) or "")
        for column in (*wanted, *rest)
        if (lower := column.name.lower())
    ]


def _key(before: Side, after: Side, columns: Sequence[DiffColumn], key: str) -> DiffColumn:
    found = next((column for column in columns if column.name.lower() == key.lower()), None)
    if found is not None and found.compared:
        return found
    if found is not None:
        raise KeysRefused(
            f"keys: '{found.name}' is {found.before} in {before.name} and {found.after} in {after.name}, whose values "
            "cannot be compared"
        )
    names = {side.name: [column.name.lower() for column in side.columns] for side in (before, after)}
    lacking = [name for name, there in names.items() if key.lower() not in there]
    hint = suggest(key, [column.name for column in columns if column.compared])
    raise KeysRefused(f"keys: there is no column '{key}' in {' nor in '.join(lacking)} ({hint})")


def keys_first(columns: Sequence[DiffColumn], keys: Sequence[Pair]) -> tuple[DiffColumn, ...]:
    """All columns, the keys before the others."""
    named = [pair.after.name for pair in keys]
    first = [column for name in named for column in columns if column.name == name]
    return (*first, *(column for column in columns if column not in first))


def distinct(keys: Sequence[str]) -> int:
    """How many keys they are: no column counts twice."""
    return len({key.lower() for key in keys})


Rows = Sequence[Mapping[str, Any]]


def refuse_null_keys(side: Side, names: Sequence[str], rows: int, shown: Rows) -> None:
    """Raises KeysRefused for rows with NULL in a key."""
    if rows:
        words = f"{_counted(rows)} NULL in a key, so no row of the other can be told to be the same one"
        raise _refused(side, names, words, shown)


def refuse_repeated_keys(side: Side, names: Sequence[str], rows: int, shown: Rows, where: str = "") -> None:
    """Raises KeysRefused for rows with the keys of an earlier one. where: more words on where they stand."""
    if rows:
        words = (
            f"{_counted(rows)} the same keys as an earlier one{where}, so it is open which of them changed"
        )
        raise _refused(side, names, words, shown)


def _refused(side: Side, names: Sequence[str], words: str, shown: Rows) -> KeysRefused:
    head = f"keys: [{', '.join(names)}]: in {side.name} "
    remedy = ". Choose other keys, or give none to compare rows as wholes"
    return KeysRefused(Quoting(head, words, for_example(shown), remedy))


def _counted(count: int) -> str:
    return "1 row has" if count == 1 else f"{count:,} rows have"


def fair(entries: Sequence[Mapping[str, Any]], room: int) -> list[Mapping[str, Any]]:
    """As many as there is room for, in their order; a kind of which there are few is seen beside one of many.

    entries: their kind is `k`.
    """
    left: dict[int, int] = {}
    there = Counter(entry["k"] for entry in entries)
    for i, kind in enumerate(sorted(there, key=lambda kind: there[kind])):
        left[kind] = min(there[kind], room // (len(there) - i))
        room -= left[kind]
    chosen = []
    for entry in entries:
        if left[entry["k"]]:
            left[entry["k"]] -= 1
            chosen.append(entry)
    return chosen
