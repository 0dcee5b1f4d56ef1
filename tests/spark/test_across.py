"""Tables that one engine writes, and the other reads, appends to, merges into, looks after, restores and undoes.

The Spark engine goes by Spark alone here, as where nobody else has the rights; the pandas engine by the tables' logs.
"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from odibi_magics import Project
from odibi_magics.engines.base import Source
from odibi_magics.engines.registry import choose_engine
from odibi_magics.errors import AppendRefused, NodeFailed, UndoRefused, WriteConflict
from tests.spark.reading import read_by_spark, rows
from tests.spark.shelves import PANDAS, Shelf, withheld

NODES = """
  - name: sales
    read: {connection: raw, path: sales.csv}
    transform: {steps: [{sql: "SELECT *, day(at) AS day FROM df"}]}
    write: {connection: shelf, path: sales, mode: append, partition_by: [region]}
  - name: totals
    transform:
      steps:
        - sql: |
            SELECT region, sum(price) AS price, max(at) AS last FROM sales WHERE region IS NOT NULL GROUP BY region
    validation: {row_count: {max: %d}}
    write: {connection: shelf, path: totals, mode: merge, keys: [region]}
"""

FIRST = "1,EU,1.5,2026-01-02T03:04:05.000006Z\n2,US,2.25,1500-02-28T00:00:00Z\n3,,NaN,2026-01-03T00:00:00Z\n"
SECOND = "4,EU,-0.5,2026-01-04T00:00:00Z\n5,AS,7,2026-01-04T00:00:00Z\n"


class Two:
    """Both engines over one folder, each with the same text."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf

    def project(self, engine: str, most: int = 100) -> Project:
        return self.shelf.project(NODES % most, engine)

    @contextmanager
    def by(self, engine: str) -> Any:
        """Only Spark may open the folder while it is Spark's turn."""
        self.shelf.shut = engine == "spark"
        try:
            yield self.project(engine)
        finally:
            self.shelf.shut = False

    def put(self, text: str) -> None:
        (self.shelf.here / "sales.csv").write_text(f"id,region,price,at\n{text}")

    def both(self, table: str, version: int | None = None) -> list[tuple[Any, ...]]:
        """The table's rows, which both engines must read alike."""
        place, folder = self.shelf.seen(table), self.shelf.folder / table
        run = PANDAS.open([place])
        mine = rows(run.read(Source(place, version=version)).to_arrow())
        run.close()
        assert rows(read_by_spark(self.shelf.spark, folder, version=version)) == mine
        return mine


@pytest.mark.parametrize(("one", "other"), [("pandas", "spark"), ("spark", "pandas")])
def test_one_goes_on_where_the_other_left_off(
    spark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one: str, other: str
) -> None:
    two = Two(withheld(spark, tmp_path, monkeypatch))
    two.put(FIRST)
    with two.by(one) as project:
        first = project.run()
    written = {table: two.both(table) for table in ("sales", "totals")}
    assert written["sales"][0] == (1, "EU", 1.5, datetime(2026, 1, 2, 3, 4, 5, 6), 2)
    assert (len(written["sales"]), len(written["totals"])) == (3, 2)
    with two.by(other) as project:
        with pytest.raises(AppendRefused, match=f"by run {first.run_id}"):
            project.run()
        assert project.table("shelf:sales@0").count() == 3

        two.put(SECOND)
        with pytest.raises(NodeFailed) as failed:
            two.project(other, most=1).run()
    with two.by(one) as project:  # goes on with the run that broke off there
        resumed = project.run(resume=True)
    assert resumed.run_id == failed.value.result.run_id
    assert [(each.written and each.written.version_after) for each in resumed] == [1, 1]
    assert two.both("totals")[:2] == [
        ("AS", 7.0, datetime(2026, 1, 4)), ("EU", 1.0, datetime(2026, 1, 4)),
    ]  # fmt: skip
    assert len(two.both("sales")) == 5

    told = {name: _history(two, name) for name in ("pandas", "spark")}
    assert told["pandas"] == told["spark"]
    assert [run for _, run, *_ in told["spark"]] == [resumed.run_id, first.run_id]

    with two.by(other) as project:
        project.undo(resumed.run_id)
        with pytest.raises(WriteConflict, match=r"version 2 .*RESTORE.* changed it"):
            project.engine.restore("shelf:sales@0", at=1)
    assert {table: two.both(table) for table in written} == written
    with two.by(one) as project:
        again = project.run()
        assert again.node("sales").rows == 2
        project.engine.restore("shelf:sales@0")
        project.engine.restore("shelf:sales@3")
    with two.by(other) as project:
        with pytest.raises(AppendRefused):
            project.run()
        assert project.engine.optimize("shelf:sales").committed == 6
        assert project.engine.diff("shelf:sales@3", "shelf:sales@6").identical
        project.engine.vacuum("shelf:sales", retention_hours=0, force=True)
    assert len(two.both("sales")) == 5
    # The files of the version before are gone from one of its tables.
    with two.by(one) as project, pytest.raises(UndoRefused, match="shelf:sales: "):
        project.undo(again.run_id)


def _history(two: Two, engine: str) -> list[tuple[Any, ...]]:
    place = two.shelf.seen("sales")
    with two.by(engine):
        found = choose_engine(engine).history(place)
    told = [
        (one.version, one.run, one.node, one.rows, one.files_added, one.bytes_added, one.changes_data)
        for one in found.entries
    ]
    assert all(abs((one.time - datetime.now(UTC)).total_seconds()) < 3600 for one in found.entries)
    return told
