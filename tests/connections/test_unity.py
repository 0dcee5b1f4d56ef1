"""Schemas of Unity Catalog: names of tables, and the refusal of everyone but Spark."""

from __future__ import annotations

from pathlib import Path

import pytest

from odibi_magics import Project
from odibi_magics.connections.unity import UnityConnection, table_of
from odibi_magics.engines.base import Place
from odibi_magics.engines.pandas.engine import PandasEngine
from odibi_magics.errors import ConfigErrors, ConnectionFailed
from odibi_magics.undoing import is_table

SALES = UnityConnection("uc", "main", "sales")

TEXT = """
connections:
  uc: {type: unity_catalog, catalog: main, schema: sales}
nodes:
  - name: orders
    read: {connection: uc, table: raw}
    write: {connection: uc, %s}
"""


def test_a_table_s_name_is_its_place() -> None:
    place = Place(SALES, "orders", "delta")
    assert (place.url, place.address) == ("main.sales.orders", "uc:orders")
    assert SALES.path(place.url) == "orders"
    assert SALES.describe() == "schema main.sales of Unity Catalog"
    assert SALES.only_spark and SALES.storage_options("spark") == {}
    for wrong in ("a.b", "a/b", "a b", "a@5"):
        with pytest.raises(ConnectionFailed, match=f"Connection 'uc': '{wrong}' is no table's name"):
            SALES.url(wrong)
    found = table_of("main.sales.orders")
    assert found is not None and found[0].url(found[1]) == "main.sales.orders"
    assert [table_of(text) for text in ("sales.orders", "./a.b.c", "C:.a.b", "a.b.c.d")] == [None] * 4


def test_a_catalog_s_table_is_a_table_address(tmp_path: Path) -> None:
    project = Project.from_yaml(TEXT % "table: orders", folder=tmp_path)
    places = [project.engine._place(None, "orders"), project.engine._place("uc", "orders")]
    assert [place.url for place in places] == ["main.sales.orders"] * 2
    alone = project.engine._place(None, "main.sales.orders")
    assert (alone.url, alone.address) == ("main.sales.orders", "main.sales.orders")
    assert [is_table(project, word) for word in ("main.sales.orders", "uc:orders", "v1.2.3")] == [
        True,
        True,
        False,
    ]


def test_other_engines_have_no_part_in_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigErrors) as refused:
        Project.from_yaml(TEXT % "table: orders", folder=tmp_path).plan(engine="pandas")
    assert str(refused.value).count("Unity Catalog is opened by Spark alone") == 2
    with pytest.raises(
        ConnectionFailed, match=r"use engine: spark, or lay a local or azure_adls connection over it"
    ):
        PandasEngine().history(Place(SALES, "orders", "delta"))
    with pytest.raises(ConnectionFailed, match=r"main\.sales holds tables, no files"):
        SALES.put("report.html", b"")
    with pytest.raises(ConnectionFailed, match="opened by Spark alone"):
        SALES.check()


def test_names_of_tables_are_checked_in_the_text(tmp_path: Path) -> None:
    with pytest.raises(ConfigErrors, match=r"'a\.b' is no table's name") as refused:
        Project.from_yaml(TEXT % "table: a.b", folder=tmp_path).plan(engine="pandas")
    assert "write" in str(refused.value)
    with pytest.raises(ConfigErrors, match="takes table:, not path:"):
        Project.from_yaml(TEXT % "path: orders", folder=tmp_path)
