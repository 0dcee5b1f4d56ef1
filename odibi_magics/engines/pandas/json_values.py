"""SQL that takes JSON apart into typed values, strictly: what does not fit raises with a ticket.

DuckDB's own json_transform_strict would round 1.5 to 2, drop a zone of +02:00 and want every key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from odibi_magics.config.types import Column
from odibi_magics.engines.pandas.names import literal, quoted
from odibi_magics.engines.pandas.strict import from_text, raised, told
from odibi_magics.engines.pandas.types import duckdb_type, split

_WHOLE = ("tinyint", "smallint", "int", "bigint")
_TEXTS = ("date", "timestamp", "timestamp_ntz", "binary")


@dataclass(frozen=True)
class Value:
    """SQL for a value of JSON. text: NULL for what is missing or null. kind: as json_type has it."""

    json: str
    text: str
    kind: str

    @classmethod
    def of(cls, json: str) -> Value:
        return cls(json, f"({json} ->> '$')", f"json_type({json})")

    def member(self, key: str) -> Value:
        """What an object holds under a key."""
        at = f"({self.json}, {literal(_pointer(key))})"
        return Value(f"json_extract{at}", f"json_extract_string{at}", f"json_type{at}")


def _pointer(key: str) -> str:
    return "/" + key.replace("~", "~0").replace("/", "~1")


# Spots ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Step:
    """Down from a value: to what stands under a key, or to all that a path such as `$[*]` finds."""

    key: str = ""
    path: str = ""


_ITEMS, _VALUES = Step(path="$[*]"), Step(path="$.*")
Steps = tuple[Step, ...]


@dataclass(frozen=True)
class Spot:
    """A place in the objects where something may not fit.

    steps: down to it. type: what should be there; "" for the keys of an object. wrong: SQL for whether it is not.
    """

    steps: Steps
    type: str
    wrong: Callable[[Value], str]

    @property
    def name(self) -> str:
        """As people write it: `items.price`."""
        return ".".join(step.key for step in self.steps if not step.path)

    def anywhere(self, json: str, text: str) -> str:
        """SQL for whether this does not fit in an object. text: what the value begins with."""
        return self._below(Value.of(json), self.steps, text)

    def _below(self, value: Value, steps: Steps, text: str) -> str:
        if not steps:
            begins = f" AND {told(value.text)} = {literal(text)}" if self.type else ""
            return f"coalesce(({self.wrong(value)}){begins}, FALSE)"
        step, *rest = steps
        if not step.path:
            return self._below(value.member(step.key), tuple(rest), text)
        name = f"x{len(rest)}"
        inside = self._below(Value.of(name), tuple(rest), text)
        values = f"json_extract({value.json}, '{step.path}')"
        return f"list_contains(list_transform({values}, lambda {name}: {inside}), TRUE)"


# Values ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Object:
    """The fields that are taken from an object, with their types. only: whether other keys are left out."""

    fields: Sequence[tuple[str, str]]
    only: bool

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.fields]

    @property
    def nested(self) -> list[str]:
        return [name for name, type_ in self.fields if "<" in type_]

    def parts(self, json: str) -> dict[str, str]:
        """SQL for lists in the fields' order: the texts, the kinds, the JSON of what is nested; and for all keys."""
        texts, nested = (literal([_pointer(name) for name in names]) for names in (self.names, self.nested))
        lists = {"t": f"json_extract_string({json}, {texts})", "k": f"json_type({json}, {texts})"}
        return lists | {
            "n": f"json_keys({json})",
            "j": f"json_extract({json}, {nested})" if self.nested else "[]",
        }

    def values(self, at: str) -> list[Value]:
        """The fields' values, where the parts are to be had at `at`."""
        json = {name: f"{at}j[{i}]" for i, name in enumerate(self.nested, 1)}
        return [
            Value(json.get(name, ""), f"{at}t[{i}]", f"{at}k[{i}]") for i, name in enumerate(self.names, 1)
        ]

    def misfits(self, json: str, keys: str, kinds: str) -> str:
        """SQL for whether a key stands there twice or is no field's, or this is no object."""
        more = f"len({keys}) <> list_count({kinds})"
        if self.only:
            more += f" AND len(list_distinct({keys})) < len({keys})"
        return f"({more}) OR (len({keys}) = 0 AND json_type({json}) <> 'OBJECT')"

    def stranger(self, keys: str) -> str:
        """SQL for the first key that is no field's; "" where there is none."""
        return f"coalesce(list_filter({keys}, lambda y: NOT list_contains({literal(self.names)}, y))[1], '')"


class Taker:
    """Writes the SQL; `spots` are by the numbers in its tickets.

    number: of the source, for tickets. only: whether keys that a struct does not name are left out; else they raise.
    """

    def __init__(self, number: int, *, only: bool) -> None:
        self.spots: list[Spot] = []
        self._number, self._only = number, only

    def query(self, columns: Sequence[Column], source: str, *, only: bool) -> str:
        """The columns of the objects in column `json` of a source. only: as above, for keys that no column names."""
        shape = _Object([(column.name, column.type) for column in columns], only)
        parts = ", ".join(f"{sql} AS {part}" for part, sql in shape.parts("json").items())
        texts = self._checked(shape, "json", "", (), "t")
        lists = f"SELECT * REPLACE ({texts} AS t) FROM (SELECT json, {parts} FROM {source})"
        values = [Value(f"j{i}", f"t{i}", f"k{i}") for i, _ in enumerate(columns)]
        items = ", ".join(f"{sql} AS {name}" for name, sql in self._fields(shape, values, ()))
        # Columns for the lists' items: DuckDB would look for what hundreds of t[i] have in common, pair by pair.
        return f"SELECT {items} FROM (SELECT {_named_as(shape.values(''), values)} FROM ({lists}))"

    def _checked(self, shape: _Object, json: str, at: str, steps: Steps, taken: str) -> str:
        """SQL for what was taken from an object, whose parts are at `at`, or an error."""

        def wrong(value: Value) -> str:
            parts = shape.parts(value.json)
            return shape.misfits(value.json, parts["n"], parts["k"])

        failed = self._raised(Spot(steps, "", wrong), shape.stranger(f"{at}n"))
        return f"CASE WHEN {shape.misfits(json, f'{at}n', f'{at}k')} THEN {failed} ELSE {taken} END"

    def _raised(self, spot: Spot, text: str) -> str:
        self.spots.append(spot)
        return raised(text, self._number, len(self.spots) - 1)

    def _fields(self, shape: _Object, values: Sequence[Value], steps: Steps) -> Iterator[tuple[str, str]]:
        for (name, type_), value in zip(shape.fields, values, strict=True):
            yield quoted(name), self._value(type_, value, (*steps, Step(name)))

    def _value(self, type_: str, value: Value, steps: Steps) -> str:
        """SQL for a typed value, or an error."""
        if type_ == "string":
            return value.text
        kind, _, inner = type_.removesuffix(">").partition("<")
        if inner:
            return self._nested(type_, kind, split(inner), value, steps)

        def wrong(found: Value) -> str:
            return f"({_simple(type_, found)}) IS NULL AND {found.text} IS NOT NULL"

        failed = self._raised(Spot(steps, type_, wrong), value.text)
        return f"coalesce({_simple(type_, value)}, CASE WHEN {value.text} IS NOT NULL THEN {failed} END)"

    def _nested(self, type_: str, kind: str, inner: Sequence[str], value: Value, steps: Steps) -> str:
        take = {"array": self._array, "map": self._map, "struct": self._struct}[kind]

        def wrong(found: Value) -> str:
            return f"NOT ({_shape(kind, inner, found)}) AND {found.text} IS NOT NULL"

        failed = self._raised(Spot(steps, type_, wrong), value.text)
        taken = take(inner, value.json, steps)
        return f"CASE WHEN {_shape(kind, inner, value)} THEN {taken} WHEN {value.text} IS NOT NULL THEN {failed} END"

    def _struct(self, inner: Sequence[str], json: str, steps: Steps) -> str:
        shape = _Object([_named(field) for field in inner], self._only)
        name = f"o{len(steps)}"
        parts = ", ".join(f"{part} := {sql}" for part, sql in shape.parts(json).items())
        fields = ", ".join(
            f"{field} := {sql}" for field, sql in self._fields(shape, shape.values(f"{name}."), steps)
        )
        checked = self._checked(shape, json, f"{name}.", steps, f"struct_pack({fields})")
        return f"list_transform([struct_pack({parts})], lambda {name}: {checked})[1]"

    def _array(self, inner: Sequence[str], json: str, steps: Steps) -> str:
        return self._each(inner[0], json, (*steps, _ITEMS))

    def _map(self, inner: Sequence[str], json: str, steps: Steps) -> str:
        return f"map({_keys(inner[0], json)}, {self._each(inner[1], json, (*steps, _VALUES))})"

    def _each(self, type_: str, json: str, steps: Steps) -> str:
        name = f"x{len(steps)}"
        value = self._value(type_, Value.of(name), steps)
        return f"list_transform(json_extract({json}, '{steps[-1].path}'), lambda {name}: {value})"


def _named_as(values: Sequence[Value], names: Sequence[Value]) -> str:
    pairs = zip(values, names, strict=True)
    both = (
        (getattr(value, part), getattr(name, part))
        for value, name in pairs
        for part in ("json", "text", "kind")
    )
    return ", ".join(f"{sql} AS {name}" for sql, name in both if sql)


def _named(field: str) -> tuple[str, str]:
    name, _, type_ = field.partition(":")
    return name, type_


def _shape(kind: str, inner: Sequence[str], value: Value) -> str:
    """SQL for whether a value is an array, or an object whose keys fit a struct or a map."""
    if kind == "array":
        return f"{value.kind} = 'ARRAY'"
    if kind == "struct":
        return f"{value.kind} = 'OBJECT'"
    distinct = f"len(list_distinct({_keys(inner[0], value.json)}))"
    return f"{value.kind} = 'OBJECT' AND {distinct} = len(json_keys({value.json}))"


def _keys(type_: str, json: str) -> str:
    """SQL for a map's keys."""
    keys = f"json_keys({json})"
    return keys if type_ == "string" else f"list_transform({keys}, lambda y: {from_text(type_, 'y')})"


def _simple(type_: str, value: Value) -> str:
    """SQL for a value of a type without parts; NULL where it does not fit."""
    cast = f"TRY_CAST({value.text} AS {duckdb_type(type_)})"
    if type_ == "boolean":
        return f"CASE WHEN {value.kind} = 'BOOLEAN' THEN {cast} END"
    if type_ in _WHOLE:
        return f"CASE WHEN {value.kind} IN ('BIGINT', 'UBIGINT') THEN {cast} END"
    if type_ in ("float", "double"):
        return f"CASE WHEN {value.kind} IN ('BIGINT', 'UBIGINT', 'DOUBLE') THEN {cast} END"
    if type_ in _TEXTS:
        return f"CASE WHEN {value.kind} = 'VARCHAR' THEN {from_text(type_, value.text)} END"
    # DuckDB has numbers with a point as doubles, of which 15 digits come out as they went in; 0.0000001 as 1e-7.
    exact = f"{value.kind} <> 'DOUBLE' OR NOT contains({value.text}, '.') OR strlen(ltrim({value.text}, '-0.')) <= 16"
    same = f"CAST({cast} AS DOUBLE) = CAST({value.text} AS DOUBLE)"
    small = f"CASE WHEN {value.kind} = 'DOUBLE' AND {same} THEN {cast} END"
    fits = f"coalesce({from_text(type_, value.text)}, {small})"
    return f"CASE WHEN {value.kind} <> 'BOOLEAN' AND ({exact}) THEN {fits} END"
