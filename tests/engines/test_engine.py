"""An engine as the layers above see it: describes without reading, and runs that can be shared, stopped and closed."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from odibi_magics.engines.base import Sink, TableCheck
from odibi_magics.engines.registry import choose_engine
from odibi_magics.engines.sinks import check_write
from odibi_magics.errors import Cancelled, EngineError, UsageError, ValidationFailed
from tests.engines.conftest import House, rows, types


def sink(house: House, path: str = "out", format_: str = "delta", **more: Any) -> Sink:
    return Sink(house.place(path, format_), **more)


def write(house: House, frame: Any, target: Sink, **more: Any) -> Any:
    return house.run.write(
        frame, target, checks=more.pop("checks", ()), mark="{}", progress=lambda rows: None
    )


# Registry -------------------------------------------------------------------------------------------------------------


def test_engines_by_name() -> None:
    assert choose_engine("pandas").title == "pandas engine (DuckDB)"
    assert choose_engine("auto") is choose_engine("pandas")
    assert choose_engine("spark").title == "spark engine"
    with pytest.raises(UsageError, match=r"unknown engine 'panda' \(did you mean 'pandas'\?\)"):
        choose_engine("panda")


# Targets --------------------------------------------------------------------------------------------------------------


def test_targets(house: House) -> None:
    assert not house.engine.target(sink(house)).exists
    write_deltalake(str(house.folder / "out"), pa.table({"id": [1, 2], "p": ["a", "b"]}), partition_by=["p"])
    found = house.engine.target(sink(house))
    assert (found.exists, found.version, found.partition_by, found.rows, found.files) == (
        True,
        0,
        ("p",),
        2 if house.engine.name == "pandas" else None,
        2,
    )
    assert types(found.columns) == {"id": "bigint", "p": "string"}
    added = DeltaTable(str(house.folder / "out")).get_add_actions()
    assert found.bytes == sum(pa.table(added)["size_bytes"].to_pylist())


def test_targets_of_files(house: House) -> None:
    assert not house.engine.target(sink(house, "a.csv", "csv")).exists
    house.file("a.csv", "id\n")
    assert house.engine.target(sink(house, "a.csv", "csv")).exists
    (house.folder / "parts").mkdir()
    assert not house.engine.target(sink(house, "parts", "parquet")).exists


# Sharing --------------------------------------------------------------------------------------------------------------


def test_what_is_shared_is_computed_once(house: House) -> None:
    calls = []

    def count(df: pa.Table) -> pa.Table:
        calls.append(1)
        return df

    frame = house.csv("id\n1\n2\n")
    shared = house.run.share(house.sql("SELECT id * 2 AS n FROM t", t=frame))
    house.file("some.csv", "id\nx\n")
    assert rows(shared) == rows(shared) == [(2,), (4,)]
    assert shared.inputs == frame.inputs
    made = house.call(count, {"df": shared})
    assert rows(made) == rows(made) == [(2,), (4,)]
    assert calls == [1]


def test_what_one_run_keeps_is_not_what_another_reads(house: House) -> None:
    kept = house.run.share(house.csv("id\n1\n"))
    other = House(house.engine, house.folder)
    fresh = other.csv("id\n2\n")
    assert (rows(kept), rows(fresh)) == ([(1,)], [(2,)])
    other.run.close()
    assert rows(kept) == [(1,)]


def test_a_mere_scan_is_not_copied(house: House) -> None:
    write_deltalake(str(house.folder / "t"), pa.table({"id": [1]}))
    frame = house.read("t", "delta")
    assert house.run.share(frame) is frame
    assert house.run.share(house.read("t", "delta", filter="id > 0")) is not frame


# Written --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "format_"), [("out", "delta"), ("a.csv", "csv"), ("a.parquet", "parquet"), ("a.json", "json")]
)
def test_what_was_written_is_read_back_with_its_types(house: House, path: str, format_: str) -> None:
    frame = house.csv(
        "id,code,ts\n1,007,2024-01-31 10:00:00\n2,,\n",
        schema={"id": "int", "code": "string", "ts": "timestamp"},
    )
    written = write(house, frame, sink(house, path, format_))
    back = house.run.written(written)
    assert back.columns == frame.columns
    assert rows(back) == rows(frame)


def test_a_csv_is_read_back_as_it_was_written(house: House) -> None:
    frame = house.csv("id,code\n1,007\n2,\n", schema={"id": "int", "code": "string"})
    options = {"header": False, "delimiter": ";", "quote": "'", "null_value": "NA"}
    written = write(house, frame, replace(sink(house, "a.csv", "csv"), options=options))
    assert rows(house.run.written(written)) == [(1, "007"), (2, None)]


def test_what_files_cannot_hold_is_known_before_the_run(house: House) -> None:
    frame = house.sql("SELECT array(1, 2) AS a")
    target = house.engine.target(sink(house, "a.csv", "csv"))
    with pytest.raises(EngineError, match="csv cannot hold column 'a' of type array<int>"):
        check_write(frame.columns, sink(house, "a.csv", "csv"), target)
    check_write(frame.columns, sink(house, "a.json", "json"), target)


def test_a_table_is_read_back_at_the_version_written(house: House) -> None:
    written = write(house, house.csv("id\n1\n"), sink(house))
    write_deltalake(str(house.folder / "out"), pa.table({"id": [5]}), mode="overwrite")
    assert rows(house.run.written(written)) == [(1,)]


def test_checks_without_a_write(house: House) -> None:
    frame = house.csv("id\n1\n1\n")
    with pytest.raises(ValidationFailed):
        house.run.check(frame, [TableCheck("unique id", "unique", columns=("id",))])


# Stopping and closing -------------------------------------------------------------------------------------------------


def test_a_stop_from_another_thread(house: House) -> None:
    house.file("n.csv", "n\n" + "1\n" * 100)
    house.file("long.csv", "n\n" + "1\n" * 100_000)
    # A task of Spark's looks whether it is to end at each row that it reads, and never inside of a join.
    given = {"long": house.read("long.csv", "csv"), **dict.fromkeys("abc", house.read("n.csv", "csv"))}
    slow = house.sql("SELECT count(*) AS c FROM long CROSS JOIN a CROSS JOIN b CROSS JOIN c", 1, **given)
    done = house.csv("id\n1\n")
    ended: list[BaseException] = []

    def work() -> None:
        try:
            write(house, slow, sink(house))
        except BaseException as error:  # what it is, is what is tested
            ended.append(error)

    before = threading.enumerate()
    thread = threading.Thread(target=work)
    thread.start()
    time.sleep(0.5)
    house.run.cancel()
    thread.join(60)
    assert [type(error) for error in ended] == [Cancelled]
    assert not house.engine.target(sink(house)).exists
    for call in (
        lambda: house.read("n.csv", "csv"),
        lambda: house.run.share(slow),
        lambda: write(house, done, sink(house)),
    ):
        with pytest.raises(Cancelled):
            call()
    assert rows(done) == [(1,)]
    assert [
        thread.name
        for thread in threading.enumerate()
        if thread not in before and thread.name.startswith("odibi")
    ] in (
        [],
        ["odibi-stop"],
    )


def test_after_closing_data_is_gone_and_says_so(house: House) -> None:
    frame = house.csv("id\n1\n")
    house.run.close()
    house.run.close()
    with pytest.raises(EngineError, match="this run is closed"):
        frame.to_arrow()


def test_runs_do_not_see_one_another(house: House) -> None:
    other = House(house.engine, house.folder)
    mine = house.run.share(house.sql("SELECT id FROM t", t=house.csv("id\n1\n")))
    theirs = other.run.share(other.sql("SELECT id + 1 AS id FROM t", t=other.csv("id\n1\n")))
    other.run.close()
    assert rows(mine) == [(1,)]
    with pytest.raises(EngineError):
        rows(theirs)


def test_independent_nodes_side_by_side(house: House) -> None:
    house.file("n.csv", "n\n" + "".join(f"{i}\n" for i in range(1000)))
    found: dict[int, Any] = {}

    def work(i: int) -> None:
        frame = house.sql(f"SELECT sum(n) + {i} AS s FROM t", t=house.read("n.csv", "csv"))
        write(house, house.run.share(frame), sink(house, f"out{i}"))
        found[i] = rows(house.read(f"out{i}", "delta"))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {i: [(499_500 + i,)] for i in range(4)}
