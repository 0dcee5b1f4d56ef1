"""336,776 flights: csv, two joins, checks, a partitioned table, and their days merged into a second one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

PIPELINE = """
connections:
  raw: {{type: local, base_path: {data}}}
  lake: {{type: local, base_path: {lake}}}
nodes:
  - name: flights_raw
    read: {{connection: raw, path: flights.csv, options: {{null_value: NA}}}}
  - name: airlines
    read: {{connection: raw, path: airlines.csv}}
  - name: planes
    read: {{connection: raw, path: planes.csv, options: {{null_value: NA}}}}
  - name: flights
    transform:
      steps:
        - sql: |
            SELECT f.year, f.month, f.day, f.time_hour, f.carrier, a.name AS airline, f.flight, f.origin, f.dest,
                   f.tailnum, p.manufacturer, p.seats, f.dep_delay, f.arr_delay, f.distance
            FROM flights_raw f
            JOIN airlines a ON f.carrier = a.carrier
            LEFT JOIN planes p ON f.tailnum = p.tailnum
            WHERE f.dep_time IS NOT NULL
    validation:
      not_empty: true
      no_nulls: {{columns: [carrier, airline, origin, dest]}}
      accepted_values: {{column: origin, values: [EWR, JFK, LGA]}}
      range: {{column: seats, min: 1, max: 400, on_fail: warn}}
    write: {{connection: lake, path: flights, partition_by: [month]}}
  - name: daily
    transform:
      steps:
        - sql: |
            SELECT year, month, day, origin, count(*) AS flights, round(avg(dep_delay), 1) AS mean_departure_delay,
                   max(arr_delay) AS worst_arrival_delay
            FROM flights
            GROUP BY year, month, day, origin
    validation: {{unique: {{columns: [year, month, day, origin]}}}}
    write: {{connection: lake, path: daily, mode: merge, keys: [year, month, day, origin]}}
"""

_FLIGHTS = (
    "year BIGINT, month BIGINT, day BIGINT, dep_time BIGINT, sched_dep_time BIGINT, dep_delay BIGINT, arr_time BIGINT, "
    "sched_arr_time BIGINT, arr_delay BIGINT, carrier STRING, flight BIGINT, tailnum STRING, origin STRING, "
    "dest STRING, air_time BIGINT, distance BIGINT, hour BIGINT, minute BIGINT, time_hour TIMESTAMP"
)
_PLANES = (
    "tailnum STRING, year BIGINT, type STRING, manufacturer STRING, model STRING, engines BIGINT, seats BIGINT, "
    "speed BIGINT, engine STRING"
)
_BAD = "carrier IS NULL OR airline IS NULL OR origin IS NULL OR dest IS NULL OR origin NOT IN ('EWR', 'JFK', 'LGA')"


def by_hand(spark: Any, data: Path, lake: Path) -> None:
    """What somebody writes who wants the same: types said beforehand, and checks on the way into the table."""
    from pyspark.sql import Observation
    from pyspark.sql.functions import count, count_if, expr, lit

    csv = spark.read.option("header", True).option("nullValue", "NA").option("mode", "FAILFAST")
    flights = csv.schema(_FLIGHTS).csv(str(data / "flights.csv"))
    airlines = csv.schema("carrier STRING, name STRING").csv(str(data / "airlines.csv"))
    planes = csv.schema(_PLANES).csv(str(data / "planes.csv"))
    clean = (
        flights.where("dep_time IS NOT NULL")
        .join(airlines, "carrier")
        .join(planes.select("tailnum", "manufacturer", "seats"), "tailnum", "left")
        .selectExpr(
            "year", "month", "day", "time_hour", "carrier", "name AS airline", "flight", "origin", "dest", "tailnum",
            "manufacturer", "seats", "dep_delay", "arr_delay", "distance",
        )
    )  # fmt: skip
    seen, odd = Observation(), expr("NOT seats BETWEEN 1 AND 400")
    checked = clean.withColumn("origin", expr(f"IF({_BAD}, raise_error('a bad row'), origin)"))
    checked = checked.observe(seen, count(lit(1)).alias("rows"), count_if(odd).alias("odd"))
    target = str(lake / "flights")
    checked.write.format("delta").partitionBy("month").mode("overwrite").save(target)
    if not seen.get["rows"]:
        raise ValueError("there are no flights")
    if seen.get["odd"]:
        print(f"{seen.get['odd']} rows have odd seats")
    _daily(spark, target, str(lake / "daily"))


def _daily(spark: Any, source: str, target: str) -> None:
    daily = spark.sql(
        "SELECT year, month, day, origin, count(*) AS flights, round(avg(dep_delay), 1) AS mean_departure_delay, "
        f"max(arr_delay) AS worst_arrival_delay FROM delta.`{source}` GROUP BY year, month, day, origin"
    )
    keys = ["year", "month", "day", "origin"]
    if (
        daily.groupBy(*keys)
        .count()
        .where("count > 1 OR year IS NULL OR month IS NULL OR day IS NULL")
        .take(1)
    ):
        raise ValueError("a day comes twice")
    if Path(target, "_delta_log").exists():
        on = " AND ".join(f"t.{key} = s.{key}" for key in keys)
        daily.createOrReplaceTempView("daily")
        spark.sql(
            f"MERGE INTO delta.`{target}` t USING daily s ON {on} "
            "WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *"
        ).collect()
    else:
        daily.write.format("delta").save(target)
