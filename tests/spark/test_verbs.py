"""History, detail, diff, restore, optimize and vacuum on Spark's tables: right by Spark's own reading, or refused by name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from odibi_magics.engines.base import Place, Source
from odibi_magics.engines.pandas.engine import PandasEngine
from odibi_magics.errors import EngineError
from tests.spark.conftest import Lake
from tests.spark.reading import rows
from tests.spark.tables import TABLES, Made

pytestmark = pytest.mark.classic

ENGINE = PandasEngine()
GROWN = [made for made in TABLES if made.name not in ("empty", "variant", "variant_shredded", "vacuumed")]


def place(lake: Lake, path: str) -> Place:
    return lake.sink(path).place


def done(made: Made, verb: Callable[[], Any]) -> Any:
    """What a verb gives; None where it refused the table by the name of its feature."""
    try:
        return verb()
    except EngineError as error:
        if not any(name and name in str(error) for name in (made.feature, made.unread, made.changes)):
            raise
        return None


@pytest.mark.parametrize("made", TABLES, ids=lambda made: made.name)
def test_history_and_detail(lake: Lake, made: Made) -> None:
    table = lake.make(made)
    newest = lake.newest(table)
    history = ENGINE.history(place(lake, made.name), limit=100)
    assert [entry.version for entry in history.entries] == list(range(newest, -1, -1))
    assert all(entry.operation for entry in history.entries)
    detail = done(made, lambda: ENGINE.detail(place(lake, made.name)))
    if detail is not None:
        assert detail.version == newest
        if "VARIANT" not in str(made.sql) and detail.rows is not None:
            assert detail.rows == lake.by_spark(made.name).num_rows


@pytest.mark.parametrize(
    "name", ["types", "renamed", "restored", "vacuumed", "clustered", "in_commit_timestamps"]
)
def test_history_is_spark_s(lake: Lake, name: str) -> None:
    table = lake.make(next(made for made in TABLES if made.name == name))
    sparks = lake.query(f"DESCRIBE HISTORY delta.`{table}`")
    ours = ENGINE.history(place(lake, name), limit=100).entries
    assert [(one.version, one.operation) for one in ours] == [
        (row["version"], row["operation"]) for row in sparks
    ]
    # Spark takes the time of the file, and we the commit's own, which is when it began.
    for one, row in zip(ours, sparks, strict=True):
        assert abs((one.time.replace(tzinfo=None) - row["timestamp"]).total_seconds()) < 60


@pytest.mark.parametrize("made", GROWN, ids=lambda made: made.name)
def test_diff_of_the_last_two_versions(lake: Lake, made: Made) -> None:
    """Columns, and fields of structs, that one version lacks are told and not compared."""
    newest = lake.newest(lake.make(made))
    if newest == 0:
        return
    before, after = (Source(place(lake, made.name), version=version) for version in (newest - 1, newest))
    found = done(made, lambda: ENGINE.diff(before, after))
    if found is None:
        return
    old, new = (lake.by_spark(made.name, version=version) for version in (newest - 1, newest))
    if old.schema.equals(new.schema):
        was, now = (Counter(map(repr, rows(table))) for table in (old, new))
        assert (found.added, found.removed) == ((now - was).total(), (was - now).total())


@pytest.mark.parametrize("made", GROWN, ids=lambda made: made.name)
def test_restore_optimize_and_vacuum(lake: Lake, made: Made) -> None:
    newest = lake.newest(lake.make(made))
    copy = lake.copy(made.name)
    there = place(lake, copy)
    wanted = lake.by_spark(made.name)
    if newest and done(made, lambda: ENGINE.restore(there, newest - 1)) is not None:
        wanted = lake.by_spark(made.name, version=newest - 1)
        assert rows(lake.by_spark(copy)) == rows(wanted)
    done(made, lambda: ENGINE.optimize(there))
    done(made, lambda: ENGINE.vacuum(there, retention_hours=0, force=True))
    assert rows(lake.by_spark(copy)) == rows(wanted)
