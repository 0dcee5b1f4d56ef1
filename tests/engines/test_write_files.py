"""csv, parquet and json sinks: one file, whole or not at all."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from odibi_magics.engines.base import RowCheck
from odibi_magics.errors import ConnectionFailed, EngineError, ValidationFailed
from tests.engines.writing import Lake, lake

__all__ = ["lake"]

AT = datetime(2024, 1, 2, 3, 4, 5, 678900)
DATA = pa.table({"id": [1, 2], "s": ['a,"b"', None], "at": pa.array([AT, None], pa.timestamp("us"))})


def names(lake: Lake) -> list[str]:
    return sorted(path.name for path in lake.folder.rglob("*") if path.is_file())


def test_csv(lake: Lake) -> None:
    written = lake.write(DATA, path="out/a.csv", format="csv")
    text = (lake.folder / "out" / "a.csv").read_text()
    assert text == 'id,s,at\n1,"a,""b""",2024-01-02T03:04:05.678900Z\n2,,\n'
    assert (written.rows, written.files, written.bytes, written.version_after) == (2, 1, len(text), None)
    assert names(lake) == ["a.csv"]


def test_csv_options(lake: Lake) -> None:
    options = {"header": False, "delimiter": ";", "quote": "'", "escape": "\\", "null_value": "NA"}
    lake.write({"s": ["x;'y'", None], "n": [1, 2]}, path="a.csv", format="csv", options=options)
    assert (lake.folder / "a.csv").read_text() == "'x;\\'y\\'';1\nNA;2\n"


def test_a_quote_is_its_own_escape(lake: Lake) -> None:
    lake.write({"s": ["it's", "a,b"]}, path="a.csv", format="csv", options={"quote": "'"})
    assert (lake.folder / "a.csv").read_text() == "s\n'it''s'\n'a,b'\n"


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_what_is_named_so_is_compressed(lake: Lake, kind: str) -> None:
    name = f"a.{kind}.gz"
    lake.write({"id": [1, 2]}, path=name, format=kind)
    text = gzip.decompress((lake.folder / name).read_bytes()).decode()
    assert text == ("id\n1\n2\n" if kind == "csv" else '{"id":1}\n{"id":2}\n')


def test_json_lines(lake: Lake) -> None:
    lake.write(DATA.append_column("l", pa.array([[1, 2], None])), path="a.json", format="json")
    lines = [json.loads(line) for line in (lake.folder / "a.json").read_text().splitlines()]
    assert lines == [
        {"id": 1, "s": 'a,"b"', "at": "2024-01-02T03:04:05.678900Z", "l": [1, 2]},
        {"id": 2, "s": None, "at": None, "l": None},
    ]


def test_parquet(lake: Lake) -> None:
    lake.write(DATA, path="a.parquet", format="parquet")
    table = pq.read_table(lake.folder / "a.parquet")
    assert table.schema.field("at").type == pa.timestamp("us", "UTC")
    assert table.to_pydict() == {"id": [1, 2], "s": ['a,"b"', None], "at": [AT.replace(tzinfo=UTC), None]}


@pytest.mark.parametrize("kind", ["csv", "json", "parquet"])
def test_no_rows_make_a_file_too(lake: Lake, kind: str) -> None:
    lake.write(lake.sql("SELECT 1::BIGINT AS id WHERE false"), path="a", format=kind)
    assert names(lake) == ["a"]
    if kind == "parquet":
        assert pq.read_table(lake.folder / "a").schema == pa.schema([("id", pa.int64())])
    else:
        assert (lake.folder / "a").read_text() == ("id\n" if kind == "csv" else "")


@pytest.mark.parametrize("kind", ["csv", "json", "parquet"])
def test_many_rows_make_one_file(lake: Lake, kind: str) -> None:
    lake.write(lake.sql("SELECT i AS id FROM range(700000) t(i)"), path="a", format=kind)
    assert names(lake) == ["a"]
    if kind == "parquet":
        assert sorted(pq.read_table(lake.folder / "a")["id"].to_pylist()) == list(range(700000))
    else:
        assert len((lake.folder / "a").read_text().splitlines()) == 700000 + (kind == "csv")


def test_overwrite_error_and_ignore(lake: Lake) -> None:
    lake.write({"id": [1]}, path="a.csv", format="csv", mode="error")
    lake.write({"id": [2]}, path="a.csv", format="csv")
    assert lake.write({"id": [3]}, path="a.csv", format="csv", mode="ignore").skipped == "exists already"
    with pytest.raises(EngineError, match=r"mode: error: lake:a.csv is there already"):
        lake.write({"id": [4]}, path="a.csv", format="csv", mode="error")
    assert (lake.folder / "a.csv").read_text() == "id\n2\n"


def test_append_adds_a_part_to_a_folder(lake: Lake) -> None:
    for i in range(2):
        lake.write({"id": [i]}, path="parts", format="csv", mode="append")
    texts = [path.read_text() for path in (lake.folder / "parts").iterdir()]
    assert sorted(texts) == ["id\n0\n", "id\n1\n"]


def test_append_leaves_a_folder_that_can_be_read(
    lake: Lake, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """What could not be read back is refused before it stands there."""
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "x.csv"
    elsewhere.write_text("id\n1\n")
    lake.write({"id": [1]}, path="parts", format="csv", mode="append")
    link = lake.folder / "parts" / "link.csv"
    link.symlink_to(elsewhere)
    with pytest.raises(ConnectionFailed, match=r"link.csv' leaves its folder"):
        lake.write({"id": [2]}, path="parts", format="csv", mode="append")
    link.unlink()
    (lake.folder / "parts" / "year=2024").mkdir()
    with pytest.raises(EngineError, match=r"holds partition folders \(year=2024\)"):
        lake.write({"id": [2]}, path="parts", format="csv", mode="append")
    assert len(names(lake)) == 1


@pytest.mark.parametrize(("kind", "refused"), [("csv", True), ("parquet", True), ("json", False)])
def test_append_of_other_columns(lake: Lake, kind: str, refused: bool) -> None:
    (lake.folder / "parts").mkdir()
    (lake.folder / "parts" / "_SUCCESS").write_text("")
    lake.write({"id": [1], "v": ["a"]}, path="parts", format=kind, mode="append")
    lake.write({"id": [1], "v": ["b"]}, path="parts", format=kind, mode="append")
    before = names(lake)
    if not refused:
        lake.write({"id": [2]}, path="parts", format=kind, mode="append")
        return
    with pytest.raises(
        EngineError, match="lake:parts could not be read with one more part: the new part lacks v; the first"
    ):
        lake.write({"id": [2]}, path="parts", format=kind, mode="append")
    assert names(lake) == before


def test_append_of_no_rows(lake: Lake) -> None:
    for kind in ("csv", "parquet", "json"):
        for _ in range(2):
            lake.write(lake.sql("SELECT 1::BIGINT AS id WHERE false"), path=kind, format=kind, mode="append")
        assert len(list((lake.folder / kind).iterdir())) == 2


def test_a_file_in_the_way_of_a_folder(lake: Lake) -> None:
    (lake.folder / "a").write_text("x")
    with pytest.raises(EngineError, match=r"cannot write .*/a/b.csv: Not a directory|File exists"):
        lake.write({"id": [1]}, path="a/b.csv", format="csv")
    assert names(lake) == ["a"]


def test_append_to_a_file_is_refused(lake: Lake) -> None:
    lake.write({"id": [1]}, path="a.csv", format="csv")
    with pytest.raises(EngineError, match=r"lake:a.csv is one file. Write to a folder"):
        lake.write({"id": [2]}, path="a.csv", format="csv", mode="append")


def test_a_folder_is_not_overwritten(lake: Lake) -> None:
    lake.write({"id": [1]}, path="parts", format="csv", mode="append")
    with pytest.raises(EngineError, match="lake:parts is a folder"):
        lake.write({"id": [2]}, path="parts", format="csv")


@pytest.mark.parametrize("mode", ["overwrite", "append", "error", "ignore"])
def test_a_table_is_not_written_into(lake: Lake, mode: str) -> None:
    lake.write({"id": [1]})
    with pytest.raises(EngineError, match="lake:t is a Delta table"):
        lake.write({"id": [2]}, format="csv", mode=mode)


def test_a_check_that_fails_leaves_the_file_as_it_was(lake: Lake) -> None:
    lake.write({"id": [1]}, path="a.csv", format="csv")
    with pytest.raises(ValidationFailed):
        lake.write({"id": [-1]}, path="a.csv", format="csv", checks=[RowCheck("positive", "id > 0")])
    assert (names(lake), (lake.folder / "a.csv").read_text()) == (["a.csv"], "id\n1\n")


@pytest.mark.parametrize(
    ("how", "words"),
    [
        (
            {"mode": "merge", "keys": ["id"]},
            "mode: merge needs a Delta table; csv knows overwrite, append, error, ignore",
        ),
        ({"partition_by": ["id"]}, "partition_by needs a Delta table"),
        ({"replace_where": "id = 1"}, "replace_where needs a Delta table"),
        (
            {"options": {"sep": ","}},
            "unknown option sep: csv takes header, delimiter, quote, escape, null_value",
        ),
    ],
)
def test_what_files_cannot_do_is_refused(lake: Lake, how: dict[str, Any], words: str) -> None:
    with pytest.raises(EngineError, match=words):
        lake.write({"id": [1], "v": [2]}, path="a.csv", format="csv", **how)
    assert names(lake) == []


@pytest.mark.parametrize(
    ("kind", "value"), [("csv", [1, 2]), ("csv", {"a": 1}), ("csv", b"x"), ("json", b"x")]
)
def test_types_that_text_cannot_hold_are_refused(lake: Lake, kind: str, value: Any) -> None:
    with pytest.raises(EngineError, match=f"{kind} cannot hold column 'x'"):
        lake.write({"x": [value]}, path="a", format=kind)
