"""Reading from a storage account: the same answers as from a folder, each file as it stood when it was listed."""

from __future__ import annotations

import gzip
import io
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from odibi_magics.connections.adls import AdlsConnection
from odibi_magics.engines.base import Engine, EngineRun, Frame, Place, Source
from odibi_magics.engines.pandas.blob_start import START_BYTES
from odibi_magics.engines.pandas.session import Session
from odibi_magics.engines.pandas.trees import tree_of
from odibi_magics.engines.registry import choose_engine
from odibi_magics.errors import ConnectionFailed, EngineError
from odibi_magics.sandbox import Cloud
from tests.engines.conftest import rows
from tests.engines.writing import Lake, adls

DATA = pa.table({
    "id": [1, 2, 3], "x": ["a", "b", None],
    "t": pa.array([datetime(2024, 1, day, 12, tzinfo=UTC) for day in (1, 2, 3)], pa.timestamp("us", "UTC")),
})  # fmt: skip
ROWS = [tuple(row.values()) for row in DATA.to_pylist()]
CSV = b"id,x,t\n1,a,2024-01-01 12:00:00\n2,b,2024-01-02 12:00:00\n3,,2024-01-03 12:00:00\n"
JSON = b"".join(
    b'{"id": %d, "x": %s, "t": "2024-01-0%d 12:00:00"}\n' % (i, x, i)
    for i, x in ((1, b'"a"'), (2, b'"b"'), (3, b"null"))
)


@pytest.fixture
def engine() -> Engine:
    """Spark is not started inside the practice cloud: its JVM takes the proxy when it starts."""
    return choose_engine("pandas")


class Blobs:
    """A folder of a storage account, and an engine that reads it."""

    def __init__(self, engine: Engine, connection: AdlsConnection) -> None:
        self.engine, self.connection = engine, connection
        self.run: EngineRun[Frame] = engine.open([self.place("", "csv")])

    def place(self, path: str, format_: str) -> Place:
        return Place(self.connection, path, format_)

    def put(self, path: str, data: bytes) -> str:
        self.connection.put(path, data)
        return self.connection.url(path)

    def delete(self, path: str) -> None:
        container, key = self.connection.split(self.connection.url(path))
        self.connection.store(container).delete(key)

    def read(self, path: str, format_: str = "csv", **more: Any) -> Frame:
        return self.run.read(Source(self.place(path, format_), **more))


@pytest.fixture
def blobs(engine: Engine, cloud: Cloud) -> Iterator[Blobs]:
    made = Blobs(engine, adls(cloud))
    yield made
    made.run.close()


def parquet(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return buffer.getvalue()


FILES = {"csv": CSV, "json": JSON, "parquet": parquet(DATA)}


@pytest.mark.parametrize("format_", FILES)
@pytest.mark.parametrize("path", ["t", "in a/folder/ü t#1?.x", "a%20b"])
def test_the_same_rows_in_every_format(blobs: Blobs, format_: str, path: str) -> None:
    blobs.put(path, FILES[format_])
    assert rows(blobs.read(path, format_)) == ROWS
    described = blobs.engine.describe_source(Source(blobs.place(path, format_)))
    assert [column.type for column in described] == ["bigint", "string", "timestamp"]


@pytest.mark.parametrize("format_", FILES)
def test_folders_and_patterns(blobs: Blobs, format_: str) -> None:
    for name in ("a/1", "a/2", "b/c/3", "_hidden/4", "a/.5", "a/_SUCCESS"):
        blobs.put(f"{name}.{format_}", FILES[format_])
    for path, times in {"a": 2, "a/*": 2, "*/1.*": 1, "**/*": 3, "[ab]": 2, "b/?": 1}.items():
        assert rows(blobs.read(path, format_)) == ROWS * times, path


def test_files_that_gzip_packed(blobs: Blobs) -> None:
    blobs.put("a.csv.gz", gzip.compress(CSV))
    blobs.put("a.json.gz", gzip.compress(JSON))
    assert rows(blobs.read("a.csv.gz")) == rows(blobs.read("a.json.gz", "json")) == ROWS


@pytest.mark.parametrize("format_", FILES)
def test_an_empty_blob_that_marks_a_folder_is_no_file(blobs: Blobs, cloud: Cloud, format_: str) -> None:
    """So each folder looks in an account with a hierarchical namespace, and Spark puts them into others."""
    for folder in ("a", "a/sub"):
        mark_folder(cloud, blobs.connection, folder)
    blobs.put(f"a/1.{format_}", FILES[format_])
    blobs.put(f"a/sub/2.{format_}", FILES[format_])
    for path, times in {"a": 1, "a/*.*": 1, "a/*": 2, "a/**/*": 2}.items():
        assert rows(blobs.read(path, format_)) == ROWS * times, path


def test_tables_and_parts_go_where_a_folder_is_marked(cloud: Cloud) -> None:
    lake = Lake(None, adls(cloud))  # type: ignore[arg-type]
    for folder in ("t", "t/_delta_log", "parts", "file.csv"):
        mark_folder(cloud, lake.connection, folder)
    for _ in range(2):
        lake.write({"id": [1]}, mode="append")
        lake.write({"id": [1]}, "parts", "append", format="csv")
    assert lake.rows() == [(1,), (1,)]
    with pytest.raises(EngineError, match=r"mode: overwrite writes one file, and \S+ is a folder"):
        lake.write({"id": [1]}, "file.csv", format="csv")
    lake.session.close()


def mark_folder(cloud: Cloud, connection: Any, path: str) -> None:
    container, key = connection.split(connection.url(path))
    client = cloud.storage("account2").client().get_container_client(container)
    client.upload_blob(key, b"", metadata={"hdi_isfolder": "true"})


def test_a_blob_read_by_its_name_and_by_a_pattern_is_one(blobs: Blobs) -> None:
    blobs.put("a/1.csv", CSV)
    one, all_ = blobs.read("a/1.csv"), blobs.read("a/*.csv")
    assert rows(one) == rows(all_) == ROWS


def test_a_folder_of_a_connection_without_container(engine: Engine, cloud: Cloud) -> None:
    made = Blobs(engine, adls(cloud, container=None, path_prefix=None))
    made.put("clean/whole container/a.csv", CSV)
    assert rows(made.read("clean/whole container")) == rows(made.read("clean/whole*/a.csv")) == ROWS
    with pytest.raises(EngineError, match=r"there is no file abfss://clean@account2\S+/whol; there: "):
        made.read("clean/whol")
    made.run.close()


def test_delta_now_and_as_it_was(blobs: Blobs) -> None:
    lake = Lake(None, blobs.connection)  # type: ignore[arg-type]
    lake.write({"id": [1, 2], "p": ["x/y", None]}, partition_by=["p"])
    lake.write({"id": [3], "p": ["ü"]}, mode="append")
    assert sorted(rows(blobs.read("t", "delta"))) == [(1, "x/y"), (2, None), (3, "ü")]
    assert sorted(rows(blobs.read("t", "delta", version=0))) == [(1, "x/y"), (2, None)]
    assert rows(blobs.read("t", "delta", filter="p = 'ü'")) == [(3, "ü")]
    with pytest.raises(EngineError, match=r":t has no version 7: its versions are 0 to 1"):
        blobs.read("t", "delta", version=7)
    lake.session.close()


@pytest.mark.parametrize(
    ("path", "says"),
    [
        (
            "saless.csv",
            r"there is no file abfss://clean@account2\.\S+/saless\.csv: did you mean 'sales\.csv'\?",
        ),
        ("in/x.csv", r"there is no file \S+/in/x\.csv, nor a folder \S+/in$"),
        ("sales.csv/x", r"there is no file .*: \S+/sales\.csv is no folder"),
        ("*.tsv", r"no file matches \S+/\*\.tsv; there: sales\.csv"),
    ],
)
def test_what_is_missing_is_told_with_what_is_there(blobs: Blobs, path: str, says: str) -> None:
    blobs.put("sales.csv", CSV)
    with pytest.raises(EngineError, match=says):
        blobs.read(path)


def test_a_path_that_names_its_container_again_is_told(engine: Engine, cloud: Cloud) -> None:
    in_container = Blobs(engine, adls(cloud, path_prefix=None))
    for path, format_ in (("clean/sales.csv", "csv"), ("clean/t", "delta")):
        with pytest.raises(EngineError, match=r"'clean' is the container already, leave it out of the path$"):
            in_container.read(path, format_)
    in_container.run.close()
    hollow = uuid.uuid4().hex
    cloud.storage("account2").client().create_container(hollow)
    empty = Blobs(engine, adls(cloud, container=hollow, path_prefix=None))
    with pytest.raises(EngineError, match=rf"'{hollow}' is the container already, leave it out of the path$"):
        empty.read(f"{hollow}/a/sales.csv")
    empty.run.close()


@pytest.mark.parametrize(
    ("path", "format_"), [*((path, name) for path in ("t", "t/*") for name in FILES), ("t", "delta")]
)
def test_a_missing_container_is_told_with_the_command_that_makes_it(
    engine: Engine, cloud: Cloud, path: str, format_: str
) -> None:
    nowhere = Blobs(engine, adls(cloud, container="nowhere"))
    with pytest.raises(
        ConnectionFailed, match=r"no container 'nowhere' in account 'account2'.*az storage container create"
    ):
        rows(nowhere.read(path, format_))
    nowhere.run.close()


def test_a_value_that_does_not_fit_is_told_with_url_and_line(blobs: Blobs) -> None:
    late = "".join(f"{i},{i}\n" for i in range(30_000)) + "30000,late\n"
    url = blobs.put("late.csv", f"id,n\n{late}".encode())
    blobs.put("other.csv", b"id,n\n1,2\n")
    for path in ("late.csv", "*.csv"):
        with pytest.raises(
            EngineError, match=rf"{url}, line 30002: column 'n' holds 'late', which is no bigint"
        ):
            rows(blobs.read(path))
    url = blobs.put("late.json", b"".join(b'{"n": %d}\n' % i for i in range(30_000)) + b'{"n": "late"}\n')
    with pytest.raises(EngineError, match=rf"{url}, line 30001: 'n' holds 'late'"):
        rows(blobs.read("late.json", "json"))
    url = blobs.put("torn.parquet", parquet(DATA)[:-30])
    with pytest.raises(EngineError, match=url):
        rows(blobs.read("torn.parquet", "parquet"))


OTHER = {
    "csv": CSV.replace(b"a", b"z"),
    "json": JSON.replace(b'"a"', b'"z"'),
    "parquet": parquet(DATA.slice(1)),
}


@pytest.mark.parametrize("format_", FILES)
def test_a_blob_that_changed_since_it_was_listed_is_never_mixed_in(blobs: Blobs, format_: str) -> None:
    blobs.put("t", FILES[format_])
    frame = blobs.read("t", format_)
    blobs.put("t", OTHER[format_])
    with pytest.raises(EngineError, match="/t has changed or gone since it was first read: run again"):
        rows(frame)
    newest = blobs.read("t", format_)
    assert rows(newest) != ROWS
    with pytest.raises(EngineError, match=r"/t has changed since it was first read: run again"):
        rows(frame)


@pytest.mark.parametrize("format_", ["csv", "json"])
def test_a_blob_that_is_gone_since_it_was_listed(blobs: Blobs, format_: str) -> None:
    blobs.put("t", FILES[format_])
    frame = blobs.read("t", format_)
    blobs.delete("t")
    with pytest.raises(EngineError, match=r"/t has changed or gone since it was first read: run again"):
        rows(frame)


def test_blobs_that_no_source_listed_cannot_be_opened(blobs: Blobs) -> None:
    url = blobs.put("secret.csv", CSV)
    session = Session([blobs.connection.url("")])
    with pytest.raises(EngineError):
        session.run(f"SELECT * FROM read_csv('{url}')")
    with pytest.raises(EngineError):
        session.run(f"COPY (SELECT 1) TO '{url}'")
    session.close()


def test_two_connections_to_one_container_read_with_their_own_rights(engine: Engine, cloud: Cloud) -> None:
    place = {"container": "clean", "path_prefix": "shared"}
    writer = adls(cloud, "writer", **place)
    reader = adls(
        cloud,
        "reader",
        **place,
        auth_mode="sas_token",
        account_key=None,
        sas_token=cloud.storage("account2").sas("rl"),
    )
    for name in ("a", "b"):
        writer.put(name, CSV)
    run: EngineRun[Frame] = engine.open([Place(writer, "", "csv"), Place(reader, "", "csv")])
    first, second = (
        run.read(Source(Place(made, name, "csv"))) for made, name in ((writer, "a"), (reader, "b"))
    )
    assert rows(first) == rows(second) == ROWS
    with pytest.raises(ConnectionFailed, match=r"Connection 'reader': writing account2/clean/shared/c"):
        reader.put("c", CSV)
    run.close()


def test_a_file_is_asked_for_few_times(blobs: Blobs, cloud: Cloud) -> None:
    """A look, a sample in two requests, and one reading each time; nothing is asked for 8 kB at a time."""
    blobs.put("long.csv", b"id,x\n" + b"".join(b"%d,%s\n" % (i, b"x" * 50) for i in range(30_000)))
    blobs.engine.describe_source(Source(blobs.place("long.csv", "csv")))
    described = len(cloud.requests(path="/long.csv"))
    assert described <= 5
    assert blobs.read("long.csv").count() == 30_000
    assert len(cloud.requests(path="/long.csv")) - described <= 4


def test_a_look_at_a_header_fetches_little_of_its_file(blobs: Blobs) -> None:
    data = b"id,x\n" + b"1,a\n" * 100_000
    blobs.put("long.csv", data)
    place = blobs.place("long.csv", "csv")
    tree = tree_of(place.connection)
    entry = tree.at(place.url)
    assert entry is not None
    with tree.file(entry).open() as file:
        assert len(file.peek(1)) == START_BYTES  # type: ignore[attr-defined]
        assert file.read() == data
