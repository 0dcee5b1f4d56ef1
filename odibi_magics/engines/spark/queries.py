"""SQL over frames: each is a table under its name for one query alone, in classic sessions and through Connect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from odibi_magics.config.types import Column
from odibi_magics.engines.base import Query
from odibi_magics.engines.spark.names import quoted
from odibi_magics.engines.spark.types import schema_of
from odibi_magics.sql.check import check_predicate
from odibi_magics.sql.problems import SqlErrors
from odibi_magics.sql.transpile import check_columns, check_condition, to_spark


def predicate(text: str, columns: Sequence[Column]) -> str:
    """Spark's SQL for a condition over these columns. Raises SqlErrors where it does not fit them."""
    checked = check_predicate(text)
    if problems := check_condition(checked, [(column.name, column.type) for column in columns]):
        raise SqlErrors(problems)
    return to_spark(checked)


def over(spark: Any, sql: str, tables: Mapping[str, Any]) -> Any:
    """A query over DataFrames by their names in it. The query's own CTEs may hide them."""
    if not tables:
        return spark.sql(sql)
    given = {f"t{i}": frame for i, frame in enumerate(tables.values())}
    items = (
        f"{quoted(name).replace('{', '{{').replace('}', '}}')} AS (SELECT * FROM {{{key}}})"
        for name, key in zip(tables, given, strict=True)
    )
    body = sql.replace("{", "{{").replace("}", "}}")
    return spark.sql(f"WITH {', '.join(items)}\nSELECT * FROM (\n{body}\n)", **given)


def spark_sql(query: Query, inputs: Mapping[str, Sequence[Column]]) -> str:
    """Spark's SQL for a step. Raises SqlErrors, with columns placed on the user's own text."""
    named = {name: [(c.name, c.type) for c in inputs[name]] for name in query.checked.tables}
    if problems := check_columns(query.checked, named):
        raise SqlErrors(problems)
    return to_spark(query.checked)


def empty(spark: Any, columns: Sequence[Column]) -> Any:
    """A DataFrame with these columns and no rows."""
    return spark.createDataFrame([], schema_of(columns))
