"""Sources into frames: opened by their format, then filtered, cut to what is newer, and to the columns asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from odibi_magics.config.types import Column
from odibi_magics.engines.base import Place, Source
from odibi_magics.engines.pandas.files import Files, find_files, holds_files
from odibi_magics.engines.pandas.reading import Told, describe_files
from odibi_magics.engines.pandas.session import Session
from odibi_magics.engines.source_columns import check_comparable, check_highest, chosen, column_of, lag_of
from odibi_magics.engines.spark import nan
from odibi_magics.engines.spark.frame import SparkFrame
from odibi_magics.engines.spark.names import literal, quoted
from odibi_magics.engines.spark.session_files import seen_by_spark
from odibi_magics.engines.spark.tables import newest, pin, pinned, utc_columns
from odibi_magics.engines.spark.types import in_sql
from odibi_magics.engines.spark.work import Work
from odibi_magics.errors import EngineError

Columns = tuple[Column, ...]


@dataclass(frozen=True)
class Samples:
    """What tells the columns of files: samples and footers, by the sniffer that all engines share.

    sniffer: a DuckDB that may look into a place's files. told: keeps columns for as long as the files are the same.
    """

    sniffer: Callable[[Place], Session]
    told: Told

    def columns(self, source: Source, files: Files) -> Columns:
        """The columns of these files together. Raises EngineError, ConnectionFailed."""
        return describe_files(self.sniffer(source.place), source, files, self.told)


def files_at(work: Work, place: Place) -> Files:
    """The files of a place as they stand now, listed by Spark where only that can. Raises as `find_files`."""
    work.open_account(place)
    return find_files(seen_by_spark(work, place))


def describe(work: Work, source: Source, samples: Samples) -> Columns:
    """The columns of a source, whole, from samples, footers and logs alone. Raises EngineError, ConnectionFailed."""
    if source.place.format != "delta":
        return samples.columns(source, files_at(work, source.place))
    work.open_account(source.place)
    with work.running():
        return utc_columns(work, source.place, pinned(work, source))[1]


def pins(work: Work, source: Source) -> dict[str, Any]:
    """What reading a source now would pin. Raises as `describe`."""
    if source.place.format != "delta":
        return files_at(work, source.place).pins()
    work.open_account(source.place)
    with work.running():
        return pin(work, source.place, pinned(work, source))


def read(work: Work, source: Source, samples: Samples, limit: int | None = None) -> SparkFrame:
    """A lazy frame over a source. limit: only so many of its rows. Raises as `describe`, and for columns it lacks."""
    work.open_account(source.place)
    with work.running():
        whole = _whole(work, source, samples)
        frame = whole.spark
        columns = chosen(source, whole.columns)
        conditions = [_filter(source.filter, whole.columns)] if source.filter else []
        if source.newer_than:
            conditions += _newer(work, source, whole.columns, samples)
        for condition in conditions:
            frame = frame.where(condition)
        if columns != whole.columns:
            frame = frame.selectExpr(*(quoted(column.name) for column in columns))
        if limit is not None:
            frame = frame.limit(int(limit))
    bare = whole.bare and not conditions and limit is None
    return SparkFrame(work, frame, columns, whole.pins, whole.looks, bare=bare)


def _whole(work: Work, source: Source, samples: Samples) -> SparkFrame:
    if source.place.format == "delta":
        version = pinned(work, source)
        frame, columns = utc_columns(work, source.place, version)
        frame = nan.found(frame, columns)
        pinning = cache(partial(pin, work, source.place, version))
        return SparkFrame(work, frame, columns, (pinning,), bare=True)
    files = files_at(work, source.place)
    columns = samples.columns(source, files)
    frame = _scan(work, source, files, columns, samples)
    return SparkFrame(
        work, frame, columns, (files.pins,), (files.check_unchanged,), bare=source.place.format == "parquet"
    )


def _scan(work: Work, source: Source, files: Files, columns: Columns, samples: Samples) -> Any:
    if source.place.format == "csv":
        from odibi_magics.engines.spark.read_csv import scan_csv

        return scan_csv(work, samples.sniffer(source.place), source, files, columns)
    if source.place.format == "json":
        from odibi_magics.engines.spark.read_json import scan_json

        return scan_json(work, source, files, columns)
    from odibi_magics.engines.spark.read_parquet import scan_parquet

    return nan.found(scan_parquet(work, files, columns), columns)


def _filter(text: str, columns: Sequence[Column]) -> str:
    from odibi_magics.engines.spark.queries import predicate
    from odibi_magics.sql.problems import SqlErrors

    try:
        return predicate(text, columns)
    except SqlErrors as error:
        raise EngineError(f"filter: {error}") from None


def _newer(work: Work, source: Source, columns: Sequence[Column], samples: Samples) -> list[str]:
    """The condition for rows above the maximum in the table this chain writes; none where it has no rows yet."""
    assert source.newer_than is not None
    column = column_of(source, source.newer_than, columns)
    if source.watermark is None or not is_there(work, source.watermark):
        return []
    table = Source(source.watermark)
    found = _whole(work, table, samples)
    written = column_of(table, source.newer_than, found.columns)
    check_comparable(source, column, written)
    highest = found.spark.selectExpr(f"CAST(max({quoted(written.name)}) AS string)").collect()[0][0]
    if highest is None:
        return []
    check_highest(source, written, highest)
    start = f"CAST({literal(highest)} AS {in_sql(written.type)})"
    if source.lag:
        start = f"CAST({start} AS timestamp) - make_interval(0, 0, 0, 0, 0, 0, {lag_of(source.lag, column)} / 1000000)"
    return [f"{quoted(column.name)} > {start}"]


def is_there(work: Work, place: Place) -> bool:
    """Whether anything stands at a place. Raises ConnectionFailed, EngineError."""
    return (
        newest(work, place) is not None
        if place.format == "delta"
        else holds_files(seen_by_spark(work, place))
    )
