"""Logs and files damaged by hand: read right, or refused with the table, the file at fault and what can be done."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from deltalake import DeltaTable

from odibi_magics.engines.base import Source
from odibi_magics.engines.pandas.storage import Store, open_store
from odibi_magics.engines.registry import choose_engine
from odibi_magics.errors import EngineError
from tests.engines.writing import Lake, anywhere, lake

__all__ = ["anywhere", "lake"]

COMMIT = "_delta_log/{:020}.json"
CHECKPOINT = f"_delta_log/{3:020}.checkpoint.parquet"
HINT = "_delta_log/_last_checkpoint"
ALL = [(0,), (1,), (2,), (3,)]


class Table:
    """A table of four rows, each from a commit of its own, to be damaged."""

    def __init__(self, lake: Lake) -> None:
        for number in range(4):
            lake.write({"id": [number]}, "t", "append")
        self.lake = lake

    @property
    def store(self) -> Store:
        return open_store(self.lake.sink("t").place)

    def checkpoint(self) -> None:
        """Behind the fourth version; a fifth follows."""
        table = self.lake.table("t")
        assert isinstance(table, DeltaTable)
        table.create_checkpoint()
        self.lake.write({"id": [4]}, "t", "append")

    def content(self, path: str) -> bytes:
        (found,) = self.store.read([path])
        assert found is not None
        return found

    def put(self, path: str, data: bytes) -> None:
        self.lake.put(f"t/{path}", data)

    def delete(self, *paths: str) -> None:
        for path in paths:
            self.store.delete(self.store.at(path))

    def data(self, version: int) -> str:
        """The file that a version added."""
        actions = map(json.loads, self.content(COMMIT.format(version)).splitlines())
        return str(next(action["add"]["path"] for action in actions if "add" in action))

    def edit(self, version: int, kind: str, **changes: Any) -> None:
        """Changes what the actions of a kind in a commit say."""
        actions = [json.loads(line) for line in self.content(COMMIT.format(version)).splitlines()]
        for action in actions:
            if kind in action:
                action[kind] = {**action[kind], **changes}
        self.put(COMMIT.format(version), "\n".join(map(json.dumps, actions)).encode())

    def drop(self, version: int, kind: str) -> None:
        """Takes the actions of a kind out of a commit."""
        lines = self.content(COMMIT.format(version)).splitlines()
        self.put(COMMIT.format(version), b"\n".join(line for line in lines if kind not in json.loads(line)))


@pytest.fixture
def table(anywhere: Lake) -> Table:
    return Table(anywhere)


def rows(lake: Lake) -> list[tuple[Any, ...]]:
    run = choose_engine("pandas").open([lake.sink("t").place])
    try:
        found = run.read(Source(lake.sink("t").place)).to_arrow()
        return sorted(zip(*(column.to_pylist() for column in found.columns), strict=True))
    finally:
        run.close()


def cut(table: Table) -> None:
    text = table.content(COMMIT.format(3))
    table.put(COMMIT.format(3), text[: len(text) - 40])


def without_checkpoint(table: Table) -> None:
    table.checkpoint()
    table.delete(CHECKPOINT)


def without_checkpoint_and_commits(table: Table) -> None:
    without_checkpoint(table)
    table.delete(*(COMMIT.format(version) for version in range(3)))


def checkpoint_of_garbage(table: Table) -> None:
    table.checkpoint()
    table.put(CHECKPOINT, b"garbage" * 10)


def hint_ahead(table: Table) -> None:
    table.checkpoint()
    table.put(HINT, b'{"version": 99, "size": 1}')


PROTOCOL = {
    "minReaderVersion": 3,
    "minWriterVersion": 7,
    "readerFeatures": ["newThing"],
    "writerFeatures": ["newThing"],
}

REFUSED: dict[str, tuple[Callable[[Table], None], str]] = {
    "a commit in the middle is missing": (lambda t: t.delete(COMMIT.format(2)), r"0002\.json: it is missing"),
    "the first commit is missing": (lambda t: t.delete(COMMIT.format(0)), r"0000\.json: it is missing"),
    "the last commit is cut off": (cut, r"0003\.json: its line \d is no JSON object"),
    "the last commit is empty": (lambda t: t.put(COMMIT.format(3), b""), r"0003\.json: it is empty"),
    "the first commit is empty": (lambda t: t.put(COMMIT.format(0), b""), r"0000\.json: it is empty"),
    "a commit of garbage": (lambda t: t.put(COMMIT.format(2), b"\x00\xffgarbage{]"), r"0002\.json: its line 1 is no JSON"),
    "a commit of lists": (lambda t: t.put(COMMIT.format(3), b"[1, 2]\n"), r"0003\.json: its line 1 is no JSON object"),
    "no protocol": (lambda t: t.drop(0, "protocol"), r"0000\.json: it has no protocol"),
    "no columns": (lambda t: t.drop(0, "metaData"), r"0000\.json: it has no metaData"),
    "columns of garbage": (lambda t: t.edit(0, "metaData", schemaString="{no"), r"0000\.json: the columns in its metaData are no JSON"),
    "a checkpoint of garbage": (checkpoint_of_garbage, r"0003\.checkpoint\.parquet: it is no whole Parquet file; all commits are there, so deleting it"),
    "a checkpoint is missing": (without_checkpoint, r"_last_checkpoint: it names a checkpoint of version 3, which is not there; .* deleting it is enough"),
    "a checkpoint is missing and commits with it": (without_checkpoint_and_commits, r"_last_checkpoint: it names a checkpoint of version 3, which is not there\. .*copy of the storage"),
    "a hint to no version": (hint_ahead, r"_last_checkpoint: it names a checkpoint of version 99, which is not there; .* deleting it is enough"),
    "a file outside": (lambda t: t.edit(3, "add", path="../secret.parquet"), r"names a file outside of its folder: \.\./secret\.parquet"),
    "a file outside, encoded": (lambda t: t.edit(3, "add", path="%2E%2E/secret.parquet"), r"names a file outside of its folder: \.\./secret\.parquet"),
    "an unknown reader feature": (lambda t: t.edit(0, "protocol", **PROTOCOL), "uses newThing, which this engine cannot read: read it with Spark"),
    "a reader version to come": (lambda t: t.edit(0, "protocol", minReaderVersion=99), "reader version 99, which this engine cannot read: read it with Spark"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_the_file_at_fault(table: Table, name: str) -> None:
    damage, says = REFUSED[name]
    damage(table)
    before = table.lake.paths("t")
    for verb in (
        lambda: rows(table.lake),
        lambda: table.lake.write({"id": [9]}, "t", "append"),
        lambda: table.lake.write({"id": [9]}, "t", "merge", keys=["id"]),
        lambda: table.lake.write({"id": [9]}, "t", "overwrite"),
    ):
        with pytest.raises(EngineError, match=says) as refused:
            verb()
        assert table.store.url in str(refused.value)
    assert table.lake.paths("t") == before


UNWRITTEN: dict[str, tuple[Callable[[Table], None], str]] = {
    "an unknown writer feature": (lambda t: t.edit(0, "protocol", minReaderVersion=1, minWriterVersion=7, writerFeatures=["newThing"]),
        r"newThing \(write it with Spark\)"),
    "a writer version to come": (lambda t: t.edit(0, "protocol", minWriterVersion=99), r"writer version 99 \(write it with Spark\)"),
}  # fmt: skip


@pytest.mark.parametrize("name", UNWRITTEN)
def test_read_and_not_written(table: Table, name: str) -> None:
    damage, says = UNWRITTEN[name]
    damage(table)
    assert rows(table.lake) == ALL
    before = table.lake.paths("t")
    for mode in ("append", "overwrite"):
        with pytest.raises(EngineError, match=says):
            table.lake.write({"id": [9]}, "t", mode)
    assert table.lake.paths("t") == before


def test_a_hint_that_is_garbage_or_missing_is_done_without(table: Table) -> None:
    table.checkpoint()
    table.put(HINT, b"\xffgarbage{")
    assert rows(table.lake) == [*ALL, (4,)]
    table.delete(HINT, *(COMMIT.format(version) for version in range(3)))
    assert rows(table.lake) == [*ALL, (4,)]
    table.lake.write({"id": [9]}, "t", "append")
    assert rows(table.lake) == [*ALL, (4,), (9,)]


def test_statistics_of_garbage_are_done_without(table: Table) -> None:
    table.edit(3, "add", stats="{garbage")
    assert rows(table.lake) == ALL
    table.lake.write({"id": [3, 9]}, "t", "merge", keys=["id"])
    assert rows(table.lake) == [*ALL, (9,)]


@pytest.mark.parametrize("how", ["missing", "cut off", "empty"])
def test_a_data_file_that_is_not_whole_is_named(table: Table, how: str) -> None:
    path = table.data(1)
    if how == "missing":
        table.delete(path)
    else:
        table.put(path, b"" if how == "empty" else table.content(path)[:100])
    with pytest.raises(EngineError) as refused:
        rows(table.lake)
    assert f"{table.store.url}/{path}" in str(refused.value)
    with pytest.raises(EngineError) as merge:
        table.lake.write({"id": [0, 1, 2, 3]}, "t", "merge", keys=["id"])
    assert path in str(merge.value)


def test_a_log_that_is_no_folder_or_empty(lake: Lake) -> None:
    lake.put("t/_delta_log", b"")
    for verb in (lambda: rows(lake), lambda: lake.write({"id": [1]})):
        with pytest.raises(EngineError, match="its _delta_log is a file"):
            verb()
    (lake.folder / "t" / "_delta_log").unlink()
    (lake.folder / "t" / "_delta_log").mkdir()
    with pytest.raises(EngineError, match="its _delta_log holds no commit"):
        rows(lake)
    lake.write({"id": [1]})
    assert rows(lake) == [(1,)]
