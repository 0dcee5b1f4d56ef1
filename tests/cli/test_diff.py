"""`odibi-magics diff` as a real process."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from odibi_magics.cli.answer import DONE, FAILED, WRONG
from tests.cli.conftest import Command


@pytest.fixture
def orders(odibi: Command) -> Command:
    times = pa.array([datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2)], pa.timestamp("us", "UTC"))
    first, second = (
        pa.table({"id": [1, 2], "v": values, "at": times}) for values in ([1.5, math.nan], [1.5, 2.5])
    )
    write_deltalake(str(odibi.folder / "t"), first)
    write_deltalake(str(odibi.folder / "t"), second, mode="overwrite")
    return odibi


def test_as_text(orders: Command) -> None:
    done = orders("diff", "lake:t@0", "lake:t@1", "--keys", "id")
    assert (done.returncode, done.stderr) == (DONE, "")
    assert done.stdout.startswith("lake:t@0 → lake:t@1: rows: 0 added, 0 removed, 1 changed, 1 unchanged")
    assert "nan → 2.5" in done.stdout and "  odibi-magics restore lake:t@0" in done.stdout


def test_as_data(orders: Command) -> None:
    found = orders.data("diff", "lake", "t@0", "--keys", "id")
    assert found["rows"] == {"added": 0, "removed": 0, "changed": 1, "unchanged": 1}
    assert found["before"]["address"] == "lake:t" and found["after"]["version"] == 1
    assert found["sample"] == [
        {
            "kind": "changed",
            "before": [2, "nan", "2026-01-02T00:00:00+00:00"],
            "after": [2, 2.5, "2026-01-02T00:00:00+00:00"],
            "changed": ["v"],
            "count": 1,
        }
    ]
    assert found["read"]["files"] == 2 and found["skipped"] == {"files": 0, "bytes": 0}
    assert found["identical"] is False and found["schema_changes"] == [] and found["keys"] == ["id"]


def test_tables_that_are_the_same(orders: Command) -> None:
    write_deltalake(str(orders.folder / "u"), pa.table({"id": [2, 1]}))
    write_deltalake(str(orders.folder / "w"), pa.table({"id": [1, 2]}))
    assert orders.data("diff", "u", "w")["identical"] is True


def test_failures(orders: Command) -> None:
    assert orders("diff", "lake:t").returncode == WRONG
    done = orders("diff", "lake:t@0", "lake:t@9")
    assert done.returncode == FAILED and "has no version 9" in done.stderr
    found = orders.data("diff", "lake:t@0", "--keys", "no", code=FAILED)
    assert found["error"]["kind"] == "KeysRefused"
