"""How a frame's columns meet a table's: names, types, new and missing columns, partitions, what tables refuse."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable, Field, Schema
from deltalake.schema import PrimitiveType
from sqlglot import parse_one

from odibi_magics.config.types import Column
from odibi_magics.engines.align import fits, new_layout
from odibi_magics.errors import EngineError, ValidationFailed
from tests.engines.delta_tables import deleted, table
from tests.engines.writing import Lake, lake

__all__ = ["lake"]


def types(lake: Lake) -> dict[str, str]:
    return {field["name"]: field["type"] for field in json.loads(lake.table().schema().to_json())["fields"]}


def test_columns_are_matched_by_name_whatever_their_case_and_order(lake: Lake) -> None:
    lake.write({"Id": [1], "Name": ["a"]})
    lake.write({"name": ["b"], "ID": [2]}, mode="append")
    assert lake.rows() == [(1, "a"), (2, "b")]
    assert list(types(lake)) == ["Id", "Name"]


def test_columns_that_differ_by_case_alone_are_refused(lake: Lake) -> None:
    with pytest.raises(EngineError, match="'a' and 'A' have the same name"):
        lake.write(_twice(lake))


def _twice(lake: Lake) -> Any:
    from odibi_magics.engines.pandas.frame import DuckFrame

    return DuckFrame(lake.session, "SELECT 1::BIGINT AS a", (Column("a", "bigint"), Column("A", "bigint")))


def test_a_column_that_comes_twice_is_refused(lake: Lake) -> None:
    column = Column("id", "bigint")
    with pytest.raises(EngineError, match="'id' and 'id' have the same name"):
        new_layout([column, column], lake.sink())


@pytest.mark.parametrize(
    ("name", "select"),
    [
        ("Order ID", "`Order ID` AS Order_ID"),
        ("share (%)", "`share (%)` AS share"),
        ("a`b c", "`a``b c` AS a_b_c"),
        ("2024 sum", "`2024 sum` AS `2024_sum`"),
        ("Größe, cm", "`Größe, cm` AS `Größe_cm`"),
        ("()", "`()` AS name"),
    ],
)
def test_a_name_spark_refuses_is_refused_with_its_new_name(lake: Lake, name: str, select: str) -> None:
    with pytest.raises(EngineError) as refused:
        lake.write({name: [1]})
    assert f"cannot have a column '{name}'" in str(refused.value)
    assert str(refused.value).endswith(f"Rename it: SELECT {select}")
    assert parse_one(f"SELECT {select}", dialect="spark").expressions[0].this.name == name


def test_names_inside_of_structs_are_refused_too(lake: Lake) -> None:
    said = r"cannot have the field 'a b' in column 's': ' ' is not allowed.*named_struct\('a_b', \.\.\.\)"
    for value in ([{"a b": 1}], [[{"x": {"a b": 1}}]]):
        with pytest.raises(EngineError, match=said):
            lake.write({"s": value})
    assert lake.paths() == []


def test_new_columns_need_merge_schema(lake: Lake) -> None:
    lake.write({"id": [1]})
    for mode in ("append", "overwrite"):
        with pytest.raises(EngineError, match=r"lake:t has no column extra double. merge_schema: true"):
            lake.write({"id": [2], "extra": [1.5]}, mode=mode)
    assert (lake.rows(), lake.stray()) == ([(1,)], [])


@pytest.mark.parametrize("partition_by", [[], ["y"]])
@pytest.mark.parametrize(
    ("mode", "more", "expected"),
    [
        ("append", {}, [(1, 1, None), (2, 1, "n"), (2, 1, None), (3, 2, None)]),
        ("merge", {"keys": ["id"]}, [(1, 1, None), (2, 1, "n"), (3, 2, None)]),
        ("append_once", {"keys": ["id"]}, [(1, 1, None), (2, 1, None), (3, 2, None)]),
        ("overwrite", {}, [(2, 1, "n")]),
        ("overwrite", {"replace_where": "id = 2"}, [(1, 1, None), (2, 1, "n"), (3, 2, None)]),
    ],
)
def test_merge_schema_adds_a_column_in_one_commit(
    lake: Lake, partition_by: list[str], mode: str, more: dict[str, Any], expected: list[tuple[Any, ...]]
) -> None:
    lake.write({"id": [1, 2, 3], "y": [1, 1, 2]}, partition_by=partition_by)
    identity = lake.table().metadata().id
    lake.write({"id": [2], "y": [1], "extra": ["n"]}, mode=mode, merge_schema=True, **more)
    assert sorted(lake.rows(), key=repr) == sorted(expected, key=repr)
    assert types(lake) == {"id": "long", "y": "long", "extra": "string"}
    assert (lake.table().version(), lake.table().metadata().id, lake.stray()) == (1, identity, [])


def test_merge_schema_with_overwrite_partitions(lake: Lake) -> None:
    lake.write({"id": [1, 2], "y": [1, 2]}, partition_by=["y"])
    lake.write({"id": [9], "y": [2], "extra": ["n"]}, mode="overwrite_partitions", merge_schema=True)
    assert (lake.rows(), lake.table().version()) == ([(1, 1, None), (9, 2, "n")], 1)


def test_missing_columns_are_null_when_appending_but_not_when_overwriting(lake: Lake) -> None:
    lake.write({"id": [1], "v": ["a"]})
    lake.write({"id": [2]}, mode="append")
    assert lake.rows() == [(1, "a"), (2, None)]
    with pytest.raises(EngineError, match="column 'v' of the table lake:t did not come out of the node"):
        lake.write({"id": [3]})
    lake.write({"id": [3]}, merge_schema=True)
    assert lake.rows() == [(3, None)]


def test_overwrite_schema_takes_the_new_columns_types_and_partitions(lake: Lake) -> None:
    lake.write({"id": [1], "y": [1]}, partition_by=["y"])
    lake.write({"id": ["a"], "y": [2], "z": [3]}, overwrite_schema=True)
    assert types(lake) == {"id": "string", "y": "long", "z": "long"}
    assert lake.table().metadata().partition_columns == ["y"]
    lake.write({"id": ["b"], "z": [3]}, overwrite_schema=True, partition_by=["z"])
    assert (lake.table().metadata().partition_columns, lake.rows(), lake.stray()) == (["z"], [("b", 3)], [])


def test_a_table_made_anew_keeps_what_is_said_of_it(lake: Lake) -> None:
    lake.write({"id": [1], "y": [1]}, partition_by=["y"])
    lake.table().alter.set_table_name("orders")
    lake.table().alter.set_table_description("all of them")
    lake.table().alter.set_table_properties({"delta.checkpointInterval": "7"})
    lake.write({"id": [2], "y": [3]}, overwrite_schema=True, partition_by=["id"])
    about = lake.table().metadata()
    assert (about.name, about.description, about.configuration, about.partition_columns) == (
        "orders", "all of them", {"delta.checkpointInterval": "7"}, ["id"],
    )  # fmt: skip


def test_overwrite_schema_does_not_lose_the_partitioning_unasked(lake: Lake) -> None:
    lake.write({"id": [1], "y": [1]}, partition_by=["y"])
    with pytest.raises(
        EngineError, match=r"is partitioned by y, and column 'y' did not come out.*another partition_by"
    ):
        lake.write({"id": [1], "z": [1]}, overwrite_schema=True)


def test_another_partitioning_is_refused(lake: Lake) -> None:
    lake.write({"id": [1], "y": [1]}, partition_by=["y"])
    with pytest.raises(EngineError, match=r"is partitioned by y, not by id.*overwrite_schema: true"):
        lake.write({"id": [1], "y": [1]}, partition_by=["id"])
    lake.write({"id": [1], "y": [1]}, partition_by=["Y"])


@pytest.mark.parametrize(
    ("columns", "partition_by", "words"),
    [
        ({"id": [1]}, ["idd"], "there is no column 'idd'.*did you mean 'id'"),
        ({"id": [1]}, ["id"], "names every column"),
        ({"id": [1], "f": [1.5]}, ["f"], "type double cannot name folders"),
        ({"id": [1], "f": [[1]]}, ["f"], "type array<bigint> cannot name folders"),
        ({"id": [1], "a/b": [1]}, ["a/b"], "'/' in the name of the column 'a/b'"),
        ({"id": [1], "a%20b": [1]}, ["a%20b"], "'%20' in the name of the column 'a%20b'"),
    ],
)
def test_partitions_that_cannot_be(lake: Lake, columns: Any, partition_by: list[str], words: str) -> None:
    with pytest.raises(EngineError, match=words):
        lake.write(columns, partition_by=partition_by)


def test_types_widen_and_never_narrow(lake: Lake) -> None:
    lake.write({"id": pa.array([1], pa.int64()), "x": [1.5]})
    lake.write({"id": pa.array([2], pa.int16()), "x": pa.array([3], pa.int32())}, mode="append")
    assert lake.rows() == [(1, 1.5), (2, 3.0)]
    with pytest.raises(
        EngineError, match=r"column 'id' is double, in the table lake:t it is bigint. CAST\(id AS bigint\)"
    ):
        lake.write({"id": [1.5], "x": [1.5]}, mode="append")


@pytest.mark.parametrize(
    ("source", "target", "holds"),
    [
        ("int", "bigint", True), ("bigint", "int", False), ("int", "double", True), ("bigint", "double", False),
        ("int", "float", False), ("float", "double", True), ("bigint", "decimal(19,0)", True),
        ("bigint", "decimal(18,0)", False), ("decimal(10,2)", "decimal(12,2)", True),
        ("decimal(10,2)", "decimal(12,5)", False), ("decimal(10,2)", "decimal(13,5)", True), ("int", "string", False),
        ("date", "timestamp", False), ("timestamp", "timestamp_ntz", True),
        ("array<int>", "array<int>", True), ("array<int>", "array<bigint>", False),
    ],
)  # fmt: skip
def test_which_types_hold_which(source: str, target: str, holds: bool) -> None:
    assert fits(source, target) is holds


# What tables ask and refuse ---------------------------------------------------------------------------------------


def make(lake: Lake, fields: list[Field], configuration: dict[str, str] | None = None) -> None:
    DeltaTable.create(str(lake.folder / "t"), Schema(fields), configuration=configuration)


def test_not_null_columns_are_respected(lake: Lake) -> None:
    make(lake, [Field("id", PrimitiveType("long"), nullable=False), Field("v", PrimitiveType("string"))])
    with pytest.raises(ValidationFailed, match="NOT NULL id: at least 1 row fails, for example id=NULL, v=b"):
        lake.write({"id": [1, None], "v": ["a", "b"]}, mode="append")
    with pytest.raises(EngineError, match="column 'id' of the table lake:t is NOT NULL and must come out"):
        lake.write({"v": ["a"]}, mode="append")
    lake.write({"id": [1], "v": ["a"]}, mode="append")
    assert lake.rows() == [(1, "a")]
    assert not lake.table().schema().fields[0].nullable


def test_merge_cannot_insert_null_into_a_not_null_column(lake: Lake) -> None:
    make(lake, [Field("id", PrimitiveType("long")), Field("v", PrimitiveType("string"), nullable=False)])
    lake.write({"id": [1], "v": ["a"]}, mode="append")
    lake.write({"id": [1]}, mode="merge", keys=["id"])
    with pytest.raises(ValidationFailed, match="NOT NULL v"):
        lake.write({"id": [2]}, mode="merge", keys=["id"])
    assert (lake.rows(), lake.stray()) == ([(1, "a")], [])


def test_append_only_tables_take_no_overwrite(lake: Lake) -> None:
    make(lake, [Field("id", PrimitiveType("long"))], {"delta.appendOnly": "true"})
    lake.write({"id": [1]}, mode="append")
    with pytest.raises(EngineError, match=r"appendOnly \(use mode: append"):
        lake.write({"id": [2]})
    assert lake.rows() == [(1,)]


@pytest.mark.parametrize("switched_on", [True, False])
def test_deleted_rows_are_not_taken_for_rows_of_the_table(lake: Lake, switched_on: bool) -> None:
    configuration = {"delta.enableDeletionVectors": str(switched_on).lower()}
    features: dict[str, Any] = {"reader": 3, "features": ["deletionVectors"], "configuration": configuration}
    table(lake.folder / "t", pa.table({"id": [1, 2, 3, 4]}), add=deleted([0, 2]), **features)
    for mode in ("append_once", "merge", "overwrite"):
        keys = [] if mode == "overwrite" else ["id"]
        with pytest.raises(EngineError, match=r"deletionVectors \(write it with Spark\)"):
            lake.write({"id": [1]}, mode=mode, keys=keys)
    assert lake.write({"id": [1]}, mode="append").version_after == 1
    assert sorted(pa.table(lake.table().scan())["id"].to_pylist()) == [1, 2, 4]


def test_change_feed_is_appended_to_and_nothing_else(lake: Lake) -> None:
    make(lake, [Field("id", PrimitiveType("long"))], {"delta.enableChangeDataFeed": "true"})
    lake.write({"id": [1]}, mode="append")
    lake.write({"id": [1]}, mode="append_once", keys=["id"])
    with pytest.raises(EngineError, match=r"changeDataFeed \(write it with Spark\)"):
        lake.write({"id": [1]}, mode="merge", keys=["id"])


def test_constraints_are_not_passed_over(lake: Lake) -> None:
    lake.write({"id": [1]})
    lake.table().alter.add_constraint({"positive": "id > 0"})
    with pytest.raises(EngineError, match="checkConstraints"):
        lake.write({"id": [-1]}, mode="append")


def test_a_file_that_cannot_be_taken_out_is_refused(lake: Lake) -> None:
    """As Spark names a partition's file; deltalake itself leaves such rows standing when it overwrites."""
    lake.write({"id": [1], "k": ["u"]}, partition_by=["k"])
    log = lake.folder / "t" / "_delta_log" / f"{0:020}.json"
    log.write_text(log.read_text().replace("k=u/", "k=ü/").replace('"k":"u"', '"k":"ü"'))
    (lake.folder / "t" / "k=u").rename(lake.folder / "t" / "k=ü")
    with pytest.raises(EngineError, match="cannot take out of it: k=ü/"):
        lake.write({"id": [2], "k": ["u"]})
    lake.write({"id": [2], "k": ["u"]}, mode="append")
    assert lake.rows() == [(1, "ü"), (2, "u")]
