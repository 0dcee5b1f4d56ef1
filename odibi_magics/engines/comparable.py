"""Values of two columns made comparable: brought to one type, then to a form in which equal values are equal.

Equality is Spark's `<=>`: NULL equals NULL, NaN equals NaN and -0.0 equals 0.0, as in the joins and groups of both
engines. Only maps differ: there the order of their entries counts, or they cannot be compared at all.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from itertools import count

from odibi_magics.config.types import split

_DIGITS = {"tinyint": 3, "smallint": 5, "int": 10, "bigint": 19}
_INTEGERS = tuple(_DIGITS)
_FLOATS = ("float", "double")
_MOST_DIGITS = 38

Of = Callable[[str], str]
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


class Comparable(ABC):
    """SQL of an engine for values that are compared. Expressions lie inside each other, so variables have numbers."""

    def __init__(self) -> None:
        self._numbers = count()

    def aligned(self, value: str, type_: str, common: str) -> str:
        """SQL for a value of a type as one of a common type, as `common_type` gives it."""
        if type_ == common:
            return value
        if common.startswith("struct<"):
            ours = _fields(type_)
            fields = (
                (name, self.aligned(self.field(value, ours[lower][0]), ours[lower][1], inner))
                for lower, (name, inner) in _fields(common).items()
            )
            return _unless_null(value, self.struct(fields))
        if common.startswith("array<"):
            return self._each(value, lambda item: self.aligned(item, _inner(type_), _inner(common)))
        if common.startswith("map<"):
            pairs = list(zip(split(_inner(type_)), split(_inner(common)), strict=True))
            entries = self._entries(value, lambda part, i: self.aligned(part, *pairs[i]))
            return _unless_null(value, f"map_from_entries({entries})")
        return self.cast(value, common)

    def comparable(self, value: str, type_: str) -> str:
        """SQL for a value as something that is equal where the value is: of maps, their entries in order."""
        if "map<" not in type_:
            return value
        if type_.startswith("struct<"):
            fields = (
                (name, self.comparable(self.field(value, name), inner))
                for name, inner in _fields(type_).values()
            )
            return _unless_null(value, self.struct(fields))
        if type_.startswith("array<"):
            return self._each(value, lambda item: self.comparable(item, _inner(type_)))
        types = split(_inner(type_))
        entries = self._entries(value, lambda part, i: self.comparable(part, types[i]))
        return _unless_null(value, self.ordered(entries))

    def _each(self, value: str, of: Of) -> str:
        item = f"item{next(self._numbers)}"
        return self.each(value, item, of(item))

    def _entries(self, value: str, of: _OfPart) -> str:
        """A map's entries, each a struct of its key and value."""
        return self._each(
            f"map_entries({value})",
            lambda entry: self.struct([("k", of(f"{entry}.key", 0)), ("v", of(f"{entry}.value", 1))]),
        )

    @abstractmethod
    def cast(self, value: str, type_: str) -> str:
        """A value as one of a type without parts."""

    @abstractmethod
    def struct(self, fields: Iterable[tuple[str, str]]) -> str:
        """A struct of values under names."""

    @abstractmethod
    def field(self, value: str, name: str) -> str:
        """A field of a struct."""

    @abstractmethod
    def each(self, value: str, item: str, made: str) -> str:
        """What is made of each item of an array, which is called `item` in it."""

    @abstractmethod
    def ordered(self, value: str) -> str:
        """An array in order."""


def _unless_null(value: str, made: str) -> str:
    return f"CASE WHEN {value} IS NOT NULL THEN {made} END"
