"""Asks Spark for its answers to cases.txt and writes answers.json: run it with pyspark 4 installed.

python tests/sql/record.py
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession  # type: ignore[import-not-found,unused-ignore]

HERE = Path(__file__).parent


def main() -> None:
    """Writes answers.json beside this file."""
    spark = (
        SparkSession.builder.master("local[1]")
        .config("spark.sql.ansi.enabled", "true")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", "1")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.memory", "1g")
        .config("spark.driver.extraJavaOptions", "-Duser.timezone=UTC")
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("OFF")
    spark.sql("SELECT * FROM " + (HERE / "table.sql").read_text()).repartition(1).createOrReplaceTempView(
        "t0"
    )
    table = spark.createDataFrame(spark.table("t0").collect(), spark.table("t0").schema)
    table.createOrReplaceTempView("t")
    cases = (HERE / "cases.txt").read_text().splitlines()
    path = HERE / "answers.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    answers = {
        case: known.get(case) or answer(spark, case) for case in cases if case and not case.startswith("#")
    }
    lines = (f"{json.dumps(case)}: {json.dumps(found)}" for case, found in answers.items())
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    spark.stop()


def query(case: str) -> str:
    """A case as a whole query."""
    text = case.removeprefix("!")
    if text.startswith(("SELECT", "WITH", "(SELECT")):
        return text
    return (
        f"SELECT {text} AS x FROM t"
        if text.startswith("explode")
        else f"SELECT {text} AS x FROM t ORDER BY id"
    )


def answer(spark: SparkSession, case: str) -> dict[str, Any]:
    """Columns with their types and rows, or the error's class."""
    try:
        frame = spark.sql(query(case))
        rows = [[plain(value) for value in row] for row in frame.collect()]
        return {
            "columns": [[field.name, field.dataType.simpleString()] for field in frame.schema],
            "rows": rows,
        }
    except Exception as error:  # whatever Spark raises is its answer
        return {"error": str(error).split("]")[0].strip("[")[:60]}


def plain(value: Any) -> Any:
    """A value as JSON has it, told apart by its text where JSON cannot."""
    if isinstance(value, dict):
        return sorted([plain(key), plain(item)] for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).hex()
    if value is None or isinstance(value, (bool, int, str)):
        return value
    return repr(value) if isinstance(value, float) else str(value)


if __name__ == "__main__":
    main()
