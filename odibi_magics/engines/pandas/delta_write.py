"""Writes to Delta tables: the rows are staged as files, checked, and committed once."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

from odibi_magics.config.types import Column
from odibi_magics.delta.features import text_lengths
from odibi_magics.engines.align import Layout, layout, new_layout
from odibi_magics.engines.base import Check, CheckResult, Guard, Progress, Sink, Warned, Written
from odibi_magics.engines.checks import Flag, settle
from odibi_magics.engines.pandas.checks import Watcher, condition, flags, table_checks
from odibi_magics.engines.pandas.commit import Change, Conflict, Note, Unknown, commit, create
from odibi_magics.engines.pandas.datafiles import DataFile
from odibi_magics.engines.pandas.frame import DuckFrame
from odibi_magics.engines.pandas.free import check_free
from odibi_magics.engines.pandas.glance import log_warnings
from odibi_magics.engines.pandas.job import Job, table_flags
from odibi_magics.engines.pandas.log import StoreLog
from odibi_magics.engines.pandas.modes import change, check_keys
from odibi_magics.engines.pandas.names import quoted
from odibi_magics.engines.pandas.read_delta import is_plain
from odibi_magics.engines.pandas.recent import remember, stamps
from odibi_magics.engines.pandas.session import Session
from odibi_magics.engines.pandas.snapshot import Changed, Snapshot, open_snapshot
from odibi_magics.engines.pandas.stage import Staging
from odibi_magics.engines.pandas.stats import INDEXED
from odibi_magics.engines.pandas.storage import Store, open_store
from odibi_magics.engines.refusals import lost, there_already
from odibi_magics.engines.size_warnings import File, Left, Partition, Stands
from odibi_magics.engines.waiting import never, obeying
from odibi_magics.errors import ConnectionFailed, EngineError, WriteConflict

# How often a commit is tried on newer and newer versions; the rows are staged once.
ATTEMPTS = 12

# Modes that never take a row out of the table.
_ADDING = ("append", "append_once")


def write_delta(
    session: Session,
    frame: DuckFrame,
    sink: Sink,
    *,
    checks: Sequence[Check],
    mark: str,
    progress: Progress,
    cancelled: Callable[[], bool],
    guard: Guard | None = None,
) -> Written:
    """Writes a frame to a Delta table, in one commit or none. A write of no rows commits too: its mark must be found.

    Raises what the guard raises, ChecksFailed, WriteConflict, EngineError, ConnectionFailed, Cancelled; then nothing
    was committed and staged files are deleted.
    """
    store = open_store(sink.place)
    table = open_snapshot(store)
    if table is not None and sink.mode in ("error", "ignore"):
        return there_already(sink, table.version)
    if guard is not None and table is not None:
        guard(table.version)
    shape = _shape(frame, sink, store, table)
    warned = _log_warnings(sink.place.address, table)
    with Staging(store, table.indexed if table else INDEXED) as staging:
        job = Job(session, sink, staging, shape, progress, cancelled)
        asked, own = flags(checks, frame.columns), _own_flags(sink, shape, table, frame.columns)
        watcher = Watcher((*asked, *own), progress, cancelled)
        job.stage_frame(frame, watcher)
        results = settle([*watcher.results(), *table_checks(checks, job.rows, job.source_rows())])
        check_keys(job)
        progress(job.rows)
        told = (*results[: len(asked)], *results[len(asked) + len(own) :])
        written = _commit(job, frame, table, mark, told, guard)
        return replace(written, warnings=(*written.warnings, *warned))


def _log_warnings(address: str, table: Snapshot | None) -> tuple[Warned, ...]:
    """What the log asks for, looked at before the write: behind the commit nothing may hang or fail any more."""
    if table is None:
        return ()
    try:
        size = sum(file.size for file in table.files)
        return log_warnings(address, StoreLog(table.store), table.version, size)
    except (OSError, EngineError, ConnectionFailed):
        return ()


def _shape(frame: DuckFrame, sink: Sink, store: Store, table: Snapshot | None) -> Layout:
    if table is None:
        check_free(store, sink)
        return new_layout(frame.columns, sink)
    reads, removes = sink.mode != "append", sink.mode not in _ADDING
    if blockers := table.blockers(reads=reads, removes=removes):
        told = "; ".join(f"{name} ({remedy})" for name, remedy in sorted(blockers.items()))
        raise EngineError(f"the table {sink.place.address} uses features this engine cannot write: {told}")
    return layout(frame.columns, sink, table)


def _own_flags(sink: Sink, shape: Layout, table: Snapshot | None, columns: Sequence[Column]) -> list[Flag]:
    """What the table itself asks of each row."""
    found = table_flags(shape, shape.given)
    for name, (kind, length) in (text_lengths(table.fields) if table else {}).items():
        if given := shape.given.get(name):
            found.append(
                Flag(f"{kind}({length}) {name}", f"length({quoted(given)}) > {length}", columns=(given,))
            )
    if sink.replace_where:
        label = f"replace_where {sink.replace_where}"
        found.append(Flag(label, f"({condition(label, sink.replace_where, columns)}) IS NOT TRUE"))
    return found


def _commit(
    job: Job,
    frame: DuckFrame,
    table: Snapshot | None,
    mark: str,
    results: tuple[CheckResult, ...],
    guard: Guard | None,
) -> Written:
    note = Note(mark, _parameters(job.sink, job.layout), blind=job.sink.mode == "append")
    first = table
    for attempt in range(ATTEMPTS):
        found = change(job, table)
        try:
            version = _once(job, table, found, note)
        except Conflict:
            time.sleep(random.uniform(0, 0.05 * (attempt + 1)))
            table = _again(job, frame, first)
            if job.sink.mode in ("error", "ignore"):
                return there_already(job.sink, table.version)
            if guard is not None:
                guard(table.version)
            continue
        except BaseException as error:
            if isinstance(error, Unknown) or not isinstance(error, (EngineError, ConnectionFailed)):
                job.staging.keep_all()
            raise
        job.staging.keep(found.adds)
        _remember(job, table, found, version)
        return _written(job, table, found, version, results)
    raise WriteConflict(_lost(job, first, table))


def _once(job: Job, table: Snapshot | None, found: Change, note: Note) -> int:
    with obeying(never):  # whether it landed must be known
        if table is None:
            return create(job.staging.store, job.layout, found, note)
        return commit(table, job.layout, found, note)


def _remember(job: Job, table: Snapshot | None, found: Change, version: int) -> None:
    """What a commit that changed files alone has left, for those who read it: they need not open the table for it."""
    if table is None or found.replaces or job.layout.added or not is_plain(table):
        return
    left = Snapshot(table.store, table.delta, Changed(version, _files_left(table, found)))
    # It has landed: nothing may end or fail now.
    with obeying(never), suppress(OSError, EngineError, ConnectionFailed):
        (stamp,) = stamps(table.store, version)
        if stamp:
            remember(left, stamp)


def _files_left(table: Snapshot | None, found: Change) -> tuple[DataFile, ...]:
    gone = {file.path for file in found.removes}
    return (*(file for file in (table.files if table else ()) if file.path not in gone), *found.adds)


def _again(job: Job, frame: DuckFrame, first: Snapshot | None) -> Snapshot:
    """The table as another writer left it. Raises WriteConflict where the staged files do not fit it any more."""
    table = open_snapshot(job.staging.store)
    if table is None:
        raise WriteConflict(_lost(job, first, table))
    try:
        shape = _shape(frame, job.sink, job.staging.store, table)
    except EngineError as error:
        raise WriteConflict(f"{_lost(job, first, table)} ({error})") from None
    if replace(shape, added=False, not_null=()) != replace(job.layout, added=False, not_null=()):
        raise WriteConflict(_lost(job, first, table))
    job.layout = shape
    return table


def _lost(job: Job, first: Snapshot | None, now: Snapshot | None) -> str:
    return lost(job.sink, first.version if first else None, now.version if now else None)


def _parameters(sink: Sink, shape: Layout) -> dict[str, object]:
    """What DESCRIBE HISTORY shows of the write, under Spark's names where it has them."""
    found: dict[str, object] = {"writeMode": sink.mode, "partitionBy": list(shape.partition_by)}
    if sink.keys:
        found["keys"] = list(sink.keys)
    if sink.replace_where:
        found["predicate"] = sink.replace_where
    return found


def _left(job: Job, table: Snapshot | None, found: Change) -> Left:
    files = _files_left(table, found)
    stands = Stands(len(files), sum(file.size for file in files), max(1, len(set(map(_partition, files)))))
    added = [File(_partition(file), file.size, file.rows) for file in found.adds]
    same = table is not None and table.partition_by == job.layout.partition_by
    before = set(map(_partition, table.files)) if table is not None and same else None
    return Left(job.sink, job.layout, added, stands, before, table.version if table else None)


def _partition(file: DataFile) -> Partition:
    return tuple(sorted(file.partition.items()))


def _written(
    job: Job, table: Snapshot | None, found: Change, version: int, results: tuple[CheckResult, ...]
) -> Written:
    return Written(
        job.sink.place,
        rows=job.rows,
        files=len(found.adds),
        bytes=sum(file.size for file in found.adds),
        version_before=table.version if table else None,
        version_after=version,
        rows_inserted=found.inserted,
        rows_updated=found.updated,
        rows_deleted=found.deleted,
        checks=results,
        warnings=_left(job, table, found).warnings(),
    )
