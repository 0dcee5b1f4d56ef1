"""%odibi_diff in a real shell."""

from __future__ import annotations

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from odibi_magics.errors import EngineError, KeysRefused, UsageError
from tests.magics.conftest import Notebook

LAKE = "%%odibi_connections\nlake: {type: local, base_path: .}\n"


@pytest.fixture
def orders(notebook: Notebook) -> Notebook:
    """Two versions of a table, and a copy of the second."""
    first, second = (
        {"id": [1, 2], "city": ["Zanzibar", "Oslo"]},
        {"id": [1, 2, 4711], "city": ["Bergen", "Oslo", "Rom"]},
    )
    write_deltalake(str(notebook.folder / "orders"), pa.table(first))
    write_deltalake(str(notebook.folder / "orders"), pa.table(second), mode="overwrite")
    write_deltalake(
        str(notebook.folder / "copy"), pa.table({"city": ["Rom", "Oslo", "Bergen"], "id": [4711, 2, 1]})
    )
    notebook.good(LAKE)
    return notebook


def test_two_versions(orders: Notebook) -> None:
    ran = orders.good("%odibi_diff lake:orders@0 lake:orders@1 --keys id")
    (text,), (html,) = ran.text, ran.html
    assert text.startswith("lake:orders@0 → lake:orders@1: rows: 1 added, 0 removed, 1 changed, 1 unchanged")
    assert "Zanzibar → Bergen" in text and "Zanzibar → Bergen" in html
    assert "%odibi_history lake:orders" in text and "%odibi_restore lake:orders@0" in html


@pytest.mark.parametrize(
    "line",
    [
        "lake:orders@0",
        "lake orders@0",
        "orders@0",
        "lake orders@0 lake orders@1",
        "lake:orders@0 lake orders",
        "orders@0 lake:copy",
    ],
)
def test_every_way_to_name_two_tables(orders: Notebook, line: str) -> None:
    assert "rows: 2 added, 1 removed, 1 unchanged" in orders.good(f"%odibi_diff {line}").text[0]


def test_tables_that_are_the_same(orders: Notebook) -> None:
    text = orders.good("%odibi_diff orders copy").text[0]
    assert text.startswith("orders@1 → copy@0: identical: 3 rows, 2 columns")


def test_a_node_is_its_table(orders: Notebook) -> None:
    orders.good(
        "%%odibi_pipeline\n- {name: clean, read: {connection: lake, path: orders}, write: {connection: lake, path: out}}\n- {name: rows, read: {connection: lake, path: orders}}\n"
    )
    assert orders.good("%odibi_diff copy clean").text[0].startswith("copy@0 → lake:out@0: identical")
    assert "node 'rows' writes no table" in orders.bad("%odibi_diff copy rows")


def test_no_row_is_kept_where_none_may_be(orders: Notebook) -> None:
    orders.good("%config OdibiMagics.keep_rows = 0")
    for line in ("orders@0 orders@1 --keys id", "orders@0", "orders@0 --keys city"):
        ran = orders.good(f"%odibi_diff {line}")
        assert "1 unchanged" in ran.text[0]
        assert not any(
            word in said for said in (*ran.text, *ran.html) for word in ("Zanzibar", "Bergen", "4711")
        )
    write_deltalake(
        str(orders.folder / "orders"), pa.table({"id": [4711, 4711], "city": ["x", "y"]}), mode="append"
    )
    ran = orders.run("%odibi_diff orders@1 --keys id")
    assert isinstance(ran.error, KeysRefused)
    assert "4711" not in ran.printed and "[data]" in ran.printed


def test_no_more_rows_than_are_kept(orders: Notebook) -> None:
    orders.good("%config OdibiMagics.keep_rows = 2")
    assert "2 of 3 rows that differ" in orders.good("%odibi_diff orders@0").text[0]


@pytest.mark.parametrize(("line", "kind", "says"), [
    ("orders", UsageError, "which versions? TABLE@5 TABLE@9, or TABLE@5 alone for what has changed since"),
    ("", UsageError, "TABLE"),
    ("orders@1 orders@1", UsageError, "both are the same version of the same table"),
    ("orders@0 orders@1 copy", UsageError, "two TABLEs are compared, not 3: orders@0, orders@1, copy"),
    ("orders@2026-01-01T10:00", UsageError, "a time without a zone"),
    ("orders@0 --keys id,", UsageError, "names with commas and no spaces between them are wanted, as id,day, not 'id,'"),
    (
        "orders@0 --keys id day", UsageError,
        "unexpected 'day': --keys takes names with commas between them, as --keys id,day",
    ),
    ("orders@0 --key id", UsageError, "unknown option '--key' (did you mean '--keys'?)"),
    ("nowhere@0", UsageError, "'nowhere' not found: it is no connection's path"),
    ("orders@2026-11-26 05:42Z", UsageError, "stands in quotes: 'orders@2026-11-26 05:42Z'"),
    ("orders@0 orders@7", EngineError, "has no version 7: its versions are 0 to 1"),
    ("orders.csv@0 copy", EngineError, "orders.csv is a file, not a Delta table"),
    ("orders@0 --keys idd", KeysRefused, "there is no column 'idd' in orders@0 nor in orders@1 (did you mean 'id'?)"),
])  # fmt: skip
def test_what_cannot_be_compared(orders: Notebook, line: str, kind: type[Exception], says: str) -> None:
    ran = orders.run(f"%odibi_diff {line}")
    assert isinstance(ran.error, kind), ran.printed
    assert says in ran.printed and "Traceback" not in ran.printed
