"""Spark's types by their simple strings, and its ANSI rules of which type comes out of two."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from odibi_magics.config.types import split
from odibi_magics.sql.decimals import named, wider

if TYPE_CHECKING:
    from sqlglot.generator import Generator

UNKNOWN = "unknown"  # behind a table without a schema: nothing is complained of
VOID = "void"
INTEGRAL = ("tinyint", "smallint", "int", "bigint")
FRACTIONAL = ("float", "double")

_DECIMAL = re.compile(r"decimal\((\d+),(\d+)\)")
_DIGITS = {"tinyint": 3, "smallint": 5, "int": 10, "bigint": 20}
_DUCKDB = {
    "boolean": "BOOLEAN", "tinyint": "TINYINT", "smallint": "SMALLINT", "int": "INTEGER", "bigint": "BIGINT",
    "float": "FLOAT", "double": "DOUBLE", "string": "VARCHAR", "binary": "BLOB", "date": "DATE",
    "timestamp": "TIMESTAMP", "timestamp_ntz": "TIMESTAMP", VOID: "INTEGER",
}  # fmt: skip


@lru_cache(maxsize=1024)
def decimal(type_: str) -> tuple[int, int] | None:
    """Precision and scale of a decimal, or of an integral type as a decimal; None for others."""
    if match := _DECIMAL.fullmatch(type_):
        return int(match[1]), int(match[2])
    return (_DIGITS[type_], 0) if type_ in _DIGITS else None


def is_decimal(type_: str) -> bool:
    return type_.startswith("decimal(")


def is_numeric(type_: str) -> bool:
    return type_ in INTEGRAL or type_ in FRACTIONAL or is_decimal(type_)


def kind(type_: str) -> str:
    """The type without its parameters: integral, decimal, array, map, struct, or its own name."""
    return "integral" if type_ in INTEGRAL else type_.partition("(")[0].partition("<")[0]


def element(type_: str) -> str:
    """The type inside array<...>."""
    return type_[len("array<") : -1]


def entries(type_: str) -> tuple[str, str]:
    """The types of keys and values of a map<..., ...>."""
    key, value = split(type_[len("map<") : -1])
    return key, value


def fields(type_: str) -> list[tuple[str, str]]:
    """Names and types of a struct's fields."""
    parts = (part.partition(":") for part in split(type_[len("struct<") : -1]))
    return [(name.strip(), type_.strip()) for name, _, type_ in parts]


@lru_cache(maxsize=1024)
def in_duckdb(type_: str) -> str:
    """DuckDB's name of a Spark type. Raises KeyError for types that the pandas engine has not."""
    match kind(type_):
        case "decimal":
            return type_.upper()
        case "array":
            return f"{in_duckdb(element(type_))}[]"
        case "map":
            return "MAP({}, {})".format(*map(in_duckdb, entries(type_)))
        case "struct":
            return (
                f"STRUCT({', '.join(f'{quoted(name)} {in_duckdb(field)}' for name, field in fields(type_))})"
            )
    return _DUCKDB[type_]


@lru_cache(maxsize=4096)
def quoted(name: str) -> str:
    """An identifier in DuckDB's quotes."""
    from sqlglot import exp

    return generator().generate(exp.to_identifier(name, quoted=True), copy=False)


@cache
def generator() -> Generator:
    """Writes names and literals; making one takes several times as long as writing a name. It keeps nothing of what it
    writes, so threads may share it. DuckDB writes them as sqlglot's own dialect, which costs no import."""
    from sqlglot.generator import Generator

    return Generator()


@lru_cache(maxsize=1024)
def common(a: str, b: str) -> str | None:
    """The type that both fit, by Spark's ANSI rules without those for strings; None where there is none."""
    if a == b or b == VOID:
        return a
    if a == VOID:
        return b
    if UNKNOWN in (a, b):
        return UNKNOWN
    if a in INTEGRAL and b in INTEGRAL:
        return INTEGRAL[max(INTEGRAL.index(a), INTEGRAL.index(b))]
    if is_numeric(a) and is_numeric(b):
        return "double" if a in FRACTIONAL or b in FRACTIONAL else _wider(a, b)
    if {a, b} == {"date", "timestamp"}:
        return "timestamp"
    if kind(a) == kind(b) == "array":
        inner = common(element(a), element(b))
        return f"array<{inner}>" if inner else None
    if kind(a) == kind(b) == "map":
        key, value = (common(x, y) for x, y in zip(entries(a), entries(b), strict=True))
        return f"map<{key},{value}>" if key and value else None
    return None


def _wider(a: str, b: str) -> str:
    return named(wider(decimal(a) or (0, 0), decimal(b) or (0, 0)))
