"""Every type with its extremes, written by each engine and read by both: the same columns and the same rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from odibi_magics.connections.local import LocalConnection
from odibi_magics.engines.base import Engine, Place, Sink, Source
from odibi_magics.engines.registry import choose_engine
from tests.engines.conftest import types

OSLO = timezone(timedelta(hours=1))
NAN, INF = float("nan"), float("inf")
DECIMALS = [
    (1, 0),
    (1, 1),
    (5, 2),
    (9, 0),
    (9, 9),
    (10, 2),
    (18, 0),
    (18, 18),
    (19, 4),
    (38, 0),
    (38, 18),
    (38, 38),
]

VALUES: dict[str, tuple[pa.DataType, list[Any]]] = {
    "boolean": (pa.bool_(), [True, False]),
    "tinyint": (pa.int8(), [-128, 127, 0]),
    "smallint": (pa.int16(), [-(2**15), 2**15 - 1]),
    "int": (pa.int32(), [-(2**31), 2**31 - 1]),
    "bigint": (pa.int64(), [-(2**63), 2**63 - 1, 2**53 + 1]),
    "float": (pa.float32(), [NAN, INF, -INF, -0.0, 3.4028234663852886e38, 1.401298464324817e-45]),
    "double": (pa.float64(), [NAN, INF, -INF, -0.0, 1.7976931348623157e308, 5e-324, 0.1]),
    "string": (pa.string(), ["", " ", "a\0b", "\n\r\t\"'\\", "ñ 日本 😀 e\u0301", "x" * 1_000_000]),
    "binary": (pa.binary(), [b"", b"\0\xff", bytes(range(256))]),
    "date": (pa.date32(), [date(1, 1, 1), date(9999, 12, 31), date(1582, 10, 4), date(1582, 10, 15), date(1970, 1, 1)]),
    "timestamp": (
        pa.timestamp("us", "UTC"),
        [
            datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999_999, UTC),
            datetime(1582, 10, 4, 1, 2, 3, 4, UTC), datetime(1969, 12, 31, 23, 59, 59, 999_999, UTC),
            datetime(2024, 3, 31, 2, 30, tzinfo=OSLO),
        ],
    ),
    **{
        f"decimal({p},{s})": (pa.decimal128(p, s), [Decimal(f"{sign}{'9' * p}E-{s}") for sign in ("", "-")] + [Decimal(f"1E-{s}")])
        for p, s in DECIMALS
    },
}  # fmt: skip


def table() -> pa.Table:
    """One column of each type, and of arrays, maps and structs of it; a row for each value, then one of NULLs."""
    longest = max(len(values) for _, values in VALUES.values())
    columns: dict[str, pa.Array] = {"id": pa.array(range(longest + 1), pa.int32())}
    for i, (type_, values) in enumerate(VALUES.values()):
        padded = [values[at % len(values)] for at in range(longest)] + [None]
        short = [None if isinstance(value, str) and len(value) > 100 else value for value in padded]
        columns[f"c{i}"] = pa.array(padded, type_)
        columns[f"a{i}"] = pa.array(
            [[], [None], *([value, value] for value in short[2:-1]), None], pa.list_(type_)
        )
        columns[f"s{i}"] = pa.array([{"x": value, "Ab": i} for value in short[:-1]] + [None],
                                    pa.struct({"x": type_, "Ab": pa.int32()}))  # fmt: skip
        columns[f"m{i}"] = pa.array([[], [("", None)], *([("k", value)] for value in short[2:-1]), None],
                                    pa.map_(pa.string(), type_))  # fmt: skip
    deep = pa.list_(
        pa.struct({"m": pa.map_(pa.string(), pa.list_(pa.float64())), "s": pa.struct({"d": pa.date32()})})
    )
    one = [{"m": [("k", [NAN, None])], "s": {"d": date(1, 1, 1)}}, None, {"m": None, "s": None}]
    columns["deep"] = pa.array([[], one, *[None] * (longest - 1)], deep)
    return pa.table(columns)


def plain(value: Any) -> Any:
    """A value told apart by its text: NaN is itself, and -0.0 no 0.0."""
    if isinstance(value, datetime):
        return str(value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC))
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return repr(value)


def plain_rows(found: pa.Table) -> dict[int, dict[str, Any]]:
    return {row["id"]: {name: plain(value) for name, value in row.items()} for row in found.to_pylist()}


class Engines:
    """Both engines over one folder."""

    def __init__(self, folder: Path) -> None:
        self.connection = LocalConnection("lake", folder)
        self.engines: dict[str, Engine] = {name: choose_engine(name) for name in ("pandas", "spark")}
        self.runs = {name: engine.open([self.place("", "delta")]) for name, engine in self.engines.items()}

    def place(self, path: str, format_: str) -> Place:
        return Place(self.connection, path, format_)

    def write(
        self, engine: str, source: Source, path: str, format_: str, mode: str = "overwrite", **more: Any
    ) -> None:
        run = self.runs[engine]
        sink = Sink(self.place(path, format_), mode, **more)
        run.write(run.read(source), sink, checks=(), mark="", progress=lambda *_: None)

    def read(self, engine: str, path: str, format_: str) -> tuple[dict[str, str], dict[int, dict[str, Any]]]:
        frame = self.runs[engine].read(Source(self.place(path, format_)))
        return types(frame.columns), plain_rows(frame.to_arrow())


@pytest.fixture
def engines(spark: Any, tmp_path: Path) -> Iterator[Engines]:
    made = Engines(tmp_path)
    yield made
    for run in made.runs.values():
        run.close()


def test_every_type_goes_both_ways(engines: Engines, tmp_path: Path) -> None:
    data = table()
    pq.write_table(data, tmp_path / "given.parquet")
    source = Source(engines.place("given.parquet", "parquet"))
    expected = plain_rows(data)
    told = types(engines.engines["pandas"].describe_source(source))
    assert [told[f"c{i}"] for i in range(len(VALUES))] == list(VALUES)
    for writer in ("pandas", "spark"):
        for format_ in ("delta", "parquet"):
            engines.write(writer, source, f"{format_}-{writer}", format_)
        engines.write(
            writer, Source(engines.place(f"delta-{writer}", "delta")), "delta-both", "delta", "append"
        )
    for path in ("given.parquet", "delta-pandas", "delta-spark", "parquet-pandas", "parquet-spark"):
        for reader in ("pandas", "spark"):
            columns, rows = engines.read(reader, path, path.split("-")[0].removeprefix("given."))
            assert columns == told, (path, reader)
            assert rows == expected, (path, reader)
    both = [
        engines.runs[name].read(Source(engines.place("delta-both", "delta"))).to_arrow()
        for name in engines.runs
    ]
    assert [found.num_rows for found in both] == [2 * data.num_rows] * 2
    assert plain_rows(both[0]) == plain_rows(both[1]) == expected
