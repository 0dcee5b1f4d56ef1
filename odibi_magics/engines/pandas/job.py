"""One write to a Delta table under way: what it stages, and what it asks of rows staged and there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from odibi_magics.config.types import Column
from odibi_magics.engines.align import Layout
from odibi_magics.engines.base import Progress, Sink
from odibi_magics.engines.checks import Flag
from odibi_magics.engines.pandas.checks import Rows, Watcher, flag_fields, flag_items
from odibi_magics.engines.pandas.datafiles import NULL_FOLDER, NUMBER, DataFile, FileRows
from odibi_magics.engines.pandas.footers import are_alike
from odibi_magics.engines.pandas.frame import DuckFrame
from odibi_magics.engines.pandas.names import quoted
from odibi_magics.engines.pandas.read_parquet import FILE_NAME, from_files
from odibi_magics.engines.pandas.session import Opener, Session
from odibi_magics.engines.pandas.snapshot import Snapshot
from odibi_magics.engines.pandas.stage import Staging
from odibi_magics.engines.pandas.types import arrow_type, duckdb_type

SOURCE, TARGET = '"odibi source"', '"odibi target"'
"""The staged rows and the table's, as the SQL of the modes names them."""

_KEPT_AS_TEXT = ("boolean", "date", "timestamp", "timestamp_ntz", "decimal")


@dataclass
class Job:
    """A write of one frame to one table.

    layout: of the table as it will be. staged: the frame's rows as files, `rows` of them; columns of the table that
    the frame lacks are in them as NULL, but for `merge`, where they are not in them at all.
    """

    session: Session
    sink: Sink
    staging: Staging
    layout: Layout
    progress: Progress
    cancelled: Callable[[], bool]
    staged: tuple[DataFile, ...] = ()
    rows: int = 0
    _alike: set[str] = field(default_factory=set)

    @property
    def source_columns(self) -> tuple[Column, ...]:
        """The columns of the staged rows."""
        missing = self.layout.missing if self.sink.mode == "merge" else ()
        return tuple(column for column in self.layout.columns if column.name not in missing)

    @property
    def source_partitions(self) -> tuple[str, ...]:
        """How the staged rows lie: as in the table, if they have all of its partition columns."""
        names = {column.name for column in self.source_columns}
        return self.layout.partition_by if names.issuperset(self.layout.partition_by) else ()

    @property
    def keys(self) -> tuple[str, ...]:
        """The sink's keys in the table's spelling."""
        spelled = {column.name.lower(): column.name for column in self.layout.columns}
        return tuple(spelled[key.lower()] for key in self.sink.keys)

    def stage_frame(self, frame: DuckFrame, watcher: Watcher) -> None:
        """Writes the frame's rows once; no mode evaluates them again."""
        items = [self._from_frame(column) for column in self.source_columns]
        sql = f"SELECT {', '.join([*items, *flag_items(watcher.flags)])} FROM (\n{frame.sql}\n)"
        fields = self._fields(self.source_columns, self.source_partitions)
        reader = self.session.reader(sql, frame.tables, pa.schema([*fields, *flag_fields(watcher.flags)]))
        self.staged = self.staging.write(reader, self.source_partitions, watcher)
        self.rows = watcher.rows

    def stage(self, items: Sequence[str], body: str, tables: Mapping[str, Opener]) -> tuple[DataFile, ...]:
        """Writes rows made from the staged ones and the table's. items: an expression for each column of the layout."""
        columns = self.layout.columns
        inner = f"SELECT {', '.join(f'{i} AS {quoted(c.name)}' for i, c in zip(items, columns, strict=True))} {body}"
        outer = ", ".join(self._as_stored(c, quoted(c.name), self.layout.partition_by) for c in columns)
        bad = table_flags(self.layout, {column.name: column.name for column in columns})
        sql = f"SELECT {', '.join([outer, *flag_items(bad)])} FROM ({inner})"
        schema = pa.schema([*self._fields(columns, self.layout.partition_by), *flag_fields(bad)])
        watcher = Watcher(bad, lambda rows: None, self.cancelled)
        return self.staging.write(self.session.reader(sql, tables, schema), self.layout.partition_by, watcher)

    def source(self, names: Iterable[str]) -> dict[str, Opener]:
        """The staged rows as a table for DuckDB."""
        rows = FileRows(self.staging.store, self.staged, self.source_columns, self.source_partitions)
        return {SOURCE.strip('"'): self._opener(rows, names)}

    def target(self, files: Sequence[DataFile], names: Iterable[str]) -> dict[str, Opener]:
        """Rows of the table's files as a table for DuckDB."""
        rows = FileRows(self.staging.store, files, self.layout.columns, self.layout.partition_by)
        return {TARGET.strip('"'): self._opener(rows, names)}

    def _opener(self, rows: FileRows, names: Iterable[str]) -> Opener:
        """Through DuckDB's own reader where it reads the files as Arrow does: a merge takes half of the CPU and of
        the memory, because DuckDB then knows which side of a join is the smaller one."""
        store, paths = rows.store, [rows.store.at(file.path) for file in rows.files]
        if store.options or not paths or any(file.partition for file in rows.files):
            return rows.opener(names)
        if not self._alike.issuperset(paths):
            if not are_alike(self.session, rows.columns, paths):
                return rows.opener(names)
            self._alike.update(paths)
        wanted = {name.lower() for name in names}
        columns = [column for column in rows.columns if column.name.lower() in wanted]
        number = {NUMBER: f"{FILE_NAME} AS {quoted(NUMBER)}"}
        sql = from_files([*columns, Column(NUMBER, "string")], paths, number, alike=True)
        return lambda: sql

    def source_rows(self) -> Rows:
        return Rows(self.session, SOURCE, self.source)

    def numbers(self, sql: str, files: Sequence[DataFile], tables: Mapping[str, Opener]) -> dict[int, int]:
        """A query's two columns, NUMBER and counts, by the place of the file among these."""
        at = {self.staging.store.at(file.path): i for i, file in enumerate(files)}
        return {at.get(number, number): int(count) for number, count in self.session.run(sql, tables)}

    def _from_frame(self, column: Column) -> str:
        name = self.layout.given.get(column.name)
        value = "NULL" if name is None else quoted(name)
        return self._as_stored(column, f"CAST({value} AS {duckdb_type(column.type)})", self.source_partitions)

    def _as_stored(self, column: Column, value: str, partition_by: Sequence[str]) -> str:
        return f"{_partition_value(column, value) if column.name in partition_by else value} AS {quoted(column.name)}"

    def _fields(self, columns: Iterable[Column], partition_by: Sequence[str]) -> list[pa.Field]:
        return [pa.field(c.name, _stored_type(c, partition_by)) for c in columns]


def _stored_type(column: Column, partition_by: Sequence[str]) -> pa.DataType:
    as_text = column.name in partition_by and column.type.startswith(_KEPT_AS_TEXT)
    return pa.string() if as_text else arrow_type(column.type)


def _partition_value(column: Column, value: str) -> str:
    """A partition column as the log writes it, `partition_text` in SQL: Arrow would write times in its own way."""
    if column.type == "timestamp":
        return f"strftime({value}, '%Y-%m-%dT%H:%M:%S.%fZ')"
    if column.type == "timestamp_ntz":
        return f"strftime({value}, '%Y-%m-%d %H:%M:%S.%f')"
    return f"CAST({value} AS VARCHAR)" if column.type.startswith(_KEPT_AS_TEXT) else value


def table_flags(layout: Layout, names: Mapping[str, str]) -> list[Flag]:
    """What a table asks of each row. names: its columns, those that the rows have, as the rows spell them."""
    required = [names[name] for name in layout.not_null if name in names]
    folders = [c.name for c in layout.columns if c.name in layout.partition_by and c.type == "string"]
    return [
        *(Flag(f"NOT NULL {name}", f"{quoted(name)} IS NULL", columns=(name,)) for name in required),
        *(_folder_flag(names[name]) for name in folders if name in names),
    ]


def _folder_flag(name: str) -> Flag:
    """Texts that no partition can hold: the protocol takes "" for NULL, folders' names the second, files' names NUL."""
    column = quoted(name)
    return Flag(
        f"partition_by {name}",
        f"{column} IN ('', '{NULL_FOLDER}') OR contains({column}, chr(0))",
        columns=(name,),
        remedy=f"Readers would take it for NULL or for another text: write nullif({name}, ''), or some word for it",
    )


def every_row(table: Snapshot, job: Job, files: Sequence[DataFile], where: str = "") -> tuple[DataFile, ...]:
    """Files written anew with the layout's columns; only rows for which `where` holds."""
    if not files:
        return ()
    names = [column.name for column in job.layout.columns]
    return job.stage([quoted(name) for name in names], f"FROM {TARGET} {where}", job.target(files, names))
