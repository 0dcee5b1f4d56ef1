"""Delta tables with each feature on, as plain PySpark writes them, and what the pandas engine makes of each.

Every table has a column `id` whose values differ. In the statements {t} stands for the table, {s} for one beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ONE_FILE = "SELECT /*+ COALESCE(1) */"
AS_INT96 = {"spark.sql.parquet.outputTimestampType": "INT96"}
AS_MICROSECONDS = {"spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS"}
FAR_AWAY = (
    "(1, TIMESTAMP'2024-02-29 10:00:00.000001'), (2, TIMESTAMP'9999-12-31 23:59:59.999999'), "
    "(3, TIMESTAMP'0001-01-01 00:00:00'), (4, TIMESTAMP'1600-01-01 00:00:00'), (5, NULL)"
)


@dataclass(frozen=True)
class Made:
    """A table. feature: its row in docs/delta_features.md; "" where there is nothing to say.

    unread, adds, changes: what the refusal says to read it, to append to it, and to merge into or overwrite it; "" where
    that is done, and done right.
    """

    name: str
    feature: str
    sql: tuple[str, ...]
    unread: str = ""
    adds: str = ""
    changes: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)

    def make(self, spark: Any, folder: Path) -> Path:
        """Writes the table below a folder; returns its own."""
        place = folder / self.name
        for key, value in self.settings.items():
            spark.conf.set(key, value)
        try:
            for text in self.sql:
                beside = folder / f"{self.name} source"
                spark.sql(text.replace("{t}", f"delta.`{place}`").replace("{s}", f"delta.`{beside}`"))
        finally:
            for key in self.settings:
                spark.conf.unset(key)
        return place


def _refused(name: str, feature: str, *sql: str, **more: Any) -> Made:
    """A table that is read and not written."""
    return Made(name, feature, sql, adds=feature, changes=feature, **more)


def _plain() -> list[Made]:
    every = (
        "id BIGINT, b BOOLEAN, y TINYINT, s SMALLINT, i INT, f FLOAT, d DOUBLE, m DECIMAL(38,18), n DECIMAL(9,2), "
        "c STRING, x BINARY, day DATE, at TIMESTAMP"
    )
    values = (
        "(1, true, 1Y, 2S, 3, 1.5F, 2.5D, 12345678901234567890.123456789012345678BD, 1.25BD, 'a', X'00FF', "
        "DATE'2024-02-29', TIMESTAMP'2024-02-29 10:11:12.123456'), "
        "(2, NULL, NULL, NULL, NULL, FLOAT('NaN'), DOUBLE('Infinity'), NULL, NULL, NULL, NULL, NULL, NULL), "
        "(3, false, -128Y, -32768S, -2147483648, -0.0F, DOUBLE('NaN'), -0.5BD, -1.25BD, '', X'', DATE'0001-01-01', "
        "TIMESTAMP'0001-01-01 00:00:00'), (4, false, 127Y, 32767S, 2147483647, 0.1F, -1e300D, 0BD, 0BD, 'ünï \\n 😀', "
        "X'01', DATE'9999-12-31', TIMESTAMP'9999-12-31 23:59:59.999999')"
    )
    nested = (
        "id BIGINT, l ARRAY<STRUCT<a:INT,b:ARRAY<STRING>>>, m MAP<STRING,STRUCT<x:DOUBLE>>, "
        "s STRUCT<t:TIMESTAMP,d:DECIMAL(10,2)>"
    )
    names = (
        'id BIGINT, `a.b` INT, `größe` STRING, `x``y` INT, `it\'s` INT, `"q"` INT, `%41` INT, `select` INT'
    )
    return [
        Made("types", "", (f"CREATE TABLE {{t}} ({every}) USING delta", f"INSERT INTO {{t}} VALUES {values}",
            "DELETE FROM {t} WHERE id = 2")),
        Made("nested", "", (f"CREATE TABLE {{t}} ({nested}) USING delta", f"INSERT INTO {{t}} VALUES {NESTED}")),
        Made("odd_names", "", (f"CREATE TABLE {{t}} ({names}) USING delta",
            "INSERT INTO {t} VALUES (1, 2, 'x', 3, 4, 5, 6, 7), (2, 2, 'x', 3, 4, 5, 6, 7)")),
        Made("empty", "", ("CREATE TABLE {t} (id BIGINT, v STRING) USING delta",)),
        Made("added_columns", "", ("CREATE TABLE {t} (id BIGINT) USING delta", "INSERT INTO {t} VALUES (1)",
            "ALTER TABLE {t} ADD COLUMNS (v STRING, s STRUCT<a:INT>)",
            "INSERT INTO {t} VALUES (2, 'x', named_struct('a', 1))", "ALTER TABLE {t} ADD COLUMNS (s.b STRING FIRST)",
            "INSERT INTO {t} VALUES (3, 'x', named_struct('b', 'z', 'a', 1))")),
        Made("reordered", "", ("CREATE TABLE {t} (id BIGINT, v STRING, w INT) USING delta",
            "INSERT INTO {t} VALUES (1, 'a', 1)", "ALTER TABLE {t} ALTER COLUMN w FIRST",
            "INSERT INTO {t} VALUES (2, 2, 'b')")),
        Made("optimized", "", ("CREATE TABLE {t} (id BIGINT, v STRING) USING delta", "INSERT INTO {t} VALUES (1, 'a')",
            "INSERT INTO {t} VALUES (2, 'b')", "OPTIMIZE {t} ZORDER BY (id)")),
        Made("restored", "", ("CREATE TABLE {t} (id BIGINT, v STRING) USING delta",
            "INSERT INTO {t} VALUES (1, 'a'), (3, 'c')", "INSERT INTO {t} VALUES (2, 'b')",
            "RESTORE TABLE {t} TO VERSION AS OF 1")),
        Made("vacuumed", "", ("CREATE TABLE {t} (id BIGINT, v STRING) USING delta",
            "INSERT INTO {t} VALUES (1, 'a'), (2, 'a')", "UPDATE {t} SET v = 'b'", "VACUUM {t} RETAIN 0 HOURS"),
            settings={"spark.databricks.delta.retentionDurationCheck.enabled": "false"}),
        Made("not_null", "", ("CREATE TABLE {t} (id BIGINT NOT NULL, v INT) USING delta",
            "INSERT INTO {t} VALUES (1, 1), (2, NULL)")),
    ]  # fmt: skip


NESTED = (
    "(1, array(named_struct('a', 1, 'b', array('x', NULL))), map('k', named_struct('x', 1.5D)), "
    "named_struct('t', TIMESTAMP'2024-01-01 00:00:00', 'd', 1.25)), (2, NULL, NULL, NULL), "
    "(3, array(), map(), named_struct('t', NULL, 'd', NULL))"
)


def _partitioned() -> list[Made]:
    odd = (
        "(1, 'a b'), (2, '50%'), (4, NULL), (5, ''), (6, 'a/b=c'), (7, 'it''s \"q\"'), (8, 'a%20b'), "
        "(9, '__HIVE_DEFAULT_PARTITION__'), (10, 'a+b'), (11, 'null'), (12, '*?[x]'), (13, ' lead'), (14, 'x:y#z')"
    )
    kinds = "d DATE, b BOOLEAN, n DECIMAL(10,2), i INT, f DOUBLE, y TINYINT"
    values = (
        "(1, DATE'2024-02-29', true, 1.5, -5, 1e300, 1Y), (2, NULL, NULL, NULL, NULL, NULL, NULL), "
        "(3, DATE'0001-01-01', false, -0.01, 0, DOUBLE('NaN'), -1Y), "
        "(4, DATE'9999-12-31', false, 0, 1, DOUBLE('-Infinity'), 0Y)"
    )
    return [
        Made("odd_partitions", "", ("CREATE TABLE {t} (id BIGINT, p STRING) USING delta PARTITIONED BY (p)",
            f"INSERT INTO {{t}} VALUES {odd}")),
        Made("partitions_beyond_ascii", "partition values outside of ASCII", (
            "CREATE TABLE {t} (id BIGINT, p STRING) USING delta PARTITIONED BY (p)",
            "INSERT INTO {t} VALUES (1, 'é😀'), (2, 'a')"), changes="letters outside of ASCII"),
        Made("partition_types", "", (
            f"CREATE TABLE {{t}} (id BIGINT, {kinds}) USING delta PARTITIONED BY (d, b, n, i, f, y)",
            f"INSERT INTO {{t}} VALUES {values}")),
        Made("timestamp_partitions", "", ("CREATE TABLE {t} (id BIGINT, p TIMESTAMP) USING delta PARTITIONED BY (p)",
            f"INSERT INTO {{t}} VALUES {FAR_AWAY}")),
        Made("timestamp_partitions_without_zone", "", (
            "CREATE TABLE {t} (id BIGINT, p TIMESTAMP) USING delta PARTITIONED BY (p)",
            f"INSERT INTO {{t}} VALUES {FAR_AWAY}"),
            settings={"spark.databricks.delta.write.utcTimestampPartitionValues": "false"}),
        Made("random_folders", "", (
            "CREATE TABLE {t} (id BIGINT, p INT) USING delta PARTITIONED BY (p) "
            "TBLPROPERTIES ('delta.randomizeFilePrefixes' = 'true')", "INSERT INTO {t} VALUES (1, 1), (2, NULL)")),
        _refused("materialized", "materializePartitionColumns",
            "CREATE TABLE {t} (id BIGINT, p INT) USING delta PARTITIONED BY (p) "
            "TBLPROPERTIES ('delta.feature.materializePartitionColumns' = 'supported')",
            "INSERT INTO {t} VALUES (1, 1), (2, NULL)"),
    ]  # fmt: skip


def _times() -> list[Made]:
    at, rows = (
        "CREATE TABLE {t} (id BIGINT, at TIMESTAMP) USING delta",
        f"INSERT INTO {{t}} VALUES {FAR_AWAY}",
    )
    return [
        Made("int96", "INT96 timestamps", (at, rows), settings=AS_INT96),
        Made("int96_nested", "INT96 timestamps", (
            "CREATE TABLE {t} (id BIGINT, s STRUCT<at:TIMESTAMP>) USING delta",
            f"INSERT INTO {{t}} SELECT id, named_struct('at', at) FROM VALUES {FAR_AWAY} AS v(id, at)"),
            settings=AS_INT96),
        Made("microseconds", "", (at, rows), settings=AS_MICROSECONDS),
        Made("ntz", "timestampNtz", ("CREATE TABLE {t} (id BIGINT, at TIMESTAMP_NTZ, p TIMESTAMP_NTZ) USING delta "
            "PARTITIONED BY (p)", "INSERT INTO {t} SELECT id, CAST(at AS TIMESTAMP_NTZ), CAST(at AS TIMESTAMP_NTZ) "
            f"FROM VALUES {FAR_AWAY} AS v(id, at)")),
        _refused("in_commit_timestamps", "inCommitTimestamp",
            "CREATE TABLE {t} (id BIGINT) USING delta TBLPROPERTIES ('delta.enableInCommitTimestamps' = 'true')",
            "INSERT INTO {t} VALUES (1)", "INSERT INTO {t} VALUES (2)"),
    ]  # fmt: skip


_VECTORS = "TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')"
_MAPPED = "TBLPROPERTIES ('delta.columnMapping.mode' = 'name')"


def _vectors() -> list[Made]:
    def deleted(name: str, *sql: str, **more: Any) -> Made:
        return Made(name, "deletionVectors", sql, changes="deletionVectors", **more)

    ten = f"INSERT INTO {{t}} {ONE_FILE} id, concat('v', id) FROM range(10)"
    two = f"CREATE TABLE {{t}} (id BIGINT, v STRING) USING delta {_VECTORS}"
    return [
        deleted("vectors", two, ten, "DELETE FROM {t} WHERE id % 3 = 0", "UPDATE {t} SET v = 'y' WHERE id = 4",
            "DELETE FROM {t} WHERE id = 5"),
        deleted("vectors_in_partitions", f"CREATE TABLE {{t}} (id BIGINT, p INT) USING delta PARTITIONED BY (p) {_VECTORS}",
            "INSERT INTO {t} VALUES (1, 1), (2, 1), (3, 2), (4, 2), (5, NULL)", "DELETE FROM {t} WHERE id IN (1, 3)",
            "DELETE FROM {t} WHERE id IN (2, 5)"),
        deleted("vectors_switched_off", two, ten, "DELETE FROM {t} WHERE id < 3",
            "ALTER TABLE {t} SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'false')"),
        deleted("vectors_purged", two, ten, "DELETE FROM {t} WHERE id < 3", "REORG TABLE {t} APPLY (PURGE)"),
        deleted("vectors_and_times", f"CREATE TABLE {{t}} (id BIGINT, at TIMESTAMP) USING delta {_VECTORS}",
            f"INSERT INTO {{t}} {ONE_FILE} * FROM VALUES {FAR_AWAY}", "DELETE FROM {t} WHERE id = 5",
            settings=AS_MICROSECONDS),
        deleted("vectors_and_int96", f"CREATE TABLE {{t}} (id BIGINT, at TIMESTAMP) USING delta {_VECTORS}",
            f"INSERT INTO {{t}} {ONE_FILE} * FROM VALUES {FAR_AWAY}", "DELETE FROM {t} WHERE id = 5",
            settings=AS_INT96),
    ]  # fmt: skip


def _mapped() -> list[Made]:
    def mapped(name: str, *sql: str, **more: Any) -> Made:
        return _refused(name, "columnMapping", *sql, **more)

    nested = "id BIGINT, l ARRAY<STRUCT<a:INT,b:ARRAY<STRING>>>, m MAP<STRING,STRUCT<x:DOUBLE>>, s STRUCT<t:TIMESTAMP,d:DECIMAL(10,2)>"
    return [
        mapped("mapped", f"CREATE TABLE {{t}} (id BIGINT, `a b,;{{}}()=` STRING, `größe` INT) USING delta {_MAPPED}",
            "INSERT INTO {t} VALUES (1, 'a', 1), (2, NULL, 2)", "INSERT INTO {t} VALUES (3, 'c', 3)"),
        mapped("mapped_by_id",
            "CREATE TABLE {t} (id BIGINT, v STRING) USING delta TBLPROPERTIES ('delta.columnMapping.mode' = 'id')",
            "INSERT INTO {t} VALUES (1, 'a'), (2, NULL)", "ALTER TABLE {t} RENAME COLUMN v TO w",
            "INSERT INTO {t} VALUES (3, 'c')"),
        mapped("renamed", "CREATE TABLE {t} (id BIGINT, v STRING, w INT, s STRUCT<a:INT,b:STRING>) USING delta",
            "INSERT INTO {t} VALUES (1, 'a', 1, named_struct('a', 1, 'b', 'x'))",
            "ALTER TABLE {t} SET TBLPROPERTIES ('delta.columnMapping.mode' = 'name', 'delta.minReaderVersion' = '2', "
            "'delta.minWriterVersion' = '5')",
            "ALTER TABLE {t} RENAME COLUMN v TO renamed", "ALTER TABLE {t} DROP COLUMN w",
            "ALTER TABLE {t} ADD COLUMN w STRING", "ALTER TABLE {t} RENAME COLUMN s.a TO first",
            "INSERT INTO {t} VALUES (2, 'b', named_struct('first', 2, 'b', 'y'), 'again')"),
        mapped("mapped_with_vectors",
            "CREATE TABLE {t} (id BIGINT, `p q` STRING, v STRING) USING delta PARTITIONED BY (`p q`) TBLPROPERTIES "
            "('delta.columnMapping.mode' = 'name', 'delta.enableDeletionVectors' = 'true')",
            "INSERT INTO {t} VALUES (1, 'x y', 'a'), (2, 'x y', 'b'), (3, NULL, 'c'), (4, 'ü%/', 'd')",
            "DELETE FROM {t} WHERE id = 1", "ALTER TABLE {t} RENAME COLUMN `p q` TO part",
            "INSERT INTO {t} VALUES (5, 'z', 'e')"),
        mapped("mapped_partitions",
            f"CREATE TABLE {{t}} (id BIGINT, `größe x` STRING, P INT) USING delta PARTITIONED BY (`größe x`, P) {_MAPPED}",
            "INSERT INTO {t} VALUES (1, 'a', 1), (2, NULL, NULL)"),
        mapped("mapped_nested", f"CREATE TABLE {{t}} ({nested}) USING delta {_MAPPED}", f"INSERT INTO {{t}} VALUES {NESTED}",
            "ALTER TABLE {t} RENAME COLUMN l.element.a TO first", settings=AS_MICROSECONDS),
        mapped("mapped_int96", f"CREATE TABLE {{t}} (id BIGINT, at TIMESTAMP) USING delta {_MAPPED}",
            "INSERT INTO {t} VALUES (1, TIMESTAMP'1999-12-31 23:59:59.999999'), (2, NULL)", settings=AS_INT96),
        mapped("mapped_int96_far_away", f"CREATE TABLE {{t}} (id BIGINT, at TIMESTAMP) USING delta {_MAPPED}",
            f"INSERT INTO {{t}} VALUES {FAR_AWAY}", settings=AS_INT96, unread="INT96"),
        *(Made(f"iceberg_v{n}", f"icebergCompatV{n}", (
            "CREATE TABLE {t} (id BIGINT, v STRING) USING delta TBLPROPERTIES ('delta.columnMapping.mode' = 'name', "
            f"'delta.enableIcebergCompatV{n}' = 'true')", "INSERT INTO {t} VALUES (1, 'a'), (2, 'b')"),
            adds=f"icebergCompatV{n}", changes=f"icebergCompatV{n}") for n in (1, 2)),
    ]  # fmt: skip


def _logs() -> list[Made]:
    def grown(properties: str) -> tuple[str, ...]:
        create = f"CREATE TABLE {{t}} (id BIGINT, p DATE, v STRING) USING delta PARTITIONED BY (p) TBLPROPERTIES ({properties})"
        rows = (f"INSERT INTO {{t}} VALUES ({i}, DATE'2024-01-0{i + 1}', 'v{i}')" for i in range(5))
        return (create, *rows, "DELETE FROM {t} WHERE id = 2")

    every_two = "'delta.checkpointInterval' = '2'"
    v2 = f"{every_two}, 'delta.checkpointPolicy' = 'v2'"
    top = "spark.databricks.delta.checkpointV2.topLevelFileFormat"
    parts = {"spark.databricks.delta.checkpoint.partSize": "2"}
    as_struct = (
        "'delta.checkpoint.writeStatsAsStruct' = 'true', 'delta.checkpoint.writeStatsAsJson' = 'false'"
    )
    return [
        Made("checkpoints", "", grown(every_two)),
        Made("checkpoints_of_parts", "checkpoints of several parts", grown(every_two), settings=parts),
        Made("statistics_as_struct", "", grown(f"{every_two}, {as_struct}")),
        _refused("v2_checkpoints", "v2Checkpoint", *grown(v2), settings={top: "parquet"}),
        _refused("v2_checkpoints_in_json", "v2Checkpoint", *grown(v2), settings={top: "json", **parts}),
        _refused("vacuum_protocol", "vacuumProtocolCheck", "CREATE TABLE {t} (id BIGINT) USING delta TBLPROPERTIES "
            "('delta.feature.vacuumProtocolCheck' = 'supported')", "INSERT INTO {t} VALUES (1), (2)"),
        _refused("checkpoint_protection", "checkpointProtection", "CREATE TABLE {t} (id BIGINT) USING delta TBLPROPERTIES "
            "('delta.feature.checkpointProtection' = 'supported')", "INSERT INTO {t} VALUES (1), (2)"),
        _refused("domain_metadata", "domainMetadata", "CREATE TABLE {t} (id BIGINT) USING delta TBLPROPERTIES "
            "('delta.feature.domainMetadata' = 'supported')", "INSERT INTO {t} VALUES (1), (2)"),
        Made("shallow_clone", "shallow clones", ("CREATE TABLE {s} (id BIGINT) USING delta", "INSERT INTO {s} VALUES (1), (2)",
            "CREATE TABLE {t} SHALLOW CLONE {s}"), unread="is a shallow clone", changes="shallow clones"),
    ]  # fmt: skip


def _columns() -> list[Made]:
    widened = (
        "TBLPROPERTIES ('delta.enableTypeWidening' = 'true', 'delta.feature.timestampNtz' = 'supported')"
    )
    return [
        _refused("widened", "typeWidening",
            "CREATE TABLE {t} (id INT, v SMALLINT, f FLOAT, d DECIMAL(5,2), day DATE, x INT, y BYTE, s STRUCT<a:INT>, "
            f"l ARRAY<INT>, p INT) USING delta PARTITIONED BY (p) {widened}",
            "INSERT INTO {t} VALUES (1, 1, 1.1, 1.25, DATE'2024-01-01', 7, 8, named_struct('a', 1), array(1, 2), 1)",
            *(f"ALTER TABLE {{t}} ALTER COLUMN {column} TYPE {type_}" for column, type_ in (
                ("id", "BIGINT"), ("v", "INT"), ("f", "DOUBLE"), ("d", "DECIMAL(10,3)"), ("day", "TIMESTAMP_NTZ"),
                ("x", "DOUBLE"), ("y", "BIGINT"), ("s.a", "BIGINT"), ("l.element", "BIGINT"), ("p", "BIGINT"))),
            "INSERT INTO {t} VALUES (5000000000, 100000, 1.1, 1234.125, TIMESTAMP_NTZ'2024-01-01 10:00:00', 7.5, 8, "
            "named_struct('a', 5000000000), array(5000000000), 5000000000)"),
        _refused("variant", "variantType", "CREATE TABLE {t} (id BIGINT, v VARIANT) USING delta",
            "INSERT INTO {t} SELECT id, parse_json('{\"a\": 1}') FROM VALUES 1, 2 AS r(id)", unread="variant"),
        _refused("variant_shredded", "variantShredding", "CREATE TABLE {t} (id BIGINT, v VARIANT) USING delta "
            "TBLPROPERTIES ('delta.enableVariantShredding' = 'true')",
            "INSERT INTO {t} SELECT id, parse_json('{\"a\": 1}') FROM VALUES 1, 2 AS r(id)", unread="variant"),
        Made("void", "columns of type void", ("CREATE TABLE {t} (id BIGINT, v VOID) USING delta",
            "INSERT INTO {t} (id) VALUES (1), (2)"), unread="void", adds="void", changes="void"),
        Made("char", "char and varchar", ("CREATE TABLE {t} (id BIGINT, c CHAR(5), v VARCHAR(5)) USING delta",
            "INSERT INTO {t} VALUES (1, 'ab', 'ab'), (2, NULL, NULL)")),
        _refused("generated", "generatedColumns", "CREATE TABLE {t} (id BIGINT, y BIGINT GENERATED ALWAYS AS (id * 2)) "
            "USING delta", "INSERT INTO {t} (id) VALUES (1), (2)"),
        _refused("identity", "identityColumns", "CREATE TABLE {t} (id BIGINT GENERATED BY DEFAULT AS IDENTITY, v STRING) "
            "USING delta", "INSERT INTO {t} (v) VALUES ('a'), ('b')"),
        _refused("defaults", "allowColumnDefaults", "CREATE TABLE {t} (id BIGINT, v INT DEFAULT 7) USING delta "
            "TBLPROPERTIES ('delta.feature.allowColumnDefaults' = 'supported')", "INSERT INTO {t} (id) VALUES (1), (2)"),
        _refused("checked", "checkConstraints", "CREATE TABLE {t} (id BIGINT, v INT) USING delta",
            "ALTER TABLE {t} ADD CONSTRAINT positive CHECK (v > 0)", "INSERT INTO {t} VALUES (1, 1), (2, 2)"),
    ]  # fmt: skip


def _rows() -> list[Made]:
    tracked = (
        "CREATE TABLE {t} (id BIGINT, v INT) USING delta TBLPROPERTIES ('delta.enableRowTracking' = 'true')"
    )
    return [
        _refused("row_tracking", "rowTracking", tracked, "INSERT INTO {t} VALUES (1, 1), (2, 2)",
            "UPDATE {t} SET v = 3 WHERE id = 1"),
        _refused("row_tracking_off", "rowTracking", tracked, "INSERT INTO {t} VALUES (1, 1), (2, 2)",
            "ALTER TABLE {t} SET TBLPROPERTIES ('delta.enableRowTracking' = 'false')"),
        _refused("clustered", "clustering", "CREATE TABLE {t} (id BIGINT, v STRING) USING delta CLUSTER BY (id)",
            "INSERT INTO {t} VALUES (1, 'a'), (2, 'b')", "OPTIMIZE {t}"),
        Made("change_feed", "changeDataFeed", (
            "CREATE TABLE {t} (id BIGINT, v INT) USING delta TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true')",
            "INSERT INTO {t} VALUES (1, 1), (2, 2), (3, 3)", "UPDATE {t} SET v = 3 WHERE id = 1",
            "DELETE FROM {t} WHERE id = 2"), changes="changeDataFeed"),
        Made("append_only", "appendOnly", (
            "CREATE TABLE {t} (id BIGINT) USING delta TBLPROPERTIES ('delta.appendOnly' = 'true')",
            "INSERT INTO {t} VALUES (1), (2)"), changes="appendOnly"),
    ]  # fmt: skip


TABLES = (*_plain(), *_partitioned(), *_times(), *_vectors(), *_mapped(), *_logs(), *_columns(), *_rows())
