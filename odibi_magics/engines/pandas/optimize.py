"""Small files of a table joined, by the same writer as all others, in one commit that changes no row.

Deltalake's own `optimize.compact` reads INT96 times outside of the years 1677 to 2262 as other times and would write
those down, keeps a file in memory for every task, and leaves files alone whose paths have letters outside of ASCII.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import islice
from urllib.parse import quote

from odibi_magics.delta.history import rows_of
from odibi_magics.delta.log import last_checkpoint, whole
from odibi_magics.delta.optimize import (
    TAG,
    TARGET_BYTES,
    Bin,
    Optimized,
    bins,
    check_joinable,
    checkpoint_due,
    joined,
    stored_path,
)
from odibi_magics.delta.replay import Action, State, Versions, key
from odibi_magics.delta.writing import Deed, removed
from odibi_magics.engines.align import layout
from odibi_magics.engines.base import Place, Sink
from odibi_magics.engines.pandas.commit import Conflict, Unknown
from odibi_magics.engines.pandas.datafiles import DataFile
from odibi_magics.engines.pandas.job import Job, every_row
from odibi_magics.engines.pandas.put_commit import put_commit
from odibi_magics.engines.pandas.session import Session
from odibi_magics.engines.pandas.snapshot import Snapshot, open_snapshot, told
from odibi_magics.engines.pandas.stage import Staging
from odibi_magics.engines.pandas.storage import Store, open_store
from odibi_magics.engines.pandas.upkeep import changes_metadata, versions_of
from odibi_magics.engines.waiting import awaited
from odibi_magics.errors import Cancelled, EngineError, WriteConflict

# A bin of each of so many partitions is written at a time: each is an open file.
_AT_ONCE = 256

_ATTEMPTS = 12


def optimize(place: Place, *, mark: str | None = None, dry_run: bool = False) -> Optimized:
    """Joins small files, and writes a checkpoint where the log has none or is far ahead of it.

    mark: userMetadata of the commit. Raises EngineError for a table that is not there or whose features this engine
    cannot write, WriteConflict where another writer took one of the files, ConnectionFailed, Cancelled.
    """
    store = open_store(place)
    versions = versions_of(store)
    state = versions.state(versions.newest)
    check_joinable(state, store.url)
    parts = bins(state, store.url)
    shown = _told(place, versions, parts)
    if dry_run or shown.changes_nothing:
        return replace(shown, done=not dry_run)
    if parts:
        shown = _join(place, store, state, parts, shown, mark)
    if shown.checkpoint:
        _write_checkpoint(store)
    return replace(shown, done=True)


def _told(place: Place, versions: Versions, parts: Sequence[Bin]) -> Optimized:
    last = last_checkpoint(versions.log)
    behind = versions.newest - (-1 if last is None else last)
    return Optimized(
        address=place.address,
        url=versions.log.url,
        version=versions.newest,
        files=sum(map(len, parts)),
        bytes=sum(one["size"] for part in parts for one in part),
        into=len(parts),
        into_bytes=None,
        parts=joined(parts),
        target_bytes=TARGET_BYTES,
        behind=behind,
        checkpoint=checkpoint_due(behind, versions.newest),
    )


def _join(
    place: Place, store: Store, state: State, parts: Sequence[Bin], shown: Optimized, mark: str | None
) -> Optimized:
    table = open_snapshot(store, state.version)
    assert table is not None
    with closing(Session([place.connection.url("")])) as session, Staging(store, table.indexed, 0) as staging:
        made = [file for part in _rounds(parts) for file in _written(place, session, staging, table, part)]
        _check_rows(store, parts, made)
        committed = _committed(store, staging, state, parts, made, mark)
        staging.keep(made)
    return replace(shown, into=len(made), into_bytes=sum(one.size for one in made), committed=committed)


def _rounds(parts: Sequence[Bin]) -> Iterator[list[Bin]]:
    """Bins that can be written together: one of a partition at most, so that each becomes one file."""
    waiting: dict[str, list[Bin]] = {}
    for part in parts:
        waiting.setdefault(str(sorted(part[0]["partitionValues"].items())), []).append(part)
    while waiting:
        chosen = list(islice(waiting, _AT_ONCE))
        yield [waiting[name].pop() for name in chosen]
        waiting = {name: own for name, own in waiting.items() if own}


def _written(
    place: Place, session: Session, staging: Staging, table: Snapshot, parts: Sequence[Bin]
) -> tuple[DataFile, ...]:
    wanted = {stored_path(one) for part in parts for one in part}
    files = [file for file in table.files if file.path in wanted]
    sink = Sink(place, "append")
    job = Job(session, sink, staging, layout(table.columns, sink, table), lambda rows: None, lambda: False)
    return every_row(table, job, files)


def _check_rows(store: Store, parts: Sequence[Bin], made: Sequence[DataFile]) -> None:
    """Raises EngineError where rows came or went, which nothing may make of it."""
    before = [rows_of(one) for part in parts for one in part]
    after = sum(one.rows or 0 for one in made)
    if None not in before and after != sum(filter(None, before)):
        raise EngineError(
            f"{store.url}: the files hold {after:,} rows and not the {sum(filter(None, before)):,} that the log tells. "
            "Nothing was changed"
        )


def _committed(
    store: Store,
    staging: Staging,
    state: State,
    parts: Sequence[Bin],
    made: Sequence[DataFile],
    mark: str | None,
) -> int:
    """Commits upon the newest version, as long as no other writer took one of the files or changed the table."""
    sources = [one for part in parts for one in part]
    version = state.version
    for _ in range(_ATTEMPTS):
        (last,) = whole(versions_of(store).log, [version])
        try:
            actions = [*map(_added, made), *(removed(one, changes_data=False) for one in sources)]
            return put_commit(store, last, _deed(sources, made, mark), actions, state.configuration)
        except Conflict:
            version = _after_others(store, version, sources)
        except (Unknown, Cancelled):
            staging.keep_all()
            raise
    raise WriteConflict(
        f"{store.url}: other writers commit to it all the time. Nothing was changed; try again"
    )


def _after_others(store: Store, version: int, sources: Iterable[Action]) -> int:
    """The newest version. Raises WriteConflict where what came since does not go with ours."""
    versions, ours = versions_of(store), set(map(key, sources))
    for commit in whole(versions.log, range(version + 1, versions.newest + 1)):
        if changes_metadata(commit) or any(key(one) in ours for one in commit.each("remove")):
            raise WriteConflict(
                f"{store.url}: version {commit.version}, of another writer, took files that were being joined, or "
                "changed the table. Nothing was changed; optimize again once it is done"
            )
    return versions.newest


def _added(file: DataFile) -> Action:
    return {
        "add": {
            "path": quote(file.path, safe="/="),
            "partitionValues": dict(file.partition),
            "size": file.size,
            "modificationTime": int(time.time() * 1000),
            "dataChange": False,
            "stats": file.stats,
            "tags": {TAG: str(TARGET_BYTES)},
        }
    }


def _deed(sources: Sequence[Action], made: Sequence[DataFile], mark: str | None) -> Deed:
    metrics = {
        "numRemovedFiles": len(sources), "numRemovedBytes": sum(one["size"] for one in sources),
        "numAddedFiles": len(made), "numAddedBytes": sum(one.size for one in made),
    }  # fmt: skip
    return Deed("OPTIMIZE", {"predicate": "[]", "zOrderBy": "[]", "auto": "false"}, metrics, mark)


def _write_checkpoint(store: Store) -> None:
    """Of the newest version. Raises EngineError, ConnectionFailed; what was joined is joined all the same."""
    table = open_snapshot(store)
    assert table is not None
    try:
        awaited(table.delta.create_checkpoint)
    except Exception as error:
        failure = EngineError(f"no checkpoint could be written for {store.url}: {told(error)}")
        raise store.explain(error, "writing") or failure from None
