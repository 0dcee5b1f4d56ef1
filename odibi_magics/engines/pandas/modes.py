"""What each write mode does to a table: which files come, which go. The staged rows are never evaluated again.

Rows are changed by copy on write: files that hold some of them are written anew without them. A write that changes
the table's columns and takes rows out writes all of its files anew, because deltalake cannot do both to some of them
in one commit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from sqlglot import exp, parse_one

from odibi_magics.engines.pandas.checks import condition
from odibi_magics.engines.pandas.commit import Change
from odibi_magics.engines.pandas.datafiles import NUMBER, DataFile
from odibi_magics.engines.pandas.job import SOURCE, TARGET, Job, every_row
from odibi_magics.engines.pandas.names import quoted
from odibi_magics.engines.pandas.snapshot import Snapshot
from odibi_magics.engines.pandas.types import duckdb_type
from odibi_magics.engines.refusals import not_partitioned, refuse_nulls, refuse_repeated

Plan = Callable[[Job, Snapshot], Change]

_NUMBER = quoted(NUMBER)
_FOUND = quoted("odibi found")


def change(job: Job, table: Snapshot | None) -> Change:
    """What the job's mode does to the table as it stands; with no table, its rows become one."""
    if table is None:
        return Change(job.staged, inserted=job.rows)
    plan = _replace_where if job.sink.replace_where else _PLANS[job.sink.mode]
    return _with_columns(job, table, plan(job, table))


def check_keys(job: Job) -> None:
    """Raises KeysRefused where the staged rows have NULL or the same values twice in the sink's keys."""
    if not job.sink.keys or job.sink.mode not in ("merge", "append_once") or not job.rows:
        return
    refuse_nulls(job.sink, *job.source_rows().nulls(job.keys))
    refuse_repeated(job.sink, *job.source_rows().repeated(job.keys))


def _with_columns(job: Job, table: Snapshot, found: Change) -> Change:
    if not (job.layout.added and found.removes) or found.everything:
        return found
    gone = {file.path for file in found.removes}
    rest = every_row(table, job, [file for file in table.files if file.path not in gone])
    return replace(found, adds=[*found.adds, *rest], removes=table.files, everything=True)


def _overwrite(job: Job, table: Snapshot) -> Change:
    moved = job.layout.partition_by != table.partition_by
    return Change(
        job.staged,
        table.files,
        everything=True,
        replaces=moved,
        inserted=job.rows,
        deleted=_count(table.files),
    )


def _append(job: Job, table: Snapshot) -> Change:
    return Change(job.staged, inserted=job.rows)


def _overwrite_partitions(job: Job, table: Snapshot) -> Change:
    names = job.layout.partition_by
    if not names:
        raise not_partitioned(job.sink)
    present = {_values(file, names) for file in job.staged}
    gone = [file for file in table.files if _values(file, names) in present]
    return Change(job.staged, gone, inserted=job.rows, deleted=_count(gone))


def _replace_where(job: Job, table: Snapshot) -> Change:
    text = job.sink.replace_where or ""
    where = condition(f"replace_where {text}", text, job.layout.columns)
    names = _columns_of(where, job)
    sql = f"SELECT {_NUMBER}, count(*) FROM {TARGET} WHERE ({where}) GROUP BY 1"
    hits = job.numbers(sql, table.files, job.target(table.files, names)) if table.files else {}
    touched = [table.files[number] for number in hits]
    partly = [table.files[number] for number, count in hits.items() if table.files[number].rows != count]
    rest = every_row(table, job, partly, f"WHERE ({where}) IS NOT TRUE")
    return Change([*job.staged, *rest], touched, inserted=job.rows, deleted=sum(hits.values()))


def _append_once(job: Job, table: Snapshot) -> Change:
    hits = matches(job, table)
    fresh = _unmatched(job, hits) if hits else job.staged
    return Change(fresh, inserted=_count(fresh))


def _merge(job: Job, table: Snapshot) -> Change:
    hits = matches(job, table)
    touched, updated = [file for file, _ in hits], sum(count for _, count in hits)
    matched = _matched_source(job, touched) if hits else 0
    if not job.layout.missing and updated == matched:
        adds = [*job.staged, *_others(job, table, touched)]
    else:
        adds = [*_updated(job, touched), *_unmatched(job, hits)]
    return Change(adds, touched, inserted=job.rows - matched, updated=updated)


_PLANS: dict[str, Plan] = {
    "overwrite": _overwrite,
    "overwrite_partitions": _overwrite_partitions,
    "append": _append,
    "append_once": _append_once,
    "merge": _merge,
}


# Rows with the keys of staged ones ------------------------------------------------------------------------


def _others(job: Job, table: Snapshot, files: Sequence[DataFile]) -> tuple[DataFile, ...]:
    """The rows of these files that have none of the staged keys, in files written anew."""
    if not files:
        return ()
    names = [column.name for column in job.layout.columns]
    body = f"FROM {TARGET} ANTI JOIN {SOURCE} USING ({_list(job.keys)})"
    return job.stage(
        [quoted(name) for name in names], body, {**job.target(files, names), **job.source(job.keys)}
    )


def _updated(job: Job, files: Sequence[DataFile]) -> tuple[DataFile, ...]:
    """All rows of these files; those with staged keys take the columns that came out of the node."""
    if not files:
        return ()
    names, given = (
        [column.name for column in job.layout.columns],
        [column.name for column in job.source_columns],
    )
    items = [_newer(name) if name in given else f"{TARGET}.{quoted(name)}" for name in names]
    body = f"FROM {TARGET} LEFT JOIN (SELECT *, TRUE AS {_FOUND} FROM {SOURCE}) AS {SOURCE} USING ({_list(job.keys)})"
    return job.stage(items, body, {**job.target(files, names), **job.source(given)})


def _unmatched(job: Job, hits: Sequence[tuple[DataFile, int]]) -> tuple[DataFile, ...]:
    """The staged rows whose keys are not in these files."""
    given = [column.name for column in job.source_columns]
    items = [quoted(c.name) if c.name in given else _null(c.type) for c in job.layout.columns]
    if not hits:
        return job.stage(items, f"FROM {SOURCE}", job.source(given)) if job.rows else ()
    files = [file for file, _ in hits]
    body = f"FROM {SOURCE} ANTI JOIN {TARGET} USING ({_list(job.keys)})"
    return job.stage(items, body, {**job.source(given), **job.target(files, job.keys)})


def matches(job: Job, table: Snapshot) -> list[tuple[DataFile, int]]:
    """The files that hold rows with staged keys, each with how many."""
    files = candidates(job, table) if job.rows else []
    if not files:
        return []
    body = f"{TARGET} SEMI JOIN {SOURCE} USING ({_list(job.keys)})"
    tables = {**job.target(files, job.keys), **job.source(job.keys)}
    found = job.numbers(f"SELECT {_NUMBER}, count(*) FROM {body} GROUP BY 1", files, tables)
    return [(files[number], count) for number, count in found.items()]


def _matched_source(job: Job, files: Sequence[DataFile]) -> int:
    """How many staged rows have keys that are in these files."""
    body = f"{SOURCE} SEMI JOIN {TARGET} USING ({_list(job.keys)})"
    tables = {**job.source(job.keys), **job.target(files, job.keys)}
    return int(job.session.run(f"SELECT count(*) FROM {body}", tables)[0][0])


def candidates(job: Job, table: Snapshot) -> list[DataFile]:
    """The table's files that may hold a staged key, by what the log says of them; their data is not looked at."""
    folders = [name for name in job.keys if name in job.layout.partition_by and name in job.source_partitions]
    present = {_values(file, folders) for file in job.staged}
    bounds = _bounds(job)
    return [
        file
        for file in table.files
        if _values(file, folders) in present
        and all(_overlaps(file, name, *bound) for name, bound in bounds.items())
    ]


def _bounds(job: Job) -> dict[str, tuple[Any, Any]]:
    """Lowest and highest of each staged key of a type whose bounds every writer logs exactly."""
    types = {column.name: column.type for column in job.source_columns}
    names = [key for key in job.keys if types[key] in EXACT and key not in job.layout.partition_by]
    if not names:
        return {}
    items = ", ".join(f"min({quoted(name)}), max({quoted(name)})" for name in names)
    row = job.session.run(f"SELECT {items} FROM {SOURCE}", job.source(names))[0]
    return {name: (row[2 * i], row[2 * i + 1]) for i, name in enumerate(names)}


EXACT = {"tinyint", "smallint", "int", "bigint", "string", "date"}


def _overlaps(file: DataFile, name: str, low: Any, high: Any) -> bool:
    lows, highs = file.low or {}, file.high or {}
    return (lows.get(name) is None or lows[name] <= high) and (highs.get(name) is None or highs[name] >= low)


def _newer(name: str) -> str:
    column = quoted(name)
    return f"CASE WHEN {SOURCE}.{_FOUND} THEN {SOURCE}.{column} ELSE {TARGET}.{column} END"


def _null(type_: str) -> str:
    return f"CAST(NULL AS {duckdb_type(type_)})"


def _list(names: Sequence[str]) -> str:
    return ", ".join(map(quoted, names))


def _values(file: DataFile, names: Sequence[str]) -> tuple[str | None, ...]:
    return tuple(file.partition.get(name) for name in names)


def _count(files: Sequence[DataFile]) -> int | None:
    """Rows of these files; None where the log does not say."""
    counts = [file.rows for file in files]
    return None if None in counts else sum(count or 0 for count in counts)


def _columns_of(where: str, job: Job) -> list[str]:
    """The table's columns that a condition in DuckDB's SQL names, and perhaps some that only share a field's name."""
    tree = parse_one(f"SELECT {where}", dialect="duckdb")
    named = {identifier.name.lower() for identifier in tree.find_all(exp.Identifier)}
    found = [column.name for column in job.layout.columns if column.name.lower() in named]
    return found or [job.layout.columns[0].name]
