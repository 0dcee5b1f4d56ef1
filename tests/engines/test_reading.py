"""What every format has in common: columns, filters, what is newer, pins, limits."""

from __future__ import annotations

import math
import os
import shutil
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import write_deltalake

from odibi_magics.connections.local import LocalConnection
from odibi_magics.engines.base import Engine, Frame, Place, RowCheck, Sink, Source
from odibi_magics.errors import ConnectionFailed, EngineError, ValidationFailed
from tests.engines.conftest import House, rows, types

FORMATS = ["csv", "json", "parquet", "delta"]
DATA = pa.table({
    "id": [1, 2, 3], "x": ["a", "b", None],
    "t": pa.array([datetime(2024, 1, day, 12, tzinfo=UTC) for day in (1, 2, 3)], pa.timestamp("us", "UTC")),
})  # fmt: skip


def put(house: House, format_: str, path: str = "t") -> str:
    """DATA at `path` in a format; returns the path."""
    if format_ == "delta":
        # Made elsewhere, because write_deltalake panics at some names.
        write_deltalake(str(house.folder.parent / "made"), DATA, mode="overwrite")
        shutil.copytree(house.folder.parent / "made", house.folder / path, dirs_exist_ok=True)
    elif format_ == "parquet":
        pq.write_table(DATA, house.file(path, b""))
    elif format_ == "csv":
        house.file(path, "id,x,t\n1,a,2024-01-01 12:00:00\n2,b,2024-01-02 12:00:00\n3,,2024-01-03 12:00:00\n")
    else:
        lines = (
            f'{{"id": {i}, "x": {x}, "t": "2024-01-0{i} 12:00:00"}}\n'
            for i, x in ((1, '"a"'), (2, '"b"'), (3, "null"))
        )
        house.file(path, "".join(lines))
    return path


@pytest.mark.parametrize("format_", FORMATS)
def test_the_same_rows_in_every_format(house: House, format_: str) -> None:
    frame = house.read(put(house, format_), format_)
    assert (
        types(frame.columns)
        == {"id": "bigint", "x": "string", "t": "timestamp"}
        == house.describe("t", format_)
    )
    assert frame.to_arrow().schema.remove_metadata() == DATA.schema
    assert rows(frame) == [tuple(row.values()) for row in DATA.to_pylist()]
    assert frame.count() == 3


@pytest.mark.parametrize("format_", FORMATS)
def test_columns_and_filter(house: House, format_: str) -> None:
    frame = house.read(put(house, format_), format_, columns=("T", "ID"), filter="id > 1 AND x IS NOT NULL")
    assert (
        types(frame.columns)
        == {"t": "timestamp", "id": "bigint"}
        == house.describe("t", format_, columns=("T", "ID"))
    )
    assert rows(frame) == [(datetime(2024, 1, 2, 12, tzinfo=UTC), 2)]


@pytest.mark.parametrize("format_", FORMATS)
def test_missing_columns_are_told_with_the_nearest_name(house: House, format_: str) -> None:
    put(house, format_)
    with pytest.raises(EngineError, match=r"/t has no column 'idd' \(did you mean 'id'\?\)"):
        house.read("t", format_, columns=("idd",))
    with pytest.raises(EngineError, match=r"/t has no column 'idd' \(did you mean 'id'\?\)"):
        house.describe("t", format_, columns=("idd",))
    with pytest.raises(EngineError, match="zz"):
        house.read("t", format_, filter="zz > 1")


@pytest.mark.parametrize("format_", FORMATS)
def test_limit(house: House, format_: str) -> None:
    assert len(rows(house.read(put(house, format_), format_, limit=2))) == 2


@pytest.mark.parametrize("format_", FORMATS)
def test_a_path_outside_is_refused(house: House, format_: str) -> None:
    with pytest.raises(ConnectionFailed, match="leaves its folder"):
        house.read("../secret", format_)


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("name", ["a[1]b", "what?", "st*r", "a b#c", "x+y&z"])
def test_names_with_patterns_in_them(engine: Engine, tmp_path: Path, format_: str, name: str) -> None:
    for i, folder in enumerate([name, "a1b", "whatx", "stxr"]):
        (tmp_path / folder / folder).mkdir(parents=True)
        house = House(engine, tmp_path / folder)
        put(house, format_, f"{folder}/t")
        if i == 0:
            frame = house.read(f"{folder}/t", format_)
            assert rows(frame) == [tuple(row.values()) for row in DATA.to_pylist()]
            assert house.describe(f"{folder}/t", format_) == types(frame.columns)
        house.run.close()


@pytest.mark.parametrize("end", [".zip", ".bz2", ".ZST"])
def test_packed_files_are_not_left_out_but_told(house: House, end: str) -> None:
    house.file("in/a.csv", "id\n1\n")
    house.file(f"in/b.csv{end}", b"PK")
    for path in ("in", "in/*", f"in/b.csv{end}"):
        with pytest.raises(EngineError, match=rf"b\.csv\{end} is packed: unpack it, or pack it with gzip"):
            house.read(path, "csv")
    house.file("in/notes.zip", b"PK")
    (house.folder / f"in/b.csv{end}").unlink()
    assert rows(house.read("in", "csv")) == [(1,)]


def test_what_is_no_file_is_told(house: House) -> None:
    os.mkfifo(house.folder / "pipe.csv")
    house.file("a.csv", "id\n1\n")
    (house.folder / "gone.csv").symlink_to("nothing")
    for path, says in {
        "pipe.csv": r"pipe\.csv is no file", "pipe*": r"pipe\.csv is no file", "gone*": "nothing cannot be read",
        "a.csv/b.csv": r"there is no file .*: .*/a\.csv is no folder",
    }.items():  # fmt: skip
        with pytest.raises(EngineError, match=says):
            house.read(path, "csv")


def test_a_link_in_a_folder_that_leads_out_is_refused(house: House, tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("id\n1\n")
    (house.folder / "in").mkdir()
    (house.folder / "in" / "a.csv").symlink_to(tmp_path / "secret.csv")
    for path in ("in", "in/*.csv", "in/a.csv"):
        with pytest.raises(ConnectionFailed, match="leaves its folder"):
            house.read(path, "csv")


def test_pins_name_files_with_size_and_time(house: House) -> None:
    a, b = house.file("in/a.csv", "id\n1\n"), house.file("in/b.csv", "id\n22\n")
    (pin,) = house.read("in", "csv").inputs
    assert pin == {
        "url": str(house.folder / "in"),
        "files": [["a.csv", 5, a.stat().st_mtime_ns], ["b.csv", 6, b.stat().st_mtime_ns]],
    }


def test_a_file_that_changes_is_told_again(house: House) -> None:
    house.file("a.csv", "id\n1\n")
    assert house.describe("a.csv", "csv") == {"id": "bigint"}
    house.file("a.csv", "id,x\nq,2\n")
    assert house.describe("a.csv", "csv") == {"id": "string", "x": "bigint"}


def test_a_frame_refuses_files_that_changed_since(house: House) -> None:
    frame = house.csv("id\n1\n")
    house.file("some.csv", "id\n1\n2\n")
    with pytest.raises(EngineError, match=r"some\.csv has changed since it was first read"):
        frame.to_arrow()
    (house.folder / "some.csv").unlink()
    with pytest.raises(EngineError, match=r"some\.csv is gone since it was first read"):
        frame.count()


def test_a_run_reads_only_the_places_it_was_opened_for(house: House, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "a.csv").write_text("id\n1\n")
    other = Source(Place(LocalConnection("other", tmp_path / "other"), "a.csv", "csv"))
    house.csv("id\n1\n")
    with pytest.raises(EngineError, match=r"this run was opened for .*lake, not for .*other"):
        house.run.read(other)


# NaN, which is above every number: the bounds that others write leave it out ------------------------------------------

_NAN = pa.table({
    "id": [1, 2, 3, 4],
    "d": [1.0, 2.0, float("nan"), 3.0],
    "f": pa.array([1.0, 2.0, float("nan"), 3.0], pa.float32()),
    "s": [{"d": 1.0}, {"d": 2.0}, {"d": float("nan")}, {"d": 3.0}],
})  # fmt: skip


def with_nan(house: House, format_: str) -> Frame:
    if format_ == "delta":
        write_deltalake(str(house.folder / "nan"), _NAN)
    else:
        pq.write_table(_NAN, house.file("nan", b""))
    return house.read("nan", format_)


_FIND = {
    "{} > 10": [3], "{} <= 10": [1, 2, 4], "NOT {} <= 3": [3], "{} BETWEEN 0 AND 3": [1, 2, 4],
    "{} <> 2 AND {} > 1": [3, 4], "isnan({})": [3], "{} = double('NaN')": [3],
}  # fmt: skip


@pytest.mark.parametrize("format_", ["parquet", "delta"])
def test_filters_find_nan(house: House, format_: str) -> None:
    """All in one query, of scans that each have their own condition pushed down to them."""
    few = ("{} > 10", "{} BETWEEN 0 AND 3")
    wanted = {condition.replace("{}", "d"): ids for condition, ids in _FIND.items()}
    wanted |= {
        condition.replace("{}", column): _FIND[condition] for column in ("f", "s.d") for condition in few
    }
    parts = (f"SELECT {number} AS number, id FROM t WHERE {where}" for number, where in enumerate(wanted))
    found = rows(house.sql(" UNION ALL ".join(parts), t=with_nan(house, format_)))
    told = {where: sorted(i for n, i in found if n == number) for number, where in enumerate(wanted)}
    assert told == wanted
    for column in ("f", "s.d"):
        assert rows(house.read("nan", format_, filter=f"{column} > 10", columns=("id",))) == [(3,)]


@pytest.mark.parametrize("format_", ["parquet", "delta"])
@pytest.mark.parametrize("column", ["d", "f", "s.d"])
def test_aggregates_and_checks_see_nan(house: House, format_: str, column: str) -> None:
    frame = with_nan(house, format_)
    found = house.sql(f"SELECT min({column}) AS low, isnan(max({column})) AS nan FROM t", t=frame)
    assert rows(found) == [(1.0, True)]
    with pytest.raises(ValidationFailed, match=r"1 row fails, for example .*nan"):
        house.run.check(frame, [RowCheck("range", f"{column} <= 10")])


def test_replace_where_takes_nan_out_too(house: House) -> None:
    """Spark looks for the files to replace in by their statistics."""
    with_nan(house, "delta")
    new = house.sql(
        "SELECT CAST(9 AS BIGINT) AS id, double('NaN') AS d, float(11) AS f, named_struct('d', 12D) AS s"
    )
    sink = Sink(house.place("nan", "delta"), "overwrite", replace_where="d > 10 AND s.d > 10 OR isnan(f)")
    house.run.write(new, sink, checks=(), mark="", progress=lambda rows: None)
    assert sorted(i for (i,) in rows(house.read("nan", "delta", columns=("id",)))) == [1, 2, 4, 9]


# newer_than -----------------------------------------------------------------------------------------------------------


def newer(
    house: House, written: pa.Table | None, column: str = "t", lag: timedelta | None = None, **more: Any
) -> list[int]:
    if written is not None:
        write_deltalake(str(house.folder / "out"), written, mode="overwrite", schema_mode="overwrite")
    put(house, "csv", "src.csv")
    source = house.source("src.csv", "csv", newer_than=column, lag=lag)
    return [
        row[0] for row in rows(house.run.read(replace(source, watermark=house.place("out", "delta"), **more)))
    ]


def test_newer_than_the_maximum_of_what_was_written(house: House) -> None:
    assert newer(house, None) == [1, 2, 3]
    assert newer(house, DATA.slice(0, 0)) == [1, 2, 3]
    assert newer(house, DATA.slice(0, 2)) == [3]
    assert newer(house, DATA) == []
    assert newer(house, DATA.slice(0, 2), lag=timedelta(hours=24)) == [2, 3]
    assert newer(house, DATA.slice(0, 2), lag=timedelta(hours=24, seconds=1)) == [1, 2, 3]
    assert newer(house, DATA.slice(0, 2), column="id") == [3]
    assert newer(house, DATA.slice(0, 2), column="ID", columns=("id",)) == [3]
    assert newer(house, pa.table({"id": pa.array([2], pa.int32())}), column="id") == [3]


def test_newer_than_that_cannot_be_is_told(house: House) -> None:
    with pytest.raises(EngineError, match=r"src\.csv has no column 'tt' \(did you mean 't'\?\)"):
        newer(house, DATA, column="tt")
    with pytest.raises(EngineError, match="/out has no column 't'"):
        newer(house, pa.table({"id": [1]}))
    with pytest.raises(EngineError, match=r"'t' is timestamp in .*src\.csv, but string in .*/out"):
        newer(house, pa.table({"t": ["2024"]}))
    with pytest.raises(
        EngineError, match=r"lag: goes with a date or a timestamp, and newer_than: 'id' is bigint"
    ):
        newer(house, DATA, column="id", lag=timedelta(hours=1))
    with pytest.raises(EngineError, match=r"newer_than: 'id' is NaN in .*/out, and nothing is above it"):
        newer(house, pa.table({"id": [1.0, math.nan]}), column="id")


def test_newer_than_with_days(house: House) -> None:
    house.file("d.csv", "d\n2024-01-01\n2024-01-02\n2024-01-03\n")
    write_deltalake(str(house.folder / "out"), pa.table({"d": [date(2024, 1, 2)]}))
    source = replace(house.source("d.csv", "csv", newer_than="d"), watermark=house.place("out", "delta"))
    assert rows(house.run.read(source)) == [(date(2024, 1, 3),)]
    assert len(rows(house.run.read(replace(source, lag=timedelta(days=1))))) == 2


def test_a_folder_that_matches_beside_its_files_is_read_once(house: House) -> None:
    for name in ("a/1.csv", "a/b/2.csv"):
        house.file(f"in/{name}", "id\n1\n")
    assert rows(house.read("in/**/*", "csv")) == [(1,), (1,)]
    assert rows(house.read("in/**", "csv")) == [(1,), (1,)]


def test_a_frame_tells_what_it_is_and_no_rows(house: House) -> None:
    """And no SQL, whatever it reads."""
    house.file("a.csv", "id,city\n4711,Bergen\n")
    told = repr(house.read("a.csv", "csv"))
    assert told.startswith("<rows of the ") and " engine: id bigint, city string" in told
    assert not any(text in told for text in ("4711", "Bergen", "SELECT", "session"))
    if "pandas" in told:
        assert told.endswith("; reads " + str(house.folder / "a.csv") + ">")
