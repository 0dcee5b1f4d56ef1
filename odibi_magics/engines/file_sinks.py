"""What csv, parquet and json sinks can do and hold, in words: the same on every engine."""

from __future__ import annotations

from collections.abc import Sequence

from odibi_magics.config.types import Column
from odibi_magics.engines.base import Sink, Warned
from odibi_magics.errors import EngineError, TargetExists

MODES = ("overwrite", "append", "error", "ignore")

CSV_OPTIONS = {
    "header": "HEADER",
    "delimiter": "DELIMITER",
    "quote": "QUOTE",
    "escape": "ESCAPE",
    "null_value": "NULLSTR",
}
"""The options of `write:`, each with DuckDB's name."""


def check_sink(columns: Sequence[Column], sink: Sink) -> None:
    """Raises EngineError for what files cannot do or hold."""
    kind = sink.place.format
    if sink.mode not in MODES:
        raise EngineError(
            f"mode: {sink.mode} needs a Delta table; {kind} knows {', '.join(MODES)}. Use format: delta"
        )
    if sink.partition_by or sink.replace_where:
        key = "partition_by" if sink.partition_by else "replace_where"
        raise EngineError(f"{key} needs a Delta table; {kind} files have no partitions. Use format: delta")
    if unknown := [name for name in sink.options if kind != "csv" or name not in CSV_OPTIONS]:
        allowed = f"csv takes {', '.join(CSV_OPTIONS)}" if kind == "csv" else f"{kind} takes none"
        raise EngineError(f"unknown option {', '.join(unknown)}: {allowed}")
    for column in columns:
        if (kind == "csv" and column.type.endswith(">")) or (kind != "parquet" and column.type == "binary"):
            raise EngineError(
                f"{kind} cannot hold column '{column.name}' of type {column.type}: leave it out, CAST it to string, "
                "or write parquet or delta"
            )


def sink_warnings(sink: Sink) -> tuple[Warned, ...]:
    """What the sink alone tells, before any row is written."""
    if sink.place.format != "csv":
        return ()
    return (
        Warned(
            f"{sink.place.address} is csv: it keeps no types, no statistics and no versions to go back to",
            "use format: delta unless another program needs the csv",
            "csv-sink",
        ),
    )


def there_already(sink: Sink) -> TargetExists:
    """Of `mode: error`."""
    return TargetExists(
        f"mode: error: {sink.place.address} is there already. Use another mode, or another path"
    )


def refuse_table(sink: Sink) -> EngineError:
    """Of a Delta table in the way."""
    return EngineError(f"{sink.place.address} is a Delta table: write to another path, or use format: delta")


def refuse_file(sink: Sink) -> EngineError:
    """Of `mode: append` to what is no folder."""
    return EngineError(
        f"mode: append adds a part to a folder, and {sink.place.address} is one file. Write to a folder, or use mode: "
        "overwrite"
    )
