"""Spark's recorded answers, and the same table in DuckDB."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from odibi_magics.sql.check import check_query
from odibi_magics.sql.transpile import to_duckdb
from odibi_magics.sql.types import in_duckdb
from tests.sql.cases import plain, query

HERE = Path(__file__).parent
COLUMNS = (
    ("id", "int"), ("i", "int"), ("b", "bigint"), ("ti", "tinyint"), ("d", "double"), ("f", "float"),
    ("dec", "decimal(10,2)"), ("s", "string"), ("s2", "string"), ("dt", "date"), ("ts", "timestamp"), ("bo", "boolean"),
    ("ai", "array<int>"), ("ar", "array<string>"), ("m", "map<string,int>"), ("n", "int"),
    ("st", "struct<n:int,t:string>"),
)  # fmt: skip


@cache
def answers() -> dict[str, dict[str, Any]]:
    """By case: columns and rows, or the class of Spark's error."""
    found: dict[str, dict[str, Any]] = json.loads((HERE / "answers.json").read_text())
    return found


@cache
def database() -> duckdb.DuckDBPyConnection:
    """A DuckDB with the table `t`."""
    connection = duckdb.connect()
    types = ", ".join(f'"{name}" {in_duckdb(type_)}' for name, type_ in COLUMNS)
    connection.execute(f"CREATE TABLE t ({types})")
    connection.execute(f"INSERT INTO t {_values()}")
    return connection


def _values() -> str:
    """table.sql, whose literals Spark and DuckDB write differently."""
    text = (HERE / "table.sql").read_text().split("AS t(")[0]
    checked = check_query(f"SELECT * FROM {text}", [])
    return to_duckdb(checked, {})


def run(case: str) -> tuple[list[list[str]], list[list[Any]]]:
    """Names and types of the columns, and the rows as the answers have them."""
    sql = to_duckdb(check_query(query(case), ["t"]), {"t": COLUMNS})
    relation = database().cursor().sql(sql)
    structs = [str(type_).startswith("STRUCT") for type_ in relation.types]
    rows = [
        [
            plain(list(value.values()) if struct and value else value)
            for value, struct in zip(row, structs, strict=True)
        ]
        for row in relation.fetchall()
    ]
    return [[name, str(type_)] for name, type_ in zip(relation.columns, relation.types, strict=True)], rows
