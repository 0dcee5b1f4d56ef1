"""Two versions of a table, or two, compared by Spark. Both are read whole: nobody tells which files they share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from odibi_magics.config.types import Column, split
from odibi_magics.delta.diff import Diff, DiffSide, RowDiff
from odibi_magics.delta.schema import Schema, schema_changes
from odibi_magics.engines.base import Source
from odibi_magics.engines.compared import (
    ADDED,
    CHANGED,
    KINDS,
    REMOVED,
    SAME,
    Pair,
    distinct,
    fair,
    keys_first,
    paired,
    refuse_null_keys,
    refuse_repeated_keys,
    shared_columns,
)
from odibi_magics.engines.spark.checks import keys_counted, nulls, repeats
from odibi_magics.engines.spark.comparable import SparkComparable
from odibi_magics.engines.spark.contents import contents
from odibi_magics.engines.spark.frame import collected
from odibi_magics.engines.spark.names import quoted
from odibi_magics.engines.spark.queries import over
from odibi_magics.engines.spark.tables import details, pinned, utc_columns
from odibi_magics.engines.spark.work import Work


def diff(work: Work, before: Source, after: Source, *, keys: Sequence[str] = (), rows: int = 20) -> Diff:
    """What differs from one to the other; up to `rows` of the rows that differ are in the sample.

    Raises as `Engine.diff`.
    """
    with work.running():
        sides = _side(work, before), _side(work, after)
        columns = shared_columns(*sides)
        pairs = paired(*sides, columns, keys)
        comparison = _Comparison(work, *sides, pairs, distinct(keys))
        comparison.check_keys()
        counts, same = comparison.counts()
        sample = comparison.sample(rows) if rows and counts else ()
    changed = counts.get(CHANGED, 0)
    old, new = (
        side.told(same + changed + counts.get(kind, 0))
        for side, kind in zip(sides, (REMOVED, ADDED), strict=True)
    )
    return Diff(
        old,
        new,
        keys=tuple(pair.after.name for pair in comparison.key_pairs),
        columns=keys_first(columns, comparison.key_pairs),
        schema_changes=schema_changes(*(side.schema for side in sides)),
        added=counts.get(ADDED, 0),
        removed=counts.get(REMOVED, 0),
        changed=changed if keys else None,
        unchanged=same,
        sample=sample,
        files_read=old.files + new.files,
        bytes_read=old.bytes + new.bytes,
    )


@dataclass(frozen=True)
class _Side:
    """frame: the rows of the version. sizes: the bytes of its files. partition_by: as the table is parted now."""

    source: Source
    version: int
    frame: Any
    columns: tuple[Column, ...]
    partition_by: tuple[str, ...]
    sizes: tuple[int, ...]

    @property
    def name(self) -> str:
        return f"{self.source.place.address}@{self.version}"

    @property
    def schema(self) -> Schema:
        required = tuple(field.name for field in self.frame.schema if not field.nullable)
        return Schema(self.columns, self.partition_by, required)

    def told(self, rows: int) -> DiffSide:
        place = self.source.place
        return DiffSide(place.address, place.url, self.version, rows, len(self.sizes), sum(self.sizes))


def _side(work: Work, source: Source) -> _Side:
    place, version = source.place, pinned(work, source)
    frame, columns = utc_columns(work, place, version)
    partitions = tuple(details(work, place)["partitionColumns"])
    return _Side(source, version, frame, columns, partitions, tuple(contents(work, place, version).values()))


@dataclass(frozen=True)
class _Comparison:
    """Two sides whose rows are compared. keys: how many of the pairs, which come first, tell rows apart.

    In the SQL columns are called c0, c1, … in the order in which they are compared, of one side alone l0 or r0.
    """

    work: Work
    before: _Side
    after: _Side
    pairs: Sequence[Pair]
    keys: int

    @property
    def key_pairs(self) -> Sequence[Pair]:
        return self.pairs[: self.keys]

    def check_keys(self) -> None:
        """Raises KeysRefused where a key is NULL or comes twice on one side."""
        for side, number in ((self.before, 0), (self.after, 1)) if self.keys else ():
            named = [(pair.before, pair.after)[number].name for pair in self.key_pairs]
            items = (
                f"{self._form(self._aligned(pair, number), i)} AS {quoted(name)}"
                for i, (pair, name) in enumerate(zip(self.key_pairs, named, strict=True))
            )
            frame = side.frame.selectExpr(*items)
            missing, repeated = keys_counted(frame, named)
            refuse_null_keys(side, named, missing, nulls(frame, named) if missing else ())
            refuse_repeated_keys(side, named, repeated, repeats(frame, named) if repeated else ())

    def counts(self) -> tuple[dict[int, int], int]:
        """How many rows there are of each kind that differs, and how many that do not."""
        totals = "SELECT kind, sum(n), sum(same) FROM rows GROUP BY kind"
        found = over(self.work.spark, totals, {"rows": self._rows()}).collect()
        return {row[0]: int(row[1]) for row in found if row[1]}, sum(int(row[2]) for row in found)

    def sample(self, rows: int) -> tuple[RowDiff, ...]:
        """The first rows of each kind that differ, in the order of their keys, or of all their values."""
        order = [f"o{i} ASC NULLS LAST" for i in range(self.keys or len(self.pairs))]
        number = f"row_number() OVER (PARTITION BY kind ORDER BY {', '.join(order)})"
        numbered = f"SELECT *, {number} AS number FROM rows WHERE kind < {SAME} AND n > 0"
        sides = ("l", "r") if self.keys else ("c", "c")
        values = [f"{side}{i}" for side in dict.fromkeys(sides) for i in range(len(self.pairs))]
        flags = [f"d{i}" for i in range(len(self.pairs))] if self.keys else []
        wanted = ", ".join(["kind AS k", "n", *values, *flags])
        sql = f"SELECT {wanted} FROM ({numbered}) WHERE number <= {int(rows)} ORDER BY {', '.join([*order, 'kind'])}"
        entries = collected(over(self.work.spark, sql, {"rows": self._rows()})).to_pylist()
        return tuple(self._row(entry, sides) for entry in fair(entries, rows))

    def _row(self, entry: Mapping[str, Any], sides: tuple[str, str]) -> RowDiff:
        kind = entry["k"]
        before, after = (
            tuple(_plain(entry[f"{side}{i}"], pair.type) for i, pair in enumerate(self.pairs))
            for side in sides
        )
        changed = [pair.after.name for i, pair in enumerate(self.pairs) if kind == CHANGED and entry[f"d{i}"]]
        return RowDiff(
            KINDS[kind],
            None if kind == ADDED else before,
            None if kind == REMOVED else after,
            tuple(changed),
            int(entry["n"]),
        )

    # Two ways to pair rows --------------------------------------------------------------------------------------------

    def _rows(self) -> Any:
        return over(
            self.work.spark,
            self._by_keys() if self.keys else self._as_wholes(),
            {"before": self._compared(0), "after": self._compared(1)},
        )

    def _by_keys(self) -> str:
        numbers = range(len(self.pairs))
        equal = " AND ".join(
            f"{self._form(f'l.c{i}', i)} = {self._form(f'r.c{i}', i)}" for i in range(self.keys)
        )
        differs = [f"NOT ({self._form(f'l.c{i}', i)} <=> {self._form(f'r.c{i}', i)})" for i in numbers]
        changed = " OR ".join(differs[self.keys :])
        kind = (
            f"CASE WHEN r.here IS NULL THEN {REMOVED} WHEN l.here IS NULL THEN {ADDED} "
            f"{f'WHEN {changed} THEN {CHANGED}' if changed else ''} ELSE {SAME} END"
        )
        columns = [f"{side}.c{i} AS {side}{i}" for side in "lr" for i in numbers]
        columns += [f"{sql} AS d{i}" for i, sql in enumerate(differs)]
        columns += [
            f"coalesce({self._form(f'l.c{i}', i)}, {self._form(f'r.c{i}', i)}) AS o{i}"
            for i in range(self.keys)
        ]
        joined = f"SELECT {kind} AS kind, {', '.join(columns)} FROM before l FULL JOIN after r ON {equal}"
        return f"SELECT *, int(kind < {SAME}) AS n, int(kind = {SAME}) AS same FROM ({joined})"

    def _as_wholes(self) -> str:
        """Each row with how often it comes on either side."""
        numbers = range(len(self.pairs))
        groups = ", ".join(f"{self._form(f'c{i}', i)} AS o{i}" for i in numbers)
        names = ", ".join(f"o{i}" for i in numbers)
        # Of values that are equal and yet look different, as maps do, any is shown.
        shown = ", ".join(f"first(c{i}) AS c{i}" for i in numbers)
        both = "SELECT *, 0 AS side FROM before UNION ALL SELECT *, 1 AS side FROM after"
        counts = "count_if(side = 0) AS nl, count_if(side = 1) AS nr"
        grouped = (
            f"SELECT {names}, {shown}, {counts} FROM (SELECT *, {groups} FROM ({both})) GROUP BY {names}"
        )
        kind = f"CASE WHEN nl > nr THEN {REMOVED} WHEN nl < nr THEN {ADDED} ELSE {SAME} END"
        return f"SELECT *, {kind} AS kind, abs(nl - nr) AS n, least(nl, nr) AS same FROM ({grouped})"

    def _compared(self, number: int) -> Any:
        """A side's rows with the columns that are compared, each in the type in which it is."""
        items = (f"{self._aligned(pair, number)} AS c{i}" for i, pair in enumerate(self.pairs))
        return (self.before, self.after)[number].frame.selectExpr(*items, "true AS here")

    def _aligned(self, pair: Pair, number: int) -> str:
        column = (pair.before, pair.after)[number]
        return SparkComparable().aligned(quoted(column.name), column.type, pair.type)

    def _form(self, value: str, i: int) -> str:
        return SparkComparable().comparable(value, self.pairs[i].type)


def _plain(value: Any, type_: str) -> Any:
    """A value that came here as Arrow, as Python has it: instants in UTC without a zone, maps as dicts."""
    kind, _, inner = type_.partition("<")
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    if value is None or kind not in ("array", "map", "struct"):
        return value
    parts = split(inner[:-1])
    if kind == "array":
        return [_plain(item, parts[0]) for item in value]
    if kind == "map":
        return {_plain(key, parts[0]): _plain(item, parts[1]) for key, item in value}
    types = {name: of for name, _, of in (part.partition(":") for part in parts)}
    return {name: _plain(item, types[name]) for name, item in value.items()}
