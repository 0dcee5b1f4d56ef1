"""The SQL of a diff: one query counts all rows that differ and keeps the first few of each kind.

DuckDB joins and groups on disk where memory ends, so that neither side is ever held whole. In the SQL columns are
called c0, c1, … in the order in which they are compared, of one side alone l0 or r0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from odibi_magics.delta.diff import RowDiff
from odibi_magics.engines.compared import ADDED, CHANGED, KINDS, REMOVED, SAME, Pair, fair
from odibi_magics.engines.pandas.comparable import aligned, comparable
from odibi_magics.engines.pandas.names import quoted
from odibi_magics.engines.pandas.scan import Scan
from odibi_magics.engines.pandas.session import Opener, Session


@dataclass(frozen=True)
class Found:
    """Rows of the files that were read."""

    removed: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    sample: tuple[RowDiff, ...] = ()


@dataclass(frozen=True)
class Comparison:
    """Two sides whose rows are compared. keys: how many of the pairs, which come first, tell rows apart."""

    session: Session
    before: Scan
    after: Scan
    pairs: Sequence[Pair]
    keys: int

    def find(self, rows: int) -> Found:
        """Counts, and up to so many of the rows that differ. Raises EngineError, Cancelled."""
        sql = self._by_keys(rows) if self.keys else self._as_wholes(rows)
        kinds, entries = self.session.run(sql, self.tables)[0]
        counts = {one["kind"]: int(one["n"]) for one in kinds or ()}
        same = sum(int(one["same"]) for one in kinds or ())
        sample = tuple(map(self._row, fair(entries or (), rows)))
        removed, added, changed = (counts.get(kind, 0) for kind in (REMOVED, ADDED, CHANGED))
        return Found(removed, added, changed, same, sample)

    def has_bad_keys(self) -> bool:
        """Whether a key is NULL or comes twice on one side. Raises as `find`."""
        names = [f"k{i}" for i in range(self.keys)]
        nulls = " OR ".join(f"{name} IS NULL" for name in names)
        pairs = self.pairs[: self.keys]
        keys = (key_query(self.before, pairs, after=False), key_query(self.after, pairs, after=True))
        sides = " UNION ALL ".join(f"SELECT {i}, * FROM ({sql})" for i, sql in enumerate(keys))
        grouped = f"GROUP BY side, {', '.join(names)} HAVING count(*) > 1 OR {nulls}"
        sql = f"SELECT 1 FROM ({sides}) AS rows(side, {', '.join(names)}) {grouped} LIMIT 1"
        return bool(self.session.run(sql, self.tables))

    def stands_in(self, other: Scan) -> bool:
        """Whether a key of either side stands among rows of the version before, of which only keys are read.

        Raises as `find`.
        """
        names = ", ".join(f"k{i}" for i in range(self.keys))
        pairs = self.pairs[: self.keys]
        sides = (key_query(self.before, pairs, after=False), key_query(self.after, pairs, after=True))
        looked_for = " UNION ALL ".join(f"SELECT * FROM ({sql})" for sql in sides)
        found = f"({key_query(other, pairs, after=False)}) AS found({names})"
        # The rows that were read are fewer, and held; the others stream past them.
        sql = f"SELECT 1 FROM {found} SEMI JOIN ({looked_for}) AS read({names}) USING ({names}) LIMIT 1"
        return bool(self.session.run(sql, {**self.tables, **other.tables}))

    @property
    def tables(self) -> Mapping[str, Opener]:
        return {**self.before.tables, **self.after.tables}

    # Two ways to pair rows --------------------------------------------------------------------------------------------

    def _by_keys(self, rows: int) -> str:
        numbers = range(len(self.pairs))
        equal = " AND ".join(f"{self._form('l.c', i)} = {self._form('r.c', i)}" for i in range(self.keys))
        differs = " OR ".join(self._differs("l.c", "r.c", i) for i in numbers[self.keys :])
        changed = f"WHEN {differs} THEN {CHANGED}" if differs else ""
        kind = f"CASE WHEN r.here IS NULL THEN {REMOVED} WHEN l.here IS NULL THEN {ADDED} {changed} ELSE {SAME} END"
        columns = ", ".join(f"{side}.c{i} AS {side}{i}" for side in "lr" for i in numbers)
        join = f"({self._side(0)}) AS l FULL JOIN ({self._side(1)}) AS r ON {equal}"
        counts = f"CAST(kind < {SAME} AS INTEGER) AS n, CAST(kind = {SAME} AS INTEGER) AS same"
        paired = f"SELECT *, {counts} FROM (SELECT {kind} AS kind, {columns} FROM {join})"
        order = {f"o{i}": f"coalesce({self._form('l', i)}, {self._form('r', i)})" for i in range(self.keys)}
        return self._answer(paired, order, ("l", "r"), rows)

    def _as_wholes(self, rows: int) -> str:
        """Each row with how often it comes on either side."""
        numbers = range(len(self.pairs))
        forms = [self._form("c", i) for i in numbers]
        # Of values that are equal and yet look different, as maps do, any is shown.
        shown = [f"c{i}" if form == f"c{i}" else f"any_value(c{i}) AS c{i}" for i, form in enumerate(forms)]
        rest = [f"{form} AS g{i}" for i, form in enumerate(forms) if form != f"c{i}"]
        groups = [f"c{i}" if form == f"c{i}" else f"g{i}" for i, form in enumerate(forms)]
        sides = " UNION ALL ".join(f"SELECT *, {i} AS side FROM ({self._side(i)})" for i in (0, 1))
        inner = f"SELECT {', '.join(['*', *rest])} FROM ({sides})"
        counts = "count(*) FILTER (side = 0) AS nl, count(*) FILTER (side = 1) AS nr"
        names = ", ".join(dict.fromkeys([*shown, *groups]))
        grouped = f"SELECT {names}, {counts} FROM ({inner}) GROUP BY {', '.join(groups)}"
        kind = f"CASE WHEN nl > nr THEN {REMOVED} WHEN nl < nr THEN {ADDED} ELSE {SAME} END"
        paired = f"SELECT *, {kind} AS kind, abs(nl - nr) AS n, least(nl, nr) AS same FROM ({grouped})"
        return self._answer(paired, {f"o{i}": name for i, name in enumerate(groups)}, ("c", "c"), rows)

    def _side(self, number: int) -> str:
        scan = (self.before, self.after)[number]
        sides = ((pair.before, pair.after)[number] for pair in self.pairs)
        items = (
            f"{aligned(quoted(column.name), column.type, pair.type)} AS c{i}"
            for i, (column, pair) in enumerate(zip(sides, self.pairs, strict=True))
        )
        return f"SELECT {', '.join(items)}, TRUE AS here FROM (\n{scan.sql}\n)"

    # What both have ---------------------------------------------------------------------------------------------------

    def _answer(self, paired: str, order: Mapping[str, str], sides: tuple[str, str], rows: int) -> str:
        """One row: counts by kind, and the first entries of each kind by `order`, with which of their columns differ.

        sides: what stands before the numbers of the columns of before and after.
        """
        totals = "kind, sum(n) AS n, sum(same) AS same"
        told = "list(struct_pack(kind := kind, n := n, same := same))"
        if not rows:
            return f"SELECT {told}, NULL FROM (SELECT {totals} FROM ({paired}) GROUP BY kind)"
        before, after = (_struct({f"c{i}": f"{side}{i}" for i in range(len(self.pairs))}) for side in sides)
        parts = {
            "o": _struct(order), "k": "kind", "n": "n",
            "b": f"CASE WHEN kind <> {ADDED} THEN {before} END", "a": f"CASE WHEN kind <> {REMOVED} THEN {after} END",
        }  # fmt: skip
        # Nothing is made of the many rows that are the same.
        made = f"SELECT kind, n, same, CASE WHEN kind < {SAME} THEN {_struct(parts)} END AS entry FROM ({paired})"
        first = f"arg_min(entry, entry.o, {int(rows)}) FILTER (kind < {SAME}) AS entries"
        flags = ", ".join(self._differs("e.b.c", "e.a.c", i) for i in range(len(self.pairs)))
        shown = f"lambda e: struct_pack(k := e.k, n := e.n, b := e.b, a := e.a, d := [{flags}])"
        sample = f"list_transform(list_sort(flatten(list(entries))), {shown})"
        return f"SELECT {told}, {sample} FROM (SELECT {totals}, {first} FROM ({made}) GROUP BY kind)"

    def _form(self, prefix: str, i: int) -> str:
        return comparable(f"{prefix}{i}", self.pairs[i].type)

    def _differs(self, one: str, other: str, i: int) -> str:
        return f"{self._form(one, i)} IS DISTINCT FROM {self._form(other, i)}"

    def _row(self, entry: Mapping[str, Any]) -> RowDiff:
        kind = KINDS[entry["k"]]
        before, after = (tuple(row.values()) if row else None for row in (entry["b"], entry["a"]))
        names = [pair.after.name for pair in self.pairs]
        changed = [name for name, differs in zip(names, entry["d"], strict=True) if differs]
        return RowDiff(kind, before, after, tuple(changed) if kind == "changed" else (), int(entry["n"]))


def key_query(scan: Scan, pairs: Sequence[Pair], *, after: bool) -> str:
    """The keys of one side in the form in which they are compared, under the side's own names."""
    columns = [pair.after if after else pair.before for pair in pairs]
    items = (
        f"{comparable(aligned(quoted(column.name), column.type, pair.type), pair.type)} AS {quoted(column.name)}"
        for column, pair in zip(columns, pairs, strict=True)
    )
    return f"SELECT {', '.join(items)} FROM (\n{scan.sql}\n)"


def _struct(fields: Mapping[str, str]) -> str:
    return f"struct_pack({', '.join(f'{name} := {value}' for name, value in fields.items())})"
