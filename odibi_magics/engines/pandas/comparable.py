"""Values of two columns made comparable: brought to one type, then to a form in which equal values are equal.

Equality is Spark's `<=>`: NULL equals NULL, NaN equals NaN and -0.0 equals 0.0, as in DuckDB's joins and groups. Only
maps differ: for DuckDB the order of their entries counts.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

from odibi_magics.engines.pandas.names import literal, quoted
from odibi_magics.engines.pandas.types import duckdb_type, split

_DIGITS = {"tinyint": 3, "smallint": 5, "int": 10, "bigint": 19}
_INTEGERS = tuple(_DIGITS)
_FLOATS = ("float", "double")
_MOST_DIGITS = 38

_Of = Callable[[str], str]
_OfPart = Callable[[str, int], str]


def common_type(one: str, other: str) -> str | None:
    """The type in which values of two types are compared; None where they have none in common, as string and int.

    As in Spark a number beside a double is one. Of structs, the fields that both have.
    """
    if one == other:
        return one
    kinds = {_kind(one), _kind(other)}
    if kinds == {"struct"}:
        return _common_struct(one, other)
    if kinds == {"array"}:
        inner = common_type(_inner(one), _inner(other))
        return inner and f"array<{inner}>"
    if kinds == {"map"}:
        return _common_map(one, other)
    return "timestamp" if {one, other} == {"date", "timestamp"} else _common_number(one, other)


def _kind(type_: str) -> str:
    return type_.partition("<")[0]


def _inner(type_: str) -> str:
    return type_.partition("<")[2][:-1]


def _fields(type_: str) -> dict[str, tuple[str, str]]:
    """The name and type of each field by its name in lower case."""
    parts = (part.partition(":") for part in split(_inner(type_)))
    return {name.lower(): (name, inner) for name, _, inner in parts}


def _common_struct(one: str, other: str) -> str | None:
    ours, theirs = _fields(one), _fields(other)
    both = {
        name: common_type(ours[lower][1], theirs[lower][1])
        for lower, (name, _) in theirs.items()
        if lower in ours
    }
    told = ",".join(f"{name}:{type_}" for name, type_ in both.items() if type_)
    return f"struct<{told}>" if told else None


def _common_map(one: str, other: str) -> str | None:
    (key, value), (other_key, other_value) = split(_inner(one)), split(_inner(other))
    keys, values = common_type(key, other_key), common_type(value, other_value)
    # Two keys must not become one.
    whole = key == other_key or (keys is not None and keys.startswith((*_INTEGERS, "decimal")))
    return f"map<{keys},{values}>" if keys and values and whole else None


def _common_number(one: str, other: str) -> str | None:
    sizes = (_digits(one), _digits(other))
    if one in _INTEGERS and other in _INTEGERS:
        return max(one, other, key=_INTEGERS.index)
    if one in _FLOATS or other in _FLOATS:
        numbers = all(type_ in _FLOATS or size for type_, size in zip((one, other), sizes, strict=True))
        return "double" if numbers else None
    if None in sizes:
        return None
    (whole, scale), (other_whole, other_scale) = (size for size in sizes if size)
    whole, scale = max(whole, other_whole), max(scale, other_scale)
    return f"decimal({whole + scale},{scale})" if whole + scale <= _MOST_DIGITS else None


def _digits(type_: str) -> tuple[int, int] | None:
    """Digits before and behind the point; None for what is no exact number."""
    if type_ in _DIGITS:
        return _DIGITS[type_], 0
    if not type_.startswith("decimal"):
        return None
    precision, scale = map(int, type_[len("decimal(") : -1].split(","))
    return precision - scale, scale


def aligned(value: str, type_: str, common: str) -> str:
    """SQL for a value of a type as one of a common type, as `common_type` gives it."""
    return _Sql().aligned(value, type_, common)


def comparable(value: str, type_: str) -> str:
    """SQL for a value as something that is equal where the value is: of maps, their entries in order."""
    return _Sql().comparable(value, type_)


class _Sql:
    """Expressions inside each other, whose variables need names of their own."""

    def __init__(self) -> None:
        self._numbers = count()

    def aligned(self, value: str, type_: str, common: str) -> str:
        if type_ == common:
            return value
        if common.startswith("struct<"):
            ours = _fields(type_)
            fields = (
                f"{quoted(name)} := {self.aligned(_field(value, ours[lower][0]), ours[lower][1], inner)}"
                for lower, (name, inner) in _fields(common).items()
            )
            return _unless_null(value, f"struct_pack({', '.join(fields)})")
        if common.startswith("array<"):
            return self._each(value, lambda item: self.aligned(item, _inner(type_), _inner(common)))
        if common.startswith("map<"):
            pairs = list(zip(split(_inner(type_)), split(_inner(common)), strict=True))
            entries = self._entries(value, lambda part, i: self.aligned(part, *pairs[i]))
            return _unless_null(value, f"map_from_entries({entries})")
        return f"CAST({value} AS {duckdb_type(common)})"

    def comparable(self, value: str, type_: str) -> str:
        if "map<" not in type_:
            return value
        if type_.startswith("struct<"):
            fields = (
                f"{quoted(name)} := {self.comparable(_field(value, name), inner)}"
                for name, inner in _fields(type_).values()
            )
            return _unless_null(value, f"struct_pack({', '.join(fields)})")
        if type_.startswith("array<"):
            return self._each(value, lambda item: self.comparable(item, _inner(type_)))
        types = split(_inner(type_))
        entries = self._entries(value, lambda part, i: self.comparable(part, types[i]))
        return _unless_null(value, f"list_sort({entries})")

    def _each(self, value: str, of: _Of) -> str:
        item = f"item{next(self._numbers)}"
        return f"list_transform({value}, lambda {item}: {of(item)})"

    def _entries(self, value: str, of: _OfPart) -> str:
        """A map's entries, each a struct of its key and value."""
        return self._each(
            f"map_entries({value})",
            lambda entry: f"struct_pack(k := {of(f'{entry}.key', 0)}, v := {of(f'{entry}.value', 1)})",
        )


def _field(value: str, name: str) -> str:
    return f"struct_extract({value}, {literal(name)})"


def _unless_null(value: str, made: str) -> str:
    return f"CASE WHEN {value} IS NOT NULL THEN {made} END"
