"""The Spark of the lock still answers as was recorded: every case that is one expression over rows, in few queries."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from odibi_magics.config.types import split
from odibi_magics.engines.base import Frame, Query
from odibi_magics.engines.registry import choose_engine
from odibi_magics.sql.check import check_query
from tests.sql.answers import HERE, answers
from tests.sql.cases import plain
from tests.sql.test_answers import same

EXPRESSIONS = [
    case
    for case, found in answers().items()
    if "rows" in found
    and not case.startswith(("!", "SELECT", "WITH", "(", "explode"))
    and "OR TRUE" not in case
]
COLUMNS = 120  # of one query: a wider one takes Spark's analyzer longer than two


def test_spark_answers_as_recorded(spark: Any) -> None:
    run = choose_engine("spark").open()
    try:
        text = (HERE / "table.sql").read_text()
        table = run.transform({}, Query(check_query(f"SELECT * FROM {text}", []), 1))
        differ: dict[str, Any] = {}
        for first in range(0, len(EXPRESSIONS), COLUMNS):
            cases = EXPRESSIONS[first : first + COLUMNS]
            items = ", ".join(f"{case} AS x{at}" for at, case in enumerate(cases))
            found = run.transform(
                {"t": table}, Query(check_query(f"SELECT {items} FROM t ORDER BY id", ["t"]), 1)
            )
            differ |= dict(_differing(cases, found))
    finally:
        run.close()
    assert differ == {}


def _differing(cases: list[str], found: Frame) -> Iterator[tuple[str, Any]]:
    arrow = found.to_arrow()
    for case, column, values in zip(cases, found.columns, arrow.columns, strict=True):
        wanted = answers()[case]
        given = [plain(_value(value, column.type)) for value in values.to_pylist()]
        recorded = [row[0] for row in wanted["rows"]]
        if column.type != wanted["columns"][0][1] or not all(map(same, given, recorded)):
            yield case, (column.type, given)


def _value(value: Any, type_: str) -> Any:
    """As Spark's own rows have it: maps are mappings, structs their values, instants have no zone."""
    kind, _, inner = type_.partition("<")
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    if value is None or not inner:
        return value
    parts = split(inner[:-1])
    if kind == "array":
        return [_value(item, parts[0]) for item in value]
    if kind == "map":
        return {_value(key, parts[0]): _value(item, parts[1]) for key, item in value}
    types = [part.partition(":")[2] for part in parts]
    return [_value(item, of) for item, of in zip(value.values(), types, strict=True)]
