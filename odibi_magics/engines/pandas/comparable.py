"""DuckDB's SQL for values that are compared."""

from __future__ import annotations

from collections.abc import Iterable

from odibi_magics.engines.comparable import Comparable
from odibi_magics.engines.pandas.names import literal, quoted
from odibi_magics.engines.pandas.types import duckdb_type


def aligned(value: str, type_: str, common: str) -> str:
    """SQL for a value of a type as one of a common type, as `common_type` gives it."""
    return _Sql().aligned(value, type_, common)


def comparable(value: str, type_: str) -> str:
    """SQL for a value as something that is equal where the value is: of maps, their entries in order."""
    return _Sql().comparable(value, type_)


class _Sql(Comparable):
    def cast(self, value: str, type_: str) -> str:
        return f"CAST({value} AS {duckdb_type(type_)})"

    def struct(self, fields: Iterable[tuple[str, str]]) -> str:
        return f"struct_pack({', '.join(f'{quoted(name)} := {value}' for name, value in fields)})"

    def field(self, value: str, name: str) -> str:
        return f"struct_extract({value}, {literal(name)})"

    def each(self, value: str, item: str, made: str) -> str:
        return f"list_transform({value}, lambda {item}: {made})"

    def ordered(self, value: str) -> str:
        return f"list_sort({value})"
