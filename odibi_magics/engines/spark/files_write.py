"""Writes to csv, parquet and json: a folder of parts, as Spark makes them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

from odibi_magics.config.types import Column
from odibi_magics.connections.local import LocalConnection
from odibi_magics.engines.base import Check, Sink, Source, Written
from odibi_magics.engines.file_sinks import (
    check_sink,
    refuse_file,
    refuse_table,
    sink_warnings,
    there_already,
)
from odibi_magics.engines.pandas.files import Files, parts
from odibi_magics.engines.pandas.read_parquet import differs
from odibi_magics.engines.pandas.storage import open_store
from odibi_magics.engines.pandas.trees import File, tree_of
from odibi_magics.engines.spark.frame import SparkFrame
from odibi_magics.engines.spark.names import literal, quoted
from odibi_magics.engines.spark.reading import Samples
from odibi_magics.engines.spark.session_files import seen_by_spark
from odibi_magics.engines.spark.work import Work
from odibi_magics.engines.spark.write import Watched
from odibi_magics.errors import EngineError, OdibiError

# ISO 8601 in UTC, which readers of both engines take for the instant it is.
_TIME = "yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'"


def write_files(frame: SparkFrame, sink: Sink, samples: Samples, *, checks: Sequence[Check]) -> Written:
    """Writes a frame as the parts of a folder; what stood there is replaced when all of them are made.

    samples: tells the columns of the parts that are there. Raises ChecksFailed, EngineError, ConnectionFailed,
    Cancelled; then what stood there still does.
    """
    check_sink(frame.columns, sink)
    work = frame.work
    if skipped := _there_already(work, sink):
        return Written(sink.place, skipped=skipped)
    before = _files(work, sink)
    if before and sink.mode == "overwrite" and sink.place.connection.only_spark:
        raise EngineError(
            f"{sink.place.address} holds files already, and only Spark can open it, which deletes them before it has "
            "written the new ones: write a Delta table, append, or name another path"
        )
    if sink.mode == "append" and before and sink.place.format != "json":
        _check_part(
            frame,
            sink,
            samples.columns(Source(sink.place, options=sink.options), Files(sink.place.url, before)),
        )
    with frame.reading() as spark:
        watched = Watched.of(frame, checks, (), aggregate=False)
        try:
            _put(lambda url: _save(watched.guarded(spark), frame.columns, sink, url), sink, before)
        except OdibiError:
            raise
        except Exception as error:
            raise watched.failed(error) from None
        old = {file.path for file in before} if sink.mode == "append" else set()
        made = [file for file in _files(work, sink) if file.path not in old]
        return Written(
            sink.place,
            rows=watched.rows,
            files=len(made),
            bytes=sum(file.bytes for file in made),
            checks=watched.results(spark),
            warnings=sink_warnings(sink),
        )


def _there_already(work: Work, sink: Sink) -> str:
    """Why to skip the write, or "". Raises EngineError where the place does not fit the mode."""
    tree, url = tree_of(seen_by_spark(work, sink.place).connection), sink.place.url
    found = tree.at(url)
    file = found is not None and not found.is_folder
    if found is not None and not file and tree.at(f"{url}/_delta_log"):
        raise refuse_table(sink)
    there = file or bool(tree.entries(url))
    if sink.mode == "ignore" and there:
        return "exists already"
    if sink.mode == "error" and there:
        raise there_already(sink)
    if sink.mode == "append" and file:
        raise refuse_file(sink)
    if file and not isinstance(sink.place.connection, LocalConnection):
        raise EngineError(
            f"{sink.place.address} is one file, and Spark writes folders: delete it, or name another path"
        )
    return ""


def _check_part(frame: SparkFrame, sink: Sink, there: Sequence[Column]) -> None:
    """Parts are read together: one that does not go with those there is refused before it stands among them."""
    typed = sink.place.format == "parquet"
    ours, theirs = (
        {c.name if typed else c.name.lower(): c.type if typed else "" for c in columns}
        for columns in (frame.columns, there)
    )
    if ours != theirs:
        why = differs("the new part", ours, theirs)
        raise EngineError(f"{sink.place.address} could not be read with one more part: {why}")


def _files(work: Work, sink: Sink) -> tuple[File, ...]:
    place = seen_by_spark(work, sink.place)
    found = tree_of(place.connection).at(place.url)
    return parts(place).files if found is not None and found.is_folder else ()


# Parts ----------------------------------------------------------------------------------------------------------------


def _put(save: Callable[[str], None], sink: Sink, before: Sequence[File]) -> None:
    """Has the parts made and shows them: of this machine all at once, of a storage account before the old ones go."""
    url = sink.place.url
    if not isinstance(sink.place.connection, LocalConnection):
        save(url)
        if before and sink.mode == "overwrite":
            store = open_store(sink.place)
            for file in before:
                store.delete(file.path)
        return
    target = Path(url)
    beside = target.with_name(f".{target.name}.{uuid4().hex}")
    try:
        save(str(beside))
        _show(beside, target, keep=sink.mode == "append")
    except OSError as error:
        raise EngineError(f"cannot write {target}: {error.strerror or error}") from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _show(made: Path, target: Path, *, keep: bool) -> None:
    if keep and target.is_dir():
        for part in made.iterdir():
            if not part.name.startswith(("_", ".")):
                part.rename(target / part.name)
        return
    old = target.with_name(f"{made.name}.old")
    if target.exists():
        target.rename(old)
    made.rename(target)
    if old.is_dir():
        shutil.rmtree(old, ignore_errors=True)
    else:
        old.unlink(missing_ok=True)


def _save(frame: Any, columns: Sequence[Column], sink: Sink, url: str) -> None:
    """New parts into a folder."""
    kind = sink.place.format
    items = [quoted(column.name) if kind == "parquet" else _as_text(column, kind) for column in columns]
    writer = frame.selectExpr(*items).write.format(kind).mode("append").options(**_options(sink))
    writer.save(url)


def _as_text(column: Column, kind: str) -> str:
    name = quoted(column.name)
    if kind == "csv" and column.type.startswith("decimal"):  # whose writer has 0E-10 for a zero of ten places
        return f"CAST({name} AS string) AS {name}"
    return f"date_format({name}, {literal(_TIME)}) AS {name}" if column.type == "timestamp" else name


def _options(sink: Sink) -> dict[str, Any]:
    if sink.place.format == "parquet":
        return {}
    if sink.place.format == "json":
        return {"ignoreNullFields": "false"}
    given = {"header": True, "quote": '"', **{k: v for k, v in sink.options.items() if v is not None}}
    return {
        "header": given["header"],
        "sep": str(given.get("delimiter", ",")).replace("\\t", "\t"),
        "quote": given["quote"],
        "escape": given.get("escape", given["quote"]),
        "nullValue": given.get("null_value", ""),
        "emptyValue": f"{given['quote']}{given['quote']}",
        "ignoreLeadingWhiteSpace": "false",
        "ignoreTrailingWhiteSpace": "false",
    }
