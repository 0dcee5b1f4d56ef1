"""Writes to Delta tables: one commit of Spark's own for each, whose metrics tell what it did."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from odibi_magics.config.types import Column
from odibi_magics.delta.history import counts
from odibi_magics.delta.log import Commit
from odibi_magics.delta.mark import read_mark
from odibi_magics.engines.align import Layout, layout, new_layout
from odibi_magics.engines.base import Check, Guard, Sink, TargetState, Warned, Written
from odibi_magics.engines.checks import Flag
from odibi_magics.engines.pandas.storage import open_store
from odibi_magics.engines.refusals import (
    lost,
    not_partitioned,
    refuse_nulls,
    refuse_repeated,
    there_already,
)
from odibi_magics.engines.spark import nan
from odibi_magics.engines.spark.checks import condition, keys_counted, nulls, repeats
from odibi_magics.engines.spark.frame import SparkFrame
from odibi_magics.engines.spark.names import is_named, listed, quoted, table
from odibi_magics.engines.spark.places import check_free
from odibi_magics.engines.spark.tables import commits_after, newest, state
from odibi_magics.engines.spark.types import in_sql
from odibi_magics.engines.spark.warnings import left_warnings, log_warnings
from odibi_magics.engines.spark.work import Work
from odibi_magics.engines.spark.write import Watched
from odibi_magics.errors import EngineError, OdibiError, ValidationFailed, WriteConflict

_KEYED = ("merge", "append_once")


@dataclass(frozen=True)
class Job:
    """A write of one frame to one table.

    there: the table as it stands. layout: as it will be. watched: the rows and their checks.
    """

    work: Work
    sink: Sink
    there: TargetState
    layout: Layout
    watched: Watched
    mark: str

    @property
    def source_columns(self) -> tuple[Column, ...]:
        """The columns that the write brings; for `merge` those alone that came out of the node."""
        missing = self.layout.missing if self.sink.mode == "merge" else ()
        return tuple(column for column in self.layout.columns if column.name not in missing)

    @property
    def keys(self) -> tuple[str, ...]:
        """The sink's keys in the table's spelling."""
        spelled = {column.name.lower(): column.name for column in self.layout.columns}
        return tuple(spelled[key.lower()] for key in self.sink.keys)

    def rows(self, spark: Any) -> Any:
        """The frame's rows as the table takes them. spark: the frame's DataFrame."""
        given = self.layout.given
        items = (
            f"CAST({quoted(given[c.name]) if c.name in given else 'NULL'} AS {in_sql(c.type)}) AS {quoted(c.name)}"
            for c in self.source_columns
        )
        return self.watched.guarded(spark).selectExpr(*items)


def write_delta(
    frame: SparkFrame, sink: Sink, *, checks: Sequence[Check], mark: str, guard: Guard | None = None
) -> Written:
    """Writes a frame to a Delta table, in one commit or none. A write of no rows commits too: its mark must be found.

    Raises ChecksFailed, WriteConflict, EngineError, ConnectionFailed, Cancelled; then nothing was committed.
    """
    work = frame.work
    with frame.reading() as spark:
        there = state(work, sink.place)
        if there.exists and sink.mode in ("error", "ignore"):
            return there_already(sink, there.version or 0)
        if guard is not None and there.version is not None:
            guard(there.version)
        shape = _shape(work, frame.columns, sink, there)
        if there.exists and sink.mode == "overwrite_partitions" and not there.partition_by:
            raise not_partitioned(sink)
        keyed = sink.mode in _KEYED
        asked = _own_flags(sink, shape, frame.columns)
        # CREATE and REPLACE TABLE AS SELECT tell nothing of what was observed on the way.
        told_before = keyed or (is_named(sink.place) and any(one.on_fail != "error" for one in checks))
        job = Job(work, sink, there, shape, Watched.of(frame, checks, asked, aggregate=told_before), mark)
        if keyed:
            _check_keys(job, spark)
        warned = log_warnings(sink.place, there)
        commit = _committed(job, lambda: _write(job, spark)) if guard is None else _guarded(job, spark, guard)
        with work.seen_through():
            return _written(job, spark, commit, warned)


def _guarded(job: Job, spark: Any, guard: Guard) -> Commit:
    """The commit of a write that must not be made twice. Raises what the guard raises, and as `write_delta`.

    Nobody asks the guard while Spark writes. So the commit carries a `txn` of Delta's with the version that it was
    asked about: of two writes of the same that looked at the same version, Delta makes one. It leaves the other out
    without a word, or refuses it as a conflict. Where there was no table, it is asked about one that came since.
    """
    asked = job.there.version
    if asked is None:
        asked = _ask_again(job, guard, None)
    try:
        return _committed(job, lambda: _write(job, spark, _once(job, asked)))
    except _LeftOut:
        if _ask_again(job, guard, asked) != asked:
            raise
    # Nothing was written at all: the table was cloned, with the `txn` of its source, whose versions are others.
    return _committed(job, lambda: _write(job, spark))


def _ask_again(job: Job, guard: Guard, asked: int | None) -> int | None:
    """Asks the guard where others committed since a version. The version that it was asked about last."""
    now = newest(job.work, job.sink.place)
    if now is not None and now != asked:
        guard(now)
    return asked if now is None else now


def _once(job: Job, asked: int | None) -> dict[str, str]:
    """What tells Delta that a write is the same as another: the text that it came of, and the version behind which it
    is to come, which is above those of all such writes that were seen."""
    mark = read_mark(job.mark)
    if mark is None or asked is None:
        return {}
    return {"txnAppId": f"odibi-{mark.fingerprint}", "txnVersion": str(asked + 1)}


def _shape(work: Work, columns: Sequence[Column], sink: Sink, there: TargetState) -> Layout:
    if there.exists:
        return layout(columns, sink, there)
    check_free(work, sink)
    return new_layout(columns, sink)


def _own_flags(sink: Sink, shape: Layout, columns: Sequence[Column]) -> list[Flag]:
    """What the table itself asks of each row."""
    found = [
        Flag(
            f"NOT NULL {shape.given[name]}",
            f"{quoted(shape.given[name])} IS NULL",
            columns=(shape.given[name],),
        )
        for name in shape.not_null
        if name in shape.given
    ]
    folders = [c.name for c in shape.columns if c.name in shape.partition_by and c.type == "string"]
    found += [_folder_flag(shape.given[name]) for name in folders if name in shape.given]
    if sink.replace_where:
        label = f"replace_where {sink.replace_where}"
        found.append(Flag(label, f"({condition(label, sink.replace_where, columns)}) IS NOT TRUE"))
    return found


def _folder_flag(name: str) -> Flag:
    """Texts that no partition can hold: the protocol takes "" for NULL, and folders' names the second."""
    return Flag(
        f"partition_by {name}",
        f"{quoted(name)} IN ('', '__HIVE_DEFAULT_PARTITION__')",
        columns=(name,),
        remedy=f"Readers would take it for NULL or for another text: write nullif({name}, ''), or some word for it",
    )


def _check_keys(job: Job, spark: Any) -> None:
    """Raises KeysRefused where the frame's rows have NULL or the same values twice in the sink's keys."""
    keys = [job.layout.given[name] for name in job.keys]
    found = job.watched.measured
    missing, repeated = (found and found.keys(keys)) or keys_counted(spark, keys)
    refuse_nulls(job.sink, missing, nulls(spark, keys) if missing else ())
    refuse_repeated(job.sink, repeated, repeats(spark, keys) if repeated else ())


# The write ------------------------------------------------------------------------------------------------------------


def _write(job: Job, spark: Any, more: Mapping[str, str] = MappingProxyType({})) -> None:
    """more: options of the writer."""
    sink = job.sink
    if job.there.exists and sink.mode in _KEYED:
        _merge(job, spark)
        return
    writer = job.rows(spark).write.format("delta")
    for key, value in {**_options(job), **more}.items():
        writer = writer.option(key, value)
    partitions = job.layout.partition_by
    if partitions and (not job.there.exists or sink.overwrite_schema):
        writer = writer.partitionBy(*partitions)
    writer = writer.mode(_save_mode(job))
    if not is_named(sink.place):
        writer.save(sink.place.url)
        return
    with (
        nullcontext() if job.there.exists else job.work.marked(job.mark)
    ):  # which CREATE takes from no option
        writer.saveAsTable(table(sink.place))


def _save_mode(job: Job) -> str:
    if not job.there.exists and job.sink.mode in ("error", "ignore"):
        return "error"
    if job.sink.mode in ("overwrite", "overwrite_partitions"):
        return "overwrite"
    return "append"


def _options(job: Job) -> dict[str, str]:
    sink = job.sink
    found = {"userMetadata": job.mark} if job.mark else {}
    if sink.overwrite_schema and sink.mode == "overwrite":
        return {**found, "overwriteSchema": "true"}
    if sink.merge_schema:
        found["mergeSchema"] = "true"
    if sink.replace_where and job.there.exists:
        where = condition("replace_where", sink.replace_where, job.layout.columns)
        found["replaceWhere"] = nan.in_condition(where, job.layout.columns)
    if sink.mode == "overwrite_partitions":
        found["partitionOverwriteMode"] = "dynamic"
    elif sink.mode == "overwrite":
        found["partitionOverwriteMode"] = "static"
    return found


def _merge(job: Job, spark: Any) -> None:
    """MERGE takes its mark from the session alone."""
    same = " AND ".join(f"t.{quoted(key)} = s.{quoted(key)}" for key in job.keys)
    given = [column.name for column in job.source_columns]
    evolving = job.layout.added  # then * means the columns that come: of the table's others nothing is said
    set_ = "*" if evolving else ", ".join(f"t.{quoted(name)} = s.{quoted(name)}" for name in given)
    insert = "*" if evolving else f"({listed(given)}) VALUES ({listed(given, 's')})"
    update = f"WHEN MATCHED THEN UPDATE SET {set_}" if job.sink.mode == "merge" else ""
    sql = (
        f"MERGE {'WITH SCHEMA EVOLUTION ' if evolving else ''}INTO {table(job.sink.place)} AS t "
        f"USING {{source}} AS s ON {same} {update} WHEN NOT MATCHED THEN INSERT {insert}"
    )
    sql = sql.replace("{source}", "\0").replace("{", "{{").replace("}", "}}").replace("\0", "{source}")
    with job.work.marked(job.mark):
        job.work.spark.sql(sql, source=job.rows(spark)).collect()


class _LeftOut(EngineError):
    """A write that Spark took for done and of which there is no commit."""


# What became of it ----------------------------------------------------------------------------------------------------


def _committed(job: Job, write: Callable[[], None]) -> Commit:
    """The commit that a write made. One that fails, or is stopped, may have landed: then it is as if it had not."""
    try:
        with _in_words(job):
            write()
    except BaseException as error:
        if not isinstance(error, ValidationFailed) and (found := _landed(job)) is not None:
            return found
        _leave_nothing(job)
        raise
    found = _landed(job)
    if found is None:
        raise _LeftOut(f"{job.sink.place.address} was written, but no commit of it is found: see its history")
    return found


def _leave_nothing(job: Job) -> None:
    """Takes away the folders of a table that did not come to be, unless Spark left files in them: they may be those
    of another writer. No reader sees them, and the log's folder tells the next writer what they are."""
    if job.there.exists or job.sink.place.connection.only_spark:
        return
    store = open_store(job.sink.place)
    if not store.files():
        with suppress(OSError):
            store.prune()


def _landed(job: Job) -> Commit | None:
    """The commit with our mark behind the version that was there; without a mark, the next one. A session that takes
    no marks leaves MERGE and CREATE without."""
    try:
        with job.work.seen_through():
            found = commits_after(job.work, job.sink.place, job.there.version)
    except Exception:  # there is no table, or nobody answers any more
        return None
    marks = {commit.version: commit.info.get("userMetadata") or "" for commit in found}
    ours = [commit for commit in found if not job.mark or marks[commit.version] == job.mark]
    if not (ours or job.work.takes_marks):
        ours = [commit for commit in found if not marks[commit.version]]
    return ours[0] if ours else None


@contextmanager
def _in_words(job: Job) -> Iterator[None]:
    try:
        yield
    except OdibiError:
        raise
    except Exception as error:
        if (failed := job.watched.failed(error)) is not error:
            raise failed from None
        ours = job.work.failures.error(error) if not job.work.stopped else None
        if isinstance(ours, WriteConflict):
            now = state(job.work, job.sink.place).version
            raise WriteConflict(lost(job.sink, job.there.version, now)) from None
        raise


def _written(job: Job, spark: Any, commit: Commit, warned: tuple[Warned, ...]) -> Written:
    number = counts(commit.info).get
    merged = job.there.exists and job.sink.mode in _KEYED
    if merged:
        rows, inserted = number("numSourceRows"), number("numTargetRowsInserted")
        updated = number("numTargetRowsUpdated") if job.sink.mode == "merge" else None
        files, size, deleted = number("numTargetFilesAdded"), number("numTargetBytesAdded"), None
    else:
        rows = (number("numOutputRows") or 0) - (number("numCopiedRows") or 0)
        inserted, updated, deleted = rows, None, number("numDeletedRows")
        files, size = number("numFiles"), number("numOutputBytes")
    return Written(
        job.sink.place,
        rows=rows or 0,
        files=files or 0,
        bytes=size or 0,
        version_before=job.there.version,
        version_after=commit.version,
        rows_inserted=inserted,
        rows_updated=updated,
        rows_deleted=deleted if job.there.exists and job.sink.mode.startswith("overwrite") else None,
        checks=job.watched.results(spark),
        warnings=(*left_warnings(job.sink, job.layout, job.there, commit), *warned),
    )
