"""Type names: the language's (Spark's simple strings), DuckDB's, Arrow's and Delta's.

DuckDB's TIMESTAMP, which has no zone, holds the UTC instants of `timestamp`: TIMESTAMPTZ would go through ICU, which
is 20 times slower.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from odibi_magics.config.types import Column
from odibi_magics.engines.pandas.names import quoted

if TYPE_CHECKING:
    import pyarrow as pa

_TO_DUCKDB = {
    "boolean": "BOOLEAN", "tinyint": "TINYINT", "smallint": "SMALLINT", "int": "INTEGER", "bigint": "BIGINT",
    "float": "FLOAT", "double": "DOUBLE", "string": "VARCHAR", "binary": "BLOB", "date": "DATE",
    "timestamp": "TIMESTAMP", "timestamp_ntz": "TIMESTAMP",
}  # fmt: skip

_FROM_DUCKDB = {duckdb: name for name, duckdb in _TO_DUCKDB.items() if name != "timestamp_ntz"}

# Types the language lacks, each with the one that holds all its values.
_WIDER = {
    "UTINYINT": "smallint", "USMALLINT": "int", "UINTEGER": "bigint", "UBIGINT": "decimal(20,0)",
    "HUGEINT": "decimal(38,0)", "UUID": "string", "JSON": "string",
    "TIMESTAMP_S": "timestamp", "TIMESTAMP_MS": "timestamp", "TIMESTAMP WITH TIME ZONE": "timestamp",
}  # fmt: skip


def split(text: str) -> list[str]:
    """The parts between the commas that stand in no bracket or quotes."""
    parts, depth, in_quotes = [""], 0, False
    for char in text:
        in_quotes ^= char == '"'
        if not in_quotes:
            depth += (char in "<([") - (char in ">)]")
            if char == "," and not depth:
                parts.append("")
                continue
        parts[-1] += char
    return [part.strip() for part in parts]


def is_field_name(name: str) -> bool:
    """Whether a struct's field can be called so: the struct's type is one text, and must come apart where it should."""
    return ":" not in name and name != "" and split(f"{name}:int,{name}:int") == [f"{name}:int"] * 2


def duckdb_type(name: str) -> str:
    """DuckDB's type for one of the language's."""
    if name in _TO_DUCKDB:
        return _TO_DUCKDB[name]
    kind, _, inner = name.partition("<")
    if kind.startswith("decimal"):
        return name.upper()
    inner = inner[:-1]
    if kind == "array":
        return duckdb_type(inner) + "[]"
    if kind == "map":
        return f"MAP({', '.join(map(duckdb_type, split(inner)))})"
    fields = (field.partition(":") for field in split(inner))
    return f"STRUCT({', '.join(f'{quoted(field)} {duckdb_type(type_)}' for field, _, type_ in fields)})"


def from_duckdb(text: str) -> str:
    """The language's type that holds all values of one of DuckDB's.

    Raises ValueError where there is none.
    """
    if text in _FROM_DUCKDB:
        return _FROM_DUCKDB[text]
    if text in _WIDER:
        return _WIDER[text]
    if text.endswith("]"):
        return f"array<{from_duckdb(text[: text.rindex('[')])}>"
    kind, _, inner = text.partition("(")
    inner = inner[:-1]
    if kind == "DECIMAL":
        return f"decimal({inner})".replace(" ", "")
    if kind == "ENUM":
        return "string"
    if kind == "MAP":
        return f"map<{','.join(map(from_duckdb, split(inner)))}>"
    if kind == "STRUCT":
        return f"struct<{','.join(map(_field, split(inner)))}>"
    raise ValueError(_no_type(text))


def _no_type(text: str) -> str:
    if text == '"NULL"':
        return "NULL has no type: write CAST(NULL AS string), or the type it stands for"
    return f"{text} has no counterpart among the types of tables"


def _field(text: str) -> str:
    match = re.fullmatch(r'("(?:[^"]|"")*"|\S+) (.*)', text, re.DOTALL)
    if match is None:
        raise ValueError(f"a field without a name: {text}")
    name = match[1]
    name = name[1:-1].replace('""', '"') if name.startswith('"') else name
    return f"{name}:{from_duckdb(match[2])}"


def arrow_type(name: str) -> pa.DataType:
    """Arrow's type for one of the language's, as frames give it: `timestamp` with zone UTC."""
    import pyarrow as pa

    simple: dict[str, Callable[[], Any]] = {
        "boolean": pa.bool_, "tinyint": pa.int8, "smallint": pa.int16, "int": pa.int32, "bigint": pa.int64,
        "float": pa.float32, "double": pa.float64, "string": pa.string, "binary": pa.binary, "date": pa.date32,
    }  # fmt: skip
    if name in simple:
        return simple[name]()
    if name == "timestamp":
        return pa.timestamp("us", "UTC")
    if name == "timestamp_ntz":
        return pa.timestamp("us")
    if match := re.fullmatch(r"decimal\((\d+),(\d+)\)", name):
        return pa.decimal128(int(match[1]), int(match[2]))
    kind, _, inner = name.partition("<")
    inner = inner[:-1]
    if kind == "array":
        return pa.list_(arrow_type(inner))
    if kind == "map":
        return pa.map_(*map(arrow_type, split(inner)))
    fields = (field.partition(":") for field in split(inner))
    return pa.struct([pa.field(field, arrow_type(type_)) for field, _, type_ in fields])


def from_arrow(type_: pa.DataType) -> str:
    """The language's type that holds all values of one of Arrow's; nanoseconds as long as they are whole microseconds.

    Raises ValueError where there is none.
    """
    import pyarrow as pa

    is_ = pa.types
    if is_.is_dictionary(type_):
        return from_arrow(type_.value_type)
    if is_.is_struct(type_):
        return f"struct<{','.join(f'{field.name}:{from_arrow(field.type)}' for field in type_)}>"
    if is_.is_map(type_):
        return f"map<{from_arrow(type_.key_type)},{from_arrow(type_.item_type)}>"
    if (
        is_.is_list(type_)
        or is_.is_large_list(type_)
        or is_.is_fixed_size_list(type_)
        or is_.is_list_view(type_)
    ):
        return f"array<{from_arrow(type_.value_type)}>"
    if is_.is_decimal(type_) and type_.precision <= 38 and 0 <= type_.scale <= type_.precision:
        return f"decimal({type_.precision},{type_.scale})"
    for fits, name in _ARROW:
        if fits(type_):
            return name
    if is_.is_null(type_):
        raise ValueError("all values are NULL, so that it has no type; declare it in returns:")
    raise ValueError(f"{type_} has no counterpart among the types of tables")


def _is(name: str) -> Callable[[Any], bool]:
    """pyarrow.types.is_<name>, looked up when it is used."""

    def test(type_: Any) -> bool:
        import pyarrow as pa

        return bool(getattr(pa.types, f"is_{name}")(type_))

    return test


_ARROW = tuple((_is(arrow), name) for arrow, name in (
    ("boolean", "boolean"), ("int8", "tinyint"), ("int16", "smallint"), ("int32", "int"), ("int64", "bigint"),
    ("uint8", "smallint"), ("uint16", "int"), ("uint32", "bigint"), ("uint64", "decimal(20,0)"),
    ("float16", "float"), ("float32", "float"), ("float64", "double"), ("timestamp", "timestamp"), ("date", "date"),
    ("string", "string"), ("large_string", "string"), ("string_view", "string"), ("binary", "binary"),
    ("large_binary", "binary"), ("binary_view", "binary"), ("fixed_size_binary", "binary"),
))  # fmt: skip


def naive(type_: pa.DataType) -> pa.DataType:
    """An Arrow type with every timestamp in it as microseconds without a zone, as DuckDB's TIMESTAMP takes them."""
    import pyarrow as pa

    if pa.types.is_timestamp(type_):
        return pa.timestamp("us")
    if pa.types.is_struct(type_):
        return pa.struct([field.with_type(naive(field.type)) for field in type_])
    if pa.types.is_map(type_):
        return pa.map_(naive(type_.key_type), naive(type_.item_type))
    return pa.list_(naive(type_.value_type)) if pa.types.is_list(type_) else type_


def arrow_schema(columns: Iterable[Column]) -> pa.Schema:
    """The Arrow schema of a frame with these columns."""
    import pyarrow as pa

    return pa.schema([pa.field(column.name, arrow_type(column.type)) for column in columns])


def empty_table(columns: Iterable[Column]) -> str:
    """A query with these columns and no rows."""
    return f"{null_row(columns)} WHERE false"


def null_row(columns: Iterable[Column]) -> str:
    """A query with these columns and one row of NULLs: bound a tenth faster than one without rows."""
    items = (f"NULL::{duckdb_type(column.type)} AS {quoted(column.name)}" for column in columns)
    return f"SELECT {', '.join(items)}"


def casts(described: Sequence[tuple[str, str]], source: str) -> tuple[str, tuple[Column, ...]]:
    """A query over `source` whose columns all have types of the language, and those columns.

    described: names and DuckDB's types of what `source`, a subquery in brackets, gives.
    Raises ValueError naming the column that has no such type.
    """
    columns = tuple(Column(name, _column_type(name, type_)) for name, type_ in described)
    if all(duckdb_type(column.type) == type_ for column, (_, type_) in zip(columns, described, strict=True)):
        return source, columns
    items = (f"CAST({quoted(c.name)} AS {duckdb_type(c.type)}) AS {quoted(c.name)}" for c in columns)
    return f"SELECT {', '.join(items)} FROM {source}", columns


def _column_type(name: str, type_: str) -> str:
    try:
        return from_duckdb(type_)
    except ValueError as error:
        raise ValueError(f"column '{name}': {error}") from None
