"""Frames handed to Python functions, and what they give back taken in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Protocol

from odibi_magics.config.types import Column
from odibi_magics.engines.base import Frame
from odibi_magics.engines.pandas.types import arrow_type, from_arrow
from odibi_magics.errors import EngineError
from odibi_magics.quoting import Data, Quoting

if TYPE_CHECKING:
    import pyarrow as pa


class Given(Frame, Protocol):
    """A frame that functions take."""

    def reader(self) -> pa.RecordBatchReader: ...


# Out ------------------------------------------------------------------------------------------------------------------


def give(frame: Given, kind: str) -> Any:
    """The rows as the kind a function's annotation names. Raises as `check_kind`."""
    check_kind(kind)
    return _GIVE[kind](frame)


def check_kind(kind: str) -> None:
    """Raises EngineError for frames that this engine lacks, or whose library is not installed."""
    if kind not in _GIVE:
        raise EngineError(
            f"the pandas engine has no {kind} frames; annotate with {', '.join(sorted(_NAMES))}"
        )
    library = kind.partition("_")[0]
    if library in _LIBRARIES and find_spec(library) is None:
        raise EngineError(
            f"{library} frames need {library}, which is not installed: pip install {library}, or take pyarrow.Table, "
            "which a function's annotation names and .to_arrow() gives"
        )


def to_pandas(table: pa.Table) -> Any:
    """As a pandas.DataFrame. Integers and booleans with NULLs stay what they are (Int64, boolean): as floats they
    would lose digits above 2**53."""
    check_kind("pandas")
    import pandas as pd
    import pyarrow as pa

    exact = {
        pa.int8(): pd.Int8Dtype(), pa.int16(): pd.Int16Dtype(), pa.int32(): pd.Int32Dtype(),
        pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype(),
    }  # fmt: skip
    frame = table.to_pandas()
    for i, column in enumerate(table.columns):
        if column.null_count and column.type in exact:
            frame.isetitem(i, column.to_pandas(types_mapper=exact.get))
    return frame


def polars() -> Any:
    """The library. Raises EngineError where it is not installed."""
    check_kind("polars")
    import polars as found

    return found


_GIVE: Mapping[str, Callable[[Any], Any]] = {
    "pandas": lambda frame: frame.to_pandas(),
    "polars": lambda frame: frame.to_polars(),
    "polars_lazy": lambda frame: frame.to_polars().lazy(),
    "arrow": lambda frame: frame.to_arrow(),
    "reader": lambda frame: frame.reader(),
}
# Installed by people who use them, not by us.
_LIBRARIES = ("pandas", "polars")
_NAMES = (
    "pandas.DataFrame",
    "polars.DataFrame",
    "polars.LazyFrame",
    "pyarrow.Table",
    "pyarrow.RecordBatchReader",
)


# Back -----------------------------------------------------------------------------------------------------------------


def take(
    result: Any, function: str, returns: Sequence[Column] | None
) -> tuple[tuple[Column, ...], pa.RecordBatchReader]:
    """What a function returned, as columns and a stream of batches of their types, one batch at a time.

    returns: the columns the text declares; those that come must be these, and fit their types without loss.
    Raises EngineError naming the function and what is wrong.
    """
    import pyarrow as pa

    reader = _stream(result, function)
    _check_names(reader.schema.names, function)
    if returns is None:
        columns = tuple(Column(field.name, _type(field, function)) for field in reader.schema)
    else:
        columns = _declared(reader.schema, returns, function)
    schema = pa.schema([pa.field(column.name, arrow_type(column.type)) for column in columns])
    return columns, pa.RecordBatchReader.from_batches(schema, _batches(reader, schema, function))


def _stream(result: Any, function: str) -> pa.RecordBatchReader:
    import pyarrow as pa

    root = type(result).__module__.partition(".")[0]
    if root == "pandas" and type(result).__name__ == "DataFrame":
        return _from_pandas(result, function).to_reader()
    if root == "polars" and type(result).__name__ == "LazyFrame":
        result = result.collect()
    if isinstance(
        result, pa.RecordBatchReader
    ):  # as it is: through a C stream its exceptions would become text
        return result
    if isinstance(result, pa.RecordBatch):
        result = pa.Table.from_batches([result])
    if not hasattr(result, "__arrow_c_stream__") or type(result).__name__ == "Series":
        said = "nothing (None): is a return missing?" if result is None else f"a {type(result).__name__}"
        raise EngineError(f"{function}() returned {said}; expected a frame: {', '.join(_NAMES)}")
    return pa.RecordBatchReader.from_stream(result)


def _from_pandas(frame: Any, function: str) -> pa.Table:
    import pyarrow as pa

    if named := [str(name) for name in frame.index.names if name is not None]:
        raise EngineError(
            f"{function}() returned a pandas frame with the index {', '.join(named)}, which no table holds: "
            "return frame.reset_index(), or reset_index(drop=True) to drop it"
        )
    for name in frame.columns:
        if not isinstance(name, str):
            raise EngineError(
                f"{function}() returned a column named {name!r}; columns of tables have text as names"
            )
    _check_names(list(frame.columns), function)
    try:
        return pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        said = Data(" ".join(map(str, error.args)))
        head = f"{function}() returned a column of mixed or foreign values: "
        raise EngineError(Quoting(head, said)) from None


def _check_names(names: Sequence[str], function: str) -> None:
    lowered = [name.lower() for name in names]
    for name in names:
        if lowered.count(name.lower()) > 1:
            raise EngineError(
                f"{function}() returned the column '{name}' twice; names differ by more than their case"
            )
    if not names:
        raise EngineError(f"{function}() returned a frame without columns")


def _type(field: pa.Field, function: str) -> str:
    try:
        return from_arrow(field.type)
    except ValueError as error:
        raise EngineError(f"{function}() returned the column '{field.name}': {error}") from None


def _declared(schema: pa.Schema, returns: Sequence[Column], function: str) -> tuple[Column, ...]:
    names, wanted = set(schema.names), {column.name for column in returns}
    if names != wanted:
        told = [f"lacks {', '.join(sorted(wanted - names))}"] * bool(wanted - names)
        told += [f"has also {', '.join(sorted(names - wanted))}"] * bool(names - wanted)
        raise EngineError(
            f"{function}() returned a frame that {' and '.join(told)}, other than its returns: says"
        )
    for column in returns:
        _check_family(schema.field(column.name), column, function)
    return tuple(returns)


def _check_family(field: pa.Field, column: Column, function: str) -> None:
    import pyarrow as pa

    if pa.types.is_null(field.type):
        return
    found = _type(field, function)
    if found != column.type and (_family(found) != _family(column.type) or _family(found) is None):
        raise EngineError(
            f"{function}() returned '{field.name}' as {found}, but its returns: says {column.type}"
        )


def _family(type_: str) -> str | None:
    """Types among which a cast keeps values or fails."""
    if type_ in ("tinyint", "smallint", "int", "bigint", "float", "double") or type_.startswith("decimal"):
        return "number"
    if type_ in ("date", "timestamp", "timestamp_ntz"):
        return "time"
    return "nested" if type_.startswith(("array", "map", "struct")) else None


def _batches(reader: pa.RecordBatchReader, schema: pa.Schema, function: str) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    for batch in reader:
        columns = [_cast(batch.column(field.name), field, function) for field in schema]
        yield pa.RecordBatch.from_arrays(columns, schema=schema)


def _cast(column: pa.Array, field: pa.Field, function: str) -> pa.Array:
    """Safe: a value that would change is an error. A time without a zone is taken for UTC."""
    import pyarrow as pa

    try:
        if pa.types.is_dictionary(column.type):
            column = column.dictionary_decode()
        if column.type == field.type:
            return column
        if pa.types.is_timestamp(column.type) and pa.types.is_timestamp(field.type):
            column = column.cast(pa.timestamp(field.type.unit, column.type.tz))
        return column.cast(field.type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        head = f"{function}() returned '{field.name}' with a value that does not fit {field.type}: "
        raise EngineError(Quoting(head, Data(str(error).splitlines()[0]))) from None
