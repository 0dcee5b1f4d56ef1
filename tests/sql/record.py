"""Asks Spark for its answers to cases.txt and writes answers.json: run it with pyspark 4 installed.

python tests/sql/record.py
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cases import plain, query  # type: ignore[import-not-found]  # beside this script
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


if __name__ == "__main__":
    main()
