"""%odibi_history in a real shell."""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from tests.engines import logs
from tests.magics.conftest import Notebook, orders_cell


def hostile(folder: Path) -> None:
    """A table whose log is a stranger's."""
    bad = "<script>alert(1)</script>\x1b[31m"
    log = folder / "bad/_delta_log"
    log.mkdir(parents=True)
    told = {
        "operation": bad,
        "userName": bad,
        "engineInfo": bad,
        "userMetadata": bad,
        "operationParameters": {bad: bad},
    }
    (log / logs.name(0)).write_bytes(logs.commit(0))
    (log / logs.name(1)).write_bytes(logs.commit(1, logs.add(bad), **told))


@pytest.mark.parametrize("table", ["clean", "lake:clean/orders", "lake clean/orders", "clean/orders"])
def test_a_table_s_history(notebook: Notebook, table: str) -> None:
    run = notebook.good(orders_cell())
    notebook.good(orders_cell().replace("qty > 0", "qty > 6"))
    shown = notebook.good(f"%odibi_history {table}")
    address = "clean/orders" if table == "clean/orders" else "lake:clean/orders"
    for made in (shown.html[0], shown.text[0]):
        assert f"{address}: 2 versions, 1 to 0" in made or f"{address}:</b> 2 versions, 1 to 0" in made
        assert f"%odibi_restore {address}@0" in made
        assert "clean" in made and "UTC" in made
    assert (len(shown.html), run.error) == (1, None)


def test_so_many_versions_and_up_to_one(notebook: Notebook) -> None:
    logs.long_log(notebook.folder / "t", 30)
    assert "20 of 30 versions, 29 to 10" in notebook.good("%odibi_history t").text[0]
    assert "3 of 30 versions, 29 to 27" in notebook.good("%odibi_history t --limit 3").text[0]
    assert "30 versions, 29 to 0" in notebook.good("%odibi_history t --limit all").text[0]
    assert "2 of 30 versions, 5 to 4" in notebook.good("%odibi_history t@5 --limit 2").text[0]


def test_warnings_come_below(notebook: Notebook) -> None:
    logs.long_log(notebook.folder / "t", 60)
    shown = notebook.good("%odibi_history t")
    assert len(shown.text) == 2
    assert "60 files of 1.0 kB on average" in shown.text[1]
    assert "%odibi_optimize t" in shown.text[1]


def test_hostile_text_stays_text(notebook: Notebook) -> None:
    hostile(notebook.folder)
    shown = notebook.good("%odibi_history bad")
    for made in (*shown.html, *shown.text):
        assert "\x1b" not in made
    assert "<script" not in "".join(shown.html) and "&lt;script&gt;" in shown.html[0]


def test_no_data_is_kept_where_none_may_be(notebook: Notebook) -> None:
    told = {"operationParameters": {"predicate": "name = 'Smith'"}}
    (notebook.folder / "t/_delta_log").mkdir(parents=True)
    (notebook.folder / "t/_delta_log" / logs.name(0)).write_bytes(logs.commit(0, **told))
    assert "Smith" in notebook.good("%odibi_history t").html[0]
    notebook.good("%config OdibiMagics.keep_rows = 0")
    shown = notebook.good("%odibi_history t")
    assert "predicate=[data]" in shown.text[0]
    assert "Smith" not in shown.html[0] + shown.text[0]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("", "TABLE"),
        ("orders.csv", "orders.csv is a file, not a Delta table"),
        ("./t/_delta_log", "./t/_delta_log is no Delta table: it lies in the table ./t"),
        (".", ". is no Delta table: it holds the table t"),
        ("nothing", "is no connection's path"),
        (
            "t@2026-11-20T18:00Z",
            "t@2026-11-20T18:00:00+00:00: a history goes up to a version, as t@5, and not to a time",
        ),
        ("t --limit 0", "at least 1, or all"),
        ("t --limit x", "at least 1, or all"),
    ],
)
def test_what_is_wrong_is_told(notebook: Notebook, line: str, says: str) -> None:
    logs.long_log(notebook.folder / "t", 2)
    told = notebook.bad(f"%odibi_history {line}")
    assert says in told and "read:" not in told


def test_a_damaged_log_is_told(notebook: Notebook) -> None:
    folder = logs.long_log(notebook.folder / "t", 5)
    (folder / "_delta_log" / logs.name(2)).unlink()
    assert f"_delta_log/{logs.name(2)}: it is missing" in notebook.bad("%odibi_history t")
    assert (
        "Options" in notebook.good("%odibi_history --help").text[0]
        or "usage" in notebook.good("%odibi_history -h").text[0]
    )


def test_what_python_gives_shows_as_of_the_magics(notebook: Notebook) -> None:
    notebook.good(orders_cell())
    notebook.good(orders_cell().replace("qty > 0", "qty > 6"))
    notebook.good("from odibi_magics import Project; t = dict(connection='lake', path='clean/orders')")
    notebook.good("p = Project.from_yaml('connections: {lake: {type: local, base_path: .}}')")
    for call, told in (
        ("delta_history(**t)", "lake:clean/orders: 2 versions, 1 to 0"),
        ("diff_delta(**t, version=0)", "rows: 0 added, 1 removed"),
        ("restore_delta(**t, version=0, dry_run=True)", "now at version 1, would be like version 0"),
        ("vacuum_delta(**t, dry_run=True)", "there is nothing to do"),
        ("optimize_delta(**t, dry_run=True)", "there is nothing to do"),
        ("delta_detail(**t)", "lake:clean/orders: version 1, 1 row in 1 file"),
    ):
        shown = notebook.good(f"display(p.engine.{call})")
        assert notebook.good(f"print(p.engine.{call})").printed.strip() == shown.text[0].strip()
        assert told in shown.text[0] and told.split(": ")[-1] in shown.html[0], call
        assert "%odibi_" not in shown.text[0]
    assert "qty" in notebook.good("display(p.engine.delta_detail(**t))").html[0]
    assert "− removed" in notebook.good("display(p.engine.diff_delta(**t, version=0))").text[0]
    notebook.good("%config OdibiMagics.keep_rows = 0")
    assert "− removed" not in notebook.good("display(p.engine.diff_delta(**t, version=0))").text[0]
    assert "mode=[data]" in notebook.good("display(p.engine.delta_history(**t))").text[0].replace(
        "writeMode", "mode"
    )


def test_a_time_as_it_is_shown_leads_to_the_version_beside_it(notebook: Notebook) -> None:
    """By every way to name a version; its commit is 20 ms behind the second that is shown."""
    for version in range(2):
        notebook.folder.joinpath("t").mkdir(exist_ok=True)
        write_deltalake(str(notebook.folder / "t"), pa.table({"id": [version]}), mode="append")
        file = notebook.folder / f"t/_delta_log/{version:020}.json"
        now = re.sub(
            r'"timestamp":\d+', f'"timestamp":{1_767_225_600_020 + version * 60_000}', file.read_text()
        )
        file.write_text(now)
    notebook.good("%%odibi_connections\nlake: {type: local, base_path: .}\n")
    then = "lake:t@2026-01-01T00:01:00Z"
    assert "2026-01-01 00:01:00 UTC" in notebook.good("%odibi_history lake:t").text[0]
    assert notebook.good(f"%odibi_preview {then}").text[0].startswith(f"{then}, version 1: 2 rows")
    assert notebook.good("%odibi_preview lake:t@0").text[0].startswith("lake:t@0: 1 row")
    assert "at version 1 already" in notebook.good(f"%odibi_restore {then}").text[0]
    assert "both lead to version 1, identical: 2 rows" in notebook.good(f"%odibi_diff {then} lake:t").text[0]
    read = "read: {connection: lake, path: t, format: delta, timestamp: '2026-01-01T00:01:00Z'}"
    cell = f"%%odibi_pipeline --preview\nnodes: [{{name: all, {read}}}]"
    assert "2 rows" in notebook.good(cell).text[-1]
