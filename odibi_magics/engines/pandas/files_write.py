"""Writes to csv, parquet and json files: one file, whole or not at all; `append` adds one to a folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow.parquet as pq
from pyarrow import fs

from odibi_magics.engines.align import Layout
from odibi_magics.engines.base import Check, Progress, Sink, Source, Written
from odibi_magics.engines.checks import settle
from odibi_magics.engines.file_sinks import (
    CSV_OPTIONS,
    check_sink,
    refuse_file,
    refuse_table,
    sink_warnings,
    there_already,
)
from odibi_magics.engines.pandas.checks import Watcher, flags, table_checks
from odibi_magics.engines.pandas.files import parts
from odibi_magics.engines.pandas.frame import DuckFrame
from odibi_magics.engines.pandas.job import SOURCE, Job
from odibi_magics.engines.pandas.names import literal, quoted
from odibi_magics.engines.pandas.reading import Told, describe_files
from odibi_magics.engines.pandas.session import Session
from odibi_magics.engines.pandas.stage import Staging
from odibi_magics.engines.pandas.storage import Store, open_store
from odibi_magics.errors import EngineError

# ISO 8601 in UTC, which readers of both engines take for the instant it is.
_TIME = "%Y-%m-%dT%H:%M:%S.%fZ"


def write_file(
    session: Session,
    frame: DuckFrame,
    sink: Sink,
    *,
    checks: Sequence[Check],
    progress: Progress,
    cancelled: Callable[[], bool],
) -> Written:
    """Writes a frame as one file. It is made in the session's folder, put beside its place, then renamed.

    Raises ChecksFailed, EngineError, ConnectionFailed, Cancelled; then what stood there still does.
    """
    check_sink(frame.columns, sink)
    store = open_store(sink.place)
    if skipped := _there_already(store, sink):
        return Written(sink.place, skipped=skipped)
    private = Store(str(session.folder), str(session.folder), fs.LocalFileSystem())
    layout = Layout(frame.columns, (), {column.name: column.name for column in frame.columns})
    with Staging(private, 0, file_bytes=0) as staging:
        job = Job(session, sink, staging, layout, progress, cancelled)
        watcher = Watcher(flags(checks, frame.columns), progress, cancelled)
        job.stage_frame(frame, watcher)
        results = settle([*watcher.results(), *table_checks(checks, job.rows, job.source_rows())])
        made = _made(job, frame, sink)
        if sink.mode == "append":
            _check_part(session, frame, sink, made)
        size = store.put(made, _target(store, sink))
    return Written(sink.place, job.rows, 1, size, checks=results, warnings=sink_warnings(sink))


def _there_already(store: Store, sink: Sink) -> str:
    """Why to skip the write, or "". Raises EngineError where the place does not fit the mode."""
    folder, file = store.is_folder(), store.is_file()
    here = sink.place.address
    if folder and store.is_table():
        raise refuse_table(sink)
    there = file or (folder and bool(store.top()))
    if sink.mode == "ignore" and there:
        return "exists already"
    if sink.mode == "error" and there:
        raise there_already(sink)
    if sink.mode == "append" and file:
        raise refuse_file(sink)
    if sink.mode == "append" and folder:
        parts(sink.place)
    if sink.mode == "overwrite" and folder:
        raise EngineError(
            f"mode: overwrite writes one file, and {here} is a folder. Write to a file's path, or delete it"
        )
    return ""


def _check_part(session: Session, frame: DuckFrame, sink: Sink, made: Path) -> None:
    """Parts are read together: one that does not go with those there is refused before it stands among them."""
    schema = None if sink.place.format == "parquet" else frame.columns
    source = Source(sink.place, options=sink.options, schema=schema)
    try:
        describe_files(session, source, parts(sink.place, made), Told())
    except EngineError as error:
        why = str(error).replace(str(made), "the new part")
        raise EngineError(f"{sink.place.address} could not be read with one more part: {why}") from None


def _target(store: Store, sink: Sink) -> str:
    return store.at(f"part-{uuid4().hex}.{sink.place.format}") if sink.mode == "append" else store.root


def _made(job: Job, frame: DuckFrame, sink: Sink) -> Path:
    """The file, in the session's folder."""
    made = Path(job.session.folder) / f"out-{job.staging.token}"
    if sink.place.format == "parquet":
        if not job.staged:
            pq.write_table(frame.schema.empty_table(), made)
            return made
        return Path(job.staging.store.at(job.staged[0].path))
    items = ", ".join(_as_text(column.name, column.type) for column in frame.columns)
    options = _csv_options(sink.options) if sink.place.format == "csv" else ["FORMAT json"]
    if sink.mode != "append" and sink.place.path.lower().endswith(".gz"):  # parts are named without it
        options.append("COMPRESSION gzip")
    sql = f"COPY (SELECT {items} FROM {SOURCE}) TO {literal(str(made))} ({', '.join(options)})"
    with job.session.cursor(job.source([column.name for column in frame.columns])) as cursor:
        cursor.execute(sql)
    return made


def _as_text(name: str, type_: str) -> str:
    column = quoted(name)
    return f"strftime({column}, {literal(_TIME)}) AS {column}" if type_ == "timestamp" else column


def _csv_options(options: Mapping[str, Any]) -> list[str]:
    given = {"header": True, **options}
    if given.get("quote"):  # else quotes would stand behind the usual one
        given.setdefault("escape", given["quote"])
    return [
        "FORMAT csv",
        *(f"{CSV_OPTIONS[name]} {literal(value)}" for name, value in given.items() if value is not None),
    ]
