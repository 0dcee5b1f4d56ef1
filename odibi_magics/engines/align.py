"""How a frame's columns meet a table's: by name, whatever their case, and into the table's types where none is lost."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from odibi_magics.config.types import Column, split
from odibi_magics.delta.misread import MISREAD
from odibi_magics.engines.base import Sink
from odibi_magics.errors import EngineError, KeysRefused, PartitionsRefused, suggest

_INTEGERS = ("tinyint", "smallint", "int", "bigint")
_DIGITS = {"tinyint": 3, "smallint": 5, "int": 10, "bigint": 19}

# Spark refuses these in the names of a plain Delta table, so that a table with them would be one only we can write.
_BAD_NAME = re.compile(r"[ ,;{}()\n\t=]")
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Table(Protocol):
    """A table that is there, as far as a write has to fit it."""

    @property
    def columns(self) -> tuple[Column, ...]: ...

    @property
    def partition_by(self) -> tuple[str, ...]: ...

    @property
    def not_null(self) -> tuple[str, ...]: ...


@dataclass(frozen=True)
class Layout:
    """What a table will be after a write.

    columns, partition_by, not_null: of the table. given: for each column that the frame has, the frame's spelling.
    added: whether the table's columns or types change.
    """

    columns: tuple[Column, ...]
    partition_by: tuple[str, ...]
    given: dict[str, str]
    not_null: tuple[str, ...] = ()
    added: bool = False

    @property
    def missing(self) -> tuple[str, ...]:
        """Columns of the table that the frame lacks."""
        return tuple(column.name for column in self.columns if column.name not in self.given)


def new_layout(columns: Sequence[Column], sink: Sink, partition_by: Sequence[str] | None = None) -> Layout:
    """Of a table made from the frame alone. Raises EngineError for names Delta cannot hold or that come twice."""
    by_name = _by_lower(columns)
    _check_keys(sink, by_name)
    for column in columns:
        _check_names(column)
    wanted = sink.partition_by if partition_by is None else partition_by
    partitions = tuple(_partition(name, by_name, columns) for name in wanted)
    if columns and len(partitions) == len(columns):
        raise PartitionsRefused("partition_by names every column; at least one must be left for the files")
    return Layout(tuple(columns), partitions, {column.name: column.name for column in columns}, added=True)


def layout(columns: Sequence[Column], sink: Sink, table: Table) -> Layout:
    """Of a table that is there. Raises EngineError where the frame does not fit it, with the remedy."""
    ours, theirs = _by_lower(columns), _by_lower(table.columns)
    _check_keys(sink, ours)
    if sink.overwrite_schema and sink.mode == "overwrite":
        if not sink.partition_by and (
            gone := [name for name in table.partition_by if name.lower() not in ours]
        ):
            raise EngineError(
                f"the table {sink.place.address} is partitioned by {', '.join(table.partition_by)}, and "
                f"{_named(gone)} did not come out of the node. Select it, or give another partition_by"
            )
        return new_layout(columns, sink, sink.partition_by or table.partition_by)
    _check_partitions(sink, table)
    new = [column for lower, column in ours.items() if lower not in theirs]
    if new and not sink.merge_schema:
        raise EngineError(_new_columns(new, sink))
    for column in new:
        _check_names(column)
    given = {column.name: ours[lower].name for lower, column in theirs.items() if lower in ours}
    found = Layout(
        (*table.columns, *new),
        table.partition_by,
        {**given, **{column.name: column.name for column in new}},
        table.not_null,
        bool(new),
    )
    _check_types(found, ours, sink)
    _check_missing(found, sink)
    return found


def _check_keys(sink: Sink, ours: Mapping[str, Column]) -> None:
    for key in sink.keys:
        if key.lower() not in ours:
            hint = suggest(key, [column.name for column in ours.values()])
            raise KeysRefused(f"keys: there is no column '{key}' ({hint})")


def _by_lower(columns: Sequence[Column]) -> dict[str, Column]:
    found: dict[str, Column] = {}
    for column in columns:
        if other := found.get(column.name.lower()):
            raise EngineError(
                f"the columns '{other.name}' and '{column.name}' have the same name: tables do not tell upper from "
                "lower case. Give one of them another name with AS"
            )
        found[column.name.lower()] = column
    return found


def _check_names(column: Column) -> None:
    _check_name(column.name)
    for field in _fields(column.type):
        if bad := _BAD_NAME.search(field):
            raise EngineError(
                f"a Delta table cannot have the field '{field}' in column '{column.name}': {bad[0]!r} is not allowed "
                f"in names. Make the struct anew: named_struct('{_plain(field)}', ...)"
            )


def _fields(type_: str) -> Iterator[str]:
    """The names of all fields in a type, however deep."""
    kind, _, inner = type_.partition("<")
    for part in split(inner[:-1]) if inner else ():
        name, _, of = part.partition(":") if kind == "struct" else ("", "", part)
        if kind == "struct":
            yield name
        yield from _fields(of)


def _plain(name: str) -> str:
    return re.sub(r"\W+", "_", name).strip("_") or "name"


def _check_name(name: str) -> None:
    if bad := _BAD_NAME.search(name):
        plain = _plain(name)
        raise EngineError(
            f"a Delta table cannot have a column '{name}': {bad[0]!r} is not allowed in names. "
            f"Rename it: SELECT {_in_ticks(name)} AS {plain if _PLAIN_NAME.fullmatch(plain) else _in_ticks(plain)}"
        )


def _in_ticks(name: str) -> str:
    """A name quoted for Spark SQL."""
    return "`" + name.replace("`", "``") + "`"


def _partition(name: str, by_name: dict[str, Column], columns: Sequence[Column]) -> str:
    column = by_name.get(name.lower())
    if column is None:
        hint = suggest(name, [column.name for column in columns])
        raise PartitionsRefused(f"partition_by: there is no column '{name}' ({hint})")
    # deltalake writes negative decimals wrongly into the log, and floating point has no one text.
    if column.type.startswith(("float", "double", "binary", "decimal")) or column.type.endswith(">"):
        raise PartitionsRefused(
            f"partition_by: a column of type {column.type} cannot name folders ('{column.name}'). "
            f"CAST it to string, int or date"
        )
    if bad := MISREAD.search(column.name) or re.search("/", column.name):
        raise PartitionsRefused(
            f"partition_by: {bad[0]!r} in the name of the column {column.name!r} cannot stand in a folder's name. "
            "Give it another name with AS"
        )
    return column.name


def _check_partitions(sink: Sink, table: Table) -> None:
    wanted, there = ([name.lower() for name in names] for names in (sink.partition_by, table.partition_by))
    if sink.partition_by and wanted != there:
        now = ", ".join(table.partition_by) or "nothing"
        raise PartitionsRefused(
            f"partition_by: the table {sink.place.address} is partitioned by {now}, not by "
            f"{', '.join(sink.partition_by)}. Leave partition_by out to keep that; mode: overwrite with "
            "overwrite_schema: true changes it"
        )


def _check_types(found: Layout, ours: dict[str, Column], sink: Sink) -> None:
    for column in found.columns:
        source = ours.get(column.name.lower())
        if source is not None and not fits(source.type, column.type):
            raise EngineError(
                f"column '{column.name}' is {source.type}, in the table {sink.place.address} it is {column.type}. "
                f"CAST({source.name} AS {column.type}), or change the table with mode: overwrite and "
                "overwrite_schema: true"
            )


def _check_missing(found: Layout, sink: Sink) -> None:
    missing = found.missing
    if sink.mode == "overwrite" and missing and not sink.merge_schema and not sink.replace_where:
        raise EngineError(
            f"{_named(missing)} of the table {sink.place.address} did not come out of the node. Select it, or write "
            "merge_schema: true to fill it with NULL, or overwrite_schema: true to drop it"
        )
    if required := [name for name in missing if name in found.not_null and sink.mode != "merge"]:
        raise EngineError(
            f"{_named(required)} of the table {sink.place.address} is NOT NULL and must come out of the node"
        )


def _named(names: Sequence[str]) -> str:
    noun = "column" if len(names) == 1 else "columns"
    return f"{noun} {', '.join(f'{name!r}' for name in names)}"


def _new_columns(new: Sequence[Column], sink: Sink) -> str:
    them = ", ".join(map(str, new))
    extra = " (or overwrite_schema: true to replace all columns)" if sink.mode == "overwrite" else ""
    return f"the table {sink.place.address} has no column {them}. merge_schema: true adds what is new{extra}"


def fits(source: str, target: str) -> bool:
    """Whether every value of one type is one of the other: the casts that lose nothing."""
    if source == target or {source, target} == {"timestamp", "timestamp_ntz"}:  # one type here, in UTC
        return True
    if source in _INTEGERS and target in _INTEGERS:
        return _INTEGERS.index(source) < _INTEGERS.index(target)
    if target == "double":
        return source in ("float", "tinyint", "smallint", "int")
    if target == "float":
        return source in ("tinyint", "smallint")
    if target.startswith("decimal"):
        whole, scale = _decimal(target)
        if source.startswith("decimal"):
            ours, our_scale = _decimal(source)
            return ours <= whole and our_scale <= scale
        return source in _DIGITS and _DIGITS[source] <= whole
    return False


def _decimal(type_: str) -> tuple[int, int]:
    """Digits before and behind the point."""
    precision, scale = map(int, type_[len("decimal(") : -1].split(","))
    return precision - scale, scale
