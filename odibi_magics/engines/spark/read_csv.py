"""csv: types by the one rule of all engines, read as text by Spark, then every value must fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

from odibi_magics.config.types import Column
from odibi_magics.engines.base import Source
from odibi_magics.engines.pandas.csv_text import Dialect, bare_lines, long_record
from odibi_magics.engines.pandas.files import Files
from odibi_magics.engines.pandas.read_csv import Explainer, Group, formats_of, grouped
from odibi_magics.engines.pandas.session import Session
from odibi_magics.engines.pandas.trees import File
from odibi_magics.engines.spark.failures import scanned
from odibi_magics.engines.spark.names import as_named, literal, quoted
from odibi_magics.engines.spark.strict import TOLD, Formats, checked, reworded
from odibi_magics.engines.spark.types import schema_of
from odibi_magics.engines.spark.work import Work

# Files up to this size together are looked through for what keeps Spark from splitting them; of others, each up to this
# size is read in one piece.
_SMALL = 64 << 20
# What a text gets that is written otherwise than its column's values, so that no cast takes it.
_REWORDED = " otherwise"
# Below this Spark makes one task of a file anyway.
_ONE_TASK = 4 << 20


def scan_csv(work: Work, sniffer: Session, source: Source, files: Files, columns: Sequence[Column]) -> Any:
    """The rows of the files, with columns as they were described. sniffer: explains what does not fit."""
    dialect = Dialect.of(source.options, source.place.path)
    groups = [group for group in grouped(source, files, dialect) if group.files.paths]
    frames = [_frame(work, sniffer, source, dialect, group, columns) for group in groups]
    if not frames:
        return work.spark.createDataFrame([], schema_of(columns))
    return reduce(lambda one, other: one.unionAll(other), frames)


def _frame(
    work: Work, sniffer: Session, source: Source, dialect: Dialect, group: Group, columns: Sequence[Column]
) -> Any:
    explainer = _Explained(sniffer, dialect, group, columns, source.schema is None)
    number = work.failures.add(group.files.paths, explainer)
    date, timestamp = (str(source.options.get(key) or "") for key in ("date_format", "timestamp_format"))
    formats = Formats(date, timestamp, inferred=source.schema is None)
    formats_of(source.options)  # a pattern that none of the engines knows is an error
    whole = _in_one_piece(group.files.files, dialect, source.place.connection.only_spark)
    reader = work.spark.read.options(**_options(dialect, whole, group.skip))
    places = {column.name: i for i, column in enumerate(columns)}
    schema = schema_of([Column(scanned(number, places[name]), "string") for name in group.names])
    paths = group.files.paths
    # Beside each of many files' rows Spark puts the name: a copy of the row, which one file alone is spared.
    path = literal(paths[0]) if len(paths) == 1 else "_metadata.file_path"
    value = checked if work.connect else _cast
    items = [
        f"{value(column.type, quoted(scanned(number, i)), formats, number, i, path)} AS {quoted(column.name)}"
        for i, column in enumerate(columns)
    ]
    return reader.schema(schema).csv(list(map(as_named, paths))).selectExpr(*items)


def _cast(type_: str, text: str, formats: Formats, number: int, column: int, path: str) -> str:
    """SQL as of `checked`. Spark's own cast, whose error quotes the field's name, is a third of the code for Java.

    It errs by the settings that it was analyzed under: ours, but through Connect those of whoever reads the frame.
    """
    if type_ in ("tinyint", "smallint", "int", "bigint", "boolean"):
        kept = (
            f"IF({reworded(type_, text)}, concat({text}, '{_REWORDED}'), {text})"
            if formats.inferred
            else text
        )
        return f"CAST({kept} AS {type_})"
    return checked(type_, text, formats, number, column, path)


def _in_one_piece(files: Sequence[File], dialect: Dialect, only_spark: bool) -> bool:
    """Whether a task is to read whole files: where a record may go over several lines."""
    if dialect.encoding != "utf-8":
        return True
    sizes = [file.bytes for file in files]
    if sum(sizes) <= _SMALL:
        zipped = any(file.path.lower().endswith(".gz") for file in files)
        return (
            zipped
            or only_spark
            or max(sizes) <= _ONE_TASK
            or not all(bare_lines(file, dialect) for file in files)
        )
    return any(size <= _SMALL or long_record(file, dialect) for size, file in zip(sizes, files, strict=True))


def _options(dialect: Dialect, whole: bool, skip: int) -> dict[str, Any]:
    return {
        "header": dialect.header,
        "sep": dialect.delimiter,
        "quote": dialect.quote,
        "escape": dialect.escape or dialect.quote,
        "encoding": {"latin-1": "ISO-8859-1"}.get(dialect.encoding, dialect.encoding),
        "mode": "FAILFAST",
        "columnPruning": "false",  # with it, records of too few fields are taken
        "enforceSchema": "true",
        # Both NULL, in quotes too: Spark takes for NULL what is this text, and an empty field is made that text before.
        "nullValue": dialect.null_value,
        "emptyValue": dialect.null_value,
        "multiLine": whole,
        "maxCharsPerColumn": "-1",
    }


@dataclass(frozen=True)
class _Explained:
    """Finds the line of a file where it does not fit, as the other engine does."""

    sniffer: Session
    dialect: Dialect
    group: Group
    columns: Sequence[Column]
    inferred: bool

    def value(self, column: int, text: str, path: str) -> str:
        return self._of(path).value(column, text.removesuffix(_REWORDED)[:TOLD])

    def broken(self, path: str, message: str) -> str:
        return self._of(path).broken(path, message)

    def _of(self, path: str) -> Explainer:
        files = self.group.files
        own = tuple(file for file in files.files if file.path == path) or files.files
        group = Group(self.group.names, Files(files.url, own), self.group.skip)
        return Explainer(self.sniffer, self.dialect, group, self.columns, self.inferred)
