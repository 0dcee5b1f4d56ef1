"""Tables of a catalog, which only the Spark session can open.

Paths for which nobody else has the rights differ in how a table is named and listed: test_across.py goes by them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from odibi_magics.delta.diff import Diff
from odibi_magics.display.upkeep import optimized_shown, restored_shown, vacuumed_shown
from odibi_magics.engines.base import Source
from odibi_magics.engines.registry import choose_engine
from odibi_magics.engines.spark import delta_write
from odibi_magics.engines.spark.contents import contents
from odibi_magics.errors import (
    AppendRefused,
    KeysRefused,
    NodeFailed,
    NoSuchVersion,
    UsageError,
    WriteConflict,
)
from tests.spark.shelves import PANDAS, Shelf, catalog


@pytest.fixture
def shelf(spark: Any, tmp_path: Path) -> Iterator[Shelf]:
    yield from catalog(spark, tmp_path)


NODES = """
  - name: orders
    read: {connection: raw, path: orders.csv}
    validation: {no_nulls: {columns: [id]}, range: {column: qty, max: 100, on_fail: warn}}
    write: {%(orders)s, mode: append}
  - name: totals
    transform: {steps: [{sql: "SELECT region, sum(qty) AS qty FROM orders GROUP BY region"}]}
    validation: {unique: {columns: [region]}, row_count: {max: %(most)d}}
    write: {%(totals)s, mode: merge, keys: [region]}
"""

FIRST = [(1, "EU", 5), (2, "US", 7), (3, "EU", 101)]
SECOND = [(4, "EU", 1), (5, "AS", 2)]


def put(shelf: Shelf, rows: list[tuple[Any, ...]]) -> None:
    lines = "".join(",".join(map(str, row)) + "\n" for row in rows)
    (shelf.here / "orders.csv").write_text(f"id,region,qty\n{lines}")


def test_a_pipeline_with_its_guard_undo_and_resume(shelf: Shelf) -> None:
    given = {"orders": shelf("orders"), "totals": shelf("totals")}
    project = shelf.project(NODES % {**given, "most": 100})
    put(shelf, FIRST)
    assert [node.action for node in project.plan().nodes] == ["create", "create"]
    first = project.run()
    assert [(node.state, node.rows, node.written and node.written.version_after) for node in first] == [
        ("done", 3, 0), ("done", 2, 0),
    ]  # fmt: skip
    assert [check.failed for check in first.node("orders").checks] == [0, 1]
    assert shelf.rows("orders") == FIRST
    assert first["totals"].preview(5).rows in ((("EU", 106), ("US", 7)), (("US", 7), ("EU", 106)))

    with pytest.raises(
        AppendRefused, match=r"shelf:orders holds what node 'orders' would append: same 1 file as "
    ):
        project.run()
    put(shelf, SECOND)
    failing = shelf.project(NODES % {**given, "most": 2})
    with pytest.raises(NodeFailed) as failed:
        failing.run()
    assert [node.state for node in failed.value.result] == ["done", "failed"]
    resumed = project.run(resume=True)
    assert resumed.run_id == failed.value.result.run_id
    assert resumed.node("orders").written is not None
    assert shelf.rows("totals") == [("AS", 2), ("EU", 107), ("US", 7)]
    assert shelf.rows("orders") == FIRST + SECOND

    mine = project.engine.history("shelf:totals")
    theirs = shelf.by_pandas(lambda: PANDAS.history(shelf.seen("totals")))
    told = (
        "version",
        "operation",
        "run",
        "node",
        "rows_inserted",
        "rows_changed",
        "files_added",
        "files_removed",
        "bytes_added",
        "changes_data",
    )
    assert [[getattr(one, name) for name in told] for one in mine.entries] == [
        [getattr(one, name) for name in told] for one in theirs.entries
    ]
    assert (mine.newest, mine.oldest) == (theirs.newest, theirs.oldest)

    seen = project.undo(dry_run=True)
    assert [(table.table, table.state, table.at, table.back_to) for table in seen.tables] == [
        ("shelf:orders", "to undo", 1, 0), ("shelf:totals", "to undo", 1, 0),
    ]  # fmt: skip
    assert seen.tables[0].restored and seen.tables[0].restored.gone.rows == 2
    done = project.undo(resumed.run_id)
    assert [(table.state, table.now) for table in done.tables] == [("undone", 2), ("undone", 2)]
    assert (shelf.rows("orders"), shelf.rows("totals")) == (FIRST, [("EU", 106), ("US", 7)])
    emptied = project.undo(first.run_id)
    assert [(table.state, table.back_to) for table in emptied.tables] == [("undone", None), ("undone", None)]
    assert (shelf.rows("orders"), shelf.rows("totals")) == ([], [])
    assert project.undo(first.run_id).state == "nothing"


DIFFERENT = """
  - name: first
    transform: {steps: [{sql: "%s"}]}
    write: {%s}
"""
ROWS = (
    "SELECT id, IF(id = 2, NULL, CONCAT('n', id)) AS name, CAST(id AS double) / 4 AS share, "
    "TIMESTAMP '2026-01-02 03:04:05' AS at, MAP('a', id) AS many, ARRAY(id) AS list, "
    "NAMED_STRUCT('x', id, 'y', MAP(id, id)) AS both FROM (SELECT EXPLODE(ARRAY(%s)) AS id)"
)


def test_diff_detail_and_restore_as_the_other_engine_has_them(shelf: Shelf) -> None:
    def write(ids: str, more: str = "") -> None:
        sql = ROWS % ids + more
        shelf.project(DIFFERENT % (sql, f"{shelf('t')}, overwrite_schema: true")).run()

    write("1, 2, 3, 3, 5")
    write("2, 3, 4, 5, 5")
    write("2, 3, 4")
    tables = shelf.project("").engine
    spark = choose_engine("spark")

    def both(before: int, after: int, **more: Any) -> tuple[Diff, Diff]:
        mine = spark.diff(*(Source(shelf.place("t"), version=v) for v in (before, after)), **more)
        theirs = shelf.by_pandas(
            lambda: PANDAS.diff(*(Source(shelf.seen("t"), version=v) for v in (before, after)), **more)
        )
        url = {"url": theirs.before.url}
        return replace(mine, before=replace(mine.before, **url), after=replace(mine.after, **url)), theirs

    mine, theirs = both(0, 1)
    assert mine == theirs
    assert (mine.added, mine.removed, mine.unchanged) == (2, 2, 3)
    mine, theirs = both(1, 2, rows=1)
    assert mine == theirs
    with pytest.raises(KeysRefused) as ours:
        both(0, 1, keys=["id"])
    assert "in shelf:t@0 1 row has the same keys as an earlier one" in str(ours.value)
    with pytest.raises(KeysRefused, match="there is no column 'idd' in shelf:t@1 nor in shelf:t@2"):
        both(1, 2, keys=["idd"])
    with pytest.raises(NoSuchVersion, match="has no version 9"):
        tables.diff("shelf:t@9", "shelf:t")

    mine_detail = tables.detail("shelf:t")
    theirs_detail = shelf.by_pandas(lambda: PANDAS.detail(shelf.seen("t")))
    unknown = dict.fromkeys(("oldest", "log_files", "log_bytes", "checkpoint", "reclaimable"))
    named = {"name": mine_detail.name, "url": mine_detail.url, "created": mine_detail.created}
    assert mine_detail == replace(theirs_detail, **unknown, **named)
    assert abs((mine_detail.created - theirs_detail.created).total_seconds()) < 1

    looked = tables.restore("shelf:t@1", dry_run=True)
    known = shelf.by_pandas(lambda: PANDAS.restore(shelf.seen("t"), 1, dry_run=True))
    assert replace(looked, url=known.url, time=known.time) == known
    assert "%odibi_restore shelf:t@1 --at 2" in restored_shown(looked).text
    with pytest.raises(WriteConflict) as conflict:
        tables.restore("shelf:t@0", at=1)
    with pytest.raises(WriteConflict) as known_conflict:
        shelf.by_pandas(lambda: PANDAS.restore(shelf.seen("t"), 0, at=1))
    assert str(conflict.value) == str(known_conflict.value)
    assert tables.restore("shelf:t@1", at=2).committed == 3
    assert len(shelf.rows("t")) == 5
    assert tables.restore("shelf:t@1").committed is None
    with pytest.raises(NoSuchVersion, match="no version 7: its versions are 0 to 3"):
        tables.restore("shelf:t@7")
    with pytest.raises(NoSuchVersion, match="no version 9: its newest is 3"):
        tables.restore("shelf:t@1", at=9)


def test_vacuum_and_optimize(shelf: Shelf) -> None:
    for i in range(3):
        node = f"""
  - name: a
    transform: {{steps: [{{sql: "SELECT {i} AS id, {i % 2} AS p"}}]}}
    write: {{{shelf("t")}, mode: append, partition_by: [p]}}
"""
        shelf.project(node).run()
    tables = shelf.project("").engine
    looked = tables.optimize("shelf:t", dry_run=True)
    assert [(part.partition, part.files, part.into) for part in looked.parts] == [("p=0", 2, 1)]
    assert "2 small files" in optimized_shown(looked).text
    done = tables.optimize("shelf:t")
    assert (done.files, done.into, done.committed) == (2, 1, 3)
    assert tables.optimize("shelf:t").changes_nothing
    with pytest.raises(UsageError, match="a retention of 1 hours is below 168"):
        tables.vacuum("shelf:t", retention_hours=1)
    assert (tables.vacuum("shelf:t").deleted, tables.vacuum("shelf:t", dry_run=True).files) == (0, 0)
    looking = tables.vacuum("shelf:t", retention_hours=0, force=True, dry_run=True)
    assert (looking.files, looking.bytes, looking.lost) == (2, None, None)
    shown = vacuumed_shown(looking).text
    assert "a vacuum would delete 2 files" in shown and "Spark does not tell" in shown
    assert f"{shelf.place('t').address} --retention-hours 0 --force --yes" in shown
    gone = tables.vacuum("shelf:t", retention_hours=0, force=True)
    assert (gone.deleted, gone.freed) == (2, looked.bytes)
    assert "2 files deleted" in vacuumed_shown(gone).text
    assert shelf.spark.conf.get("spark.databricks.delta.retentionDurationCheck.enabled", None) in (
        None,
        "true",
    )
    assert len(shelf.rows("t")) == 3
    with pytest.raises(NoSuchVersion, match="shelf:t@1 cannot be read any more: some of its files are gone"):
        tables.restore("shelf:t@1")
    entries = tables.history("shelf:t").entries
    assert [entry.operation for entry in entries[:3]] == ["VACUUM END", "VACUUM START", "OPTIMIZE"]
    assert [entry.files_removed for entry in entries[:3]] == [2, 0, 2]


ONE = """
  - name: %s
    read: {connection: raw, path: orders.csv}
    write: {%s, mode: append}
"""


def test_two_runs_that_append_the_same_at_once(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other one commits when the guard has been asked for the last time, and before Spark looks at the table."""
    put(shelf, FIRST)
    project = shelf.project(ONE % ("orders", shelf("t")))
    project.run()
    put(shelf, SECOND)
    own, between = delta_write._write, [project]

    def later(*given: Any) -> None:
        if between:
            between.pop().run()
        own(*given)

    monkeypatch.setattr(delta_write, "_write", later)
    with pytest.raises(NodeFailed, match="shelf:t holds what node 'orders' would append"):
        project.run()
    assert shelf.rows("t") == FIRST + SECOND
    project.undo()  # which what Delta remembers of that write outlives
    assert project.run().node("orders").rows == 2
    assert shelf.rows("t") == FIRST + SECOND


def test_what_comes_while_a_table_is_restored_is_put_back(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(shelf, FIRST)
    project = shelf.project(ONE % ("orders", shelf("t")))
    project.run()
    put(shelf, SECOND)
    project.run()
    looks = "odibi_magics.engines.spark.restore.contents"

    def meanwhile(*given: Any) -> Any:
        monkeypatch.setattr(looks, contents)
        project.run(again=True)
        return contents(*given)

    monkeypatch.setattr(looks, meanwhile)
    with pytest.raises(
        WriteConflict, match=r"changed by version 2 while it was restored. What came was put back"
    ):
        project.engine.restore("shelf:t@0")
    assert shelf.rows("t") == sorted(FIRST + SECOND + SECOND)
    operations = [entry.operation for entry in project.engine.history("shelf:t").entries]
    assert operations == ["RESTORE", "RESTORE", "WRITE", "WRITE", operations[-1]]
