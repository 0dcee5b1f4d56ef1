"""What differs between two schemas."""

from __future__ import annotations

from odibi_magics.config.types import Column
from odibi_magics.delta.schema import Schema, SchemaChange, schema_changes

ORDERS = Schema((Column("id", "int"), Column("city", "string"), Column("p", "date")), ("p",), ("id",))


def test_every_kind_of_change() -> None:
    after = Schema(
        (Column("new", "array<int>"), Column("P", "timestamp"), Column("id", "bigint")), ("id",), ("P",)
    )
    assert schema_changes(ORDERS, after) == (
        SchemaChange("type", "id", "int → bigint"),
        SchemaChange("nullability", "id", "NOT NULL → NULL allowed"),
        SchemaChange("removed", "city", "string"),
        SchemaChange("renamed", "P", "p → P"),
        SchemaChange("type", "P", "date → timestamp"),
        SchemaChange("nullability", "P", "NULL allowed → NOT NULL"),
        SchemaChange("added", "new", "array<int>"),
        SchemaChange("partitioning", "", "p → id"),
    )


def test_order_does_not_count() -> None:
    assert schema_changes(ORDERS, Schema(ORDERS.columns[::-1], ("P",), ("id",))) == ()


def test_no_partitioning_has_a_word() -> None:
    assert schema_changes(Schema(()), Schema((), ("a", "b"))) == (
        SchemaChange("partitioning", "", "none → a, b"),
    )
