"""Spark's SQL for values that are compared."""

from __future__ import annotations

from collections.abc import Iterable

from odibi_magics.engines.comparable import Comparable
from odibi_magics.engines.spark.names import literal, quoted
from odibi_magics.engines.spark.types import in_sql


class SparkComparable(Comparable):
    """Comparable of Spark."""

    def cast(self, value: str, type_: str) -> str:
        return f"CAST({value} AS {in_sql(type_)})"

    def struct(self, fields: Iterable[tuple[str, str]]) -> str:
        return f"named_struct({', '.join(f'{literal(name)}, {value}' for name, value in fields)})"

    def field(self, value: str, name: str) -> str:
        return f"{value}.{quoted(name)}"

    def each(self, value: str, item: str, made: str) -> str:
        return f"transform({value}, {item} -> {made})"

    def ordered(self, value: str) -> str:
        return f"array_sort({value})"
