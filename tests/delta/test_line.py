"""The line of commits that made a table what it is, and whether an append's rows are on it still."""

from __future__ import annotations

import json
import math
from datetime import timedelta
from typing import Any

import pytest

from odibi_magics.delta.held import Held, look, made, newest_run, same_inputs
from odibi_magics.delta.line import Line
from odibi_magics.delta.log import commit_name
from odibi_magics.errors import DamagedLog
from tests.delta.logs import START, Written, add, mark, remove


def line(log: Written) -> list[int]:
    return [commit.version for commit in Line(log, log.newest)]


def held(log: Written, **more: Any) -> Held | None:
    return look(log, log.newest, "f" * 64, lambda inputs: True, **more).held


def writes(count: int) -> Written:
    log = Written()
    for i in range(count):
        log.commit("WRITE", add(f"file{i}"), mode="Append")
    return log


@pytest.mark.parametrize(
    "target",
    [
        {"version": 1, "timestamp": None},  # Spark
        {"version": "1"},  # deltalake
        {
            "version": None,
            "timestamp": (START + timedelta(minutes=1, seconds=30)).strftime("%Y-%m-%d %H:%M:%S.%f"),
        },
        {"datetime": str(int((START + timedelta(minutes=1)).timestamp() * 1000))},
    ],
)
def test_a_restore_leads_back_to_its_version(target: dict[str, Any]) -> None:
    log = writes(4)
    log.commit("RESTORE", **target)
    log.commit("WRITE", add("last"))
    assert line(log) == [5, 4, 1, 0]


def test_a_restore_to_before_the_first_time_is_one_to_the_first() -> None:
    log = writes(3)
    log.commit("RESTORE", datetime="5")
    assert line(log) == [3, 0]


def test_a_restore_that_says_nothing_takes_nothing_away() -> None:
    log = writes(2)
    log.commit("RESTORE", remove("file1"), version="soon")
    assert line(log) == [2, 1, 0]


@pytest.mark.parametrize("version", [math.inf, -5, [1], {"a": 1}, "9" * 5000])
def test_a_restore_to_what_is_no_version_takes_nothing_away(version: Any) -> None:
    log = writes(2)
    log.commit("RESTORE", version=version)
    assert line(log) == [2, 1, 0]


def test_a_restore_of_a_restore_brings_back() -> None:
    log = writes(3)
    log.commit("RESTORE", version=0)
    log.commit("RESTORE", version=2)
    assert line(log) == [4, 2, 1, 0]


def test_the_line_says_where_it_ends() -> None:
    log = writes(40)
    whole = Line(log, log.newest)
    assert len(list(whole)) == 40 and whole.end == "beginning"
    short = Line(log, log.newest, limit=7)
    assert [commit.version for commit in short] == list(range(39, 32, -1))
    assert (short.end, short.looked) == ("limit", 7)
    del log.files[commit_name(20)]
    gone = Line(log, 39)
    assert len(list(gone)) == 19 and gone.end == "gone"


def test_an_undo_that_emptied_the_table_is_its_beginning() -> None:
    log = writes(2)
    log.commit(
        "DELETE", remove("file0"), remove("file1"), mark=mark("u", "undo", undoes="r"), predicate='["true"]'
    )
    log.commit("WRITE", add("new"))
    assert line(log) == [3, 2]


def test_the_newest_is_found_with_one_small_read() -> None:
    log = writes(999)
    log.commit("WRITE", add("ours"), mark=mark())
    found = held(log)
    assert found is not None and found.version == 999
    assert len(log.reads) <= 16


@pytest.mark.parametrize(
    ("commits", "there"),
    [
        ([("OPTIMIZE", {}, [remove("ours", False), add("big", False)])], True),
        ([("MERGE", {}, [remove("ours"), add("merged")])], True),
        ([("DELETE", {"predicate": '["id = 1"]'}, [remove("ours"), add("rest")])], True),
        ([("DELETE", {"predicate": '["day = 1"]'}, [remove("ours")])], False),
        ([("DELETE", {"predicate": '["day = 1"]'}, [remove("another")])], True),
        ([("WRITE", {"mode": "Overwrite", "partitionBy": "[]"}, [remove("ours"), add("new")])], False),
        ([("WRITE", {"mode": "Overwrite", "predicate": '["id > 1"]'}, [remove("ours"), add("new")])], True),
        ([("WRITE", {"mode": "Overwrite", "replaceOn": "id"}, [remove("ours"), add("new")])], True),
        ([("WRITE", {"mode": "Append"}, [add("new")])], True),
        ([("WRITE", {"writeMode": "overwrite"}, [remove("ours"), add("new")])], False),
        ([("WRITE", {"writeMode": "overwrite", "predicate": "id > 1"}, [remove("ours"), add("new")])], True),
        ([("WRITE", {"writeMode": "overwrite_partitions"}, [remove("ours"), add("new")])], False),
        ([("WRITE", {"writeMode": "overwrite_partitions"}, [remove("ours"), add("all anew"), {"metaData": {}}])], True),
        ([("WRITE", {"writeMode": "merge"}, [remove("ours"), add("new")])], True),
        ([("CREATE OR REPLACE TABLE AS SELECT", {}, [remove("ours"), add("new")])], False),
        ([("OPTIMIZE", {}, [remove("ours", False), add("big", False)]), ("DELETE", {}, [remove("big")])], False),
        ([("RESTORE", {"version": 0}, [remove("ours")])], False),
        ([("RESTORE", {"version": 0}, [remove("ours")]), ("RESTORE", {"version": 1}, [add("ours")])], True),
    ],
)  # fmt: skip
def test_what_takes_rows_away(commits: list[tuple[str, dict[str, Any], list[Any]]], there: bool) -> None:
    log = writes(1)
    log.commit("WRITE", add("ours"), mark=mark())
    for operation, parameters, actions in commits:
        log.commit(operation, *actions, **parameters)
    assert (held(log) is not None) is there


def test_a_commit_without_rows_holds_none() -> None:
    log = writes(1)
    log.commit("WRITE", mark=mark())
    assert held(log) is None


@pytest.mark.parametrize("parameters", ["x", [1], 5])
def test_parameters_that_are_none_are_passed_over(parameters: Any) -> None:
    log = writes(1)
    log.commit("WRITE", add("a"), mark=mark())
    for operation in ("RESTORE", "WRITE"):
        info = {"timestamp": 1, "operation": operation, "operationParameters": parameters}
        log.files[commit_name(log.newest + 1)] = "\n".join(
            map(json.dumps, [{"commitInfo": info}, remove("file0"), add("b")])
        ).encode()
    assert held(log) is not None


def test_a_damaged_commit_is_told_by_name() -> None:
    log = writes(1)
    log.commit("WRITE", add("ours"), mark=mark())
    name = commit_name(1)
    log.files[name] = log.files[name][:-9]
    with pytest.raises(DamagedLog, match=name):
        held(log)


def test_inputs_are_the_same_by_version_or_by_what_made_them() -> None:
    files = {"url": "lake/a.csv", "files": [["a.csv", 10, 5]]}
    one, two = {"url": "lake/t", "version": 1}, {"url": "lake/t", "version": 2}
    assert same_inputs([files, one], [json.loads(json.dumps(one)), files])
    assert not same_inputs([one], [two])
    assert not same_inputs([files], [{**files, "files": [["a.csv", 10, 6]]}])
    assert same_inputs([{**one, "made": "x"}], [{**two, "made": "x"}])
    assert not same_inputs([{**one, "made": "x"}], [{**two, "made": "y"}])
    assert not same_inputs([{**one, "made": "x"}], [one])


def test_what_made_a_table_is_known_where_one_commit_of_ours_replaced_it() -> None:
    log = Written()
    log.commit("WRITE", add("a"), mark=mark("one", "append"), writeMode="append")
    log.commit("WRITE", remove("a"), add("b"), mark=mark("two", "overwrite"), writeMode="overwrite")
    log.commit("OPTIMIZE", remove("b", False), add("c", False))
    log.commit("WRITE", remove("c"), add("d"), mark=mark("three", "overwrite"), writeMode="overwrite")
    log.commit("WRITE", add("e"), mark=mark("four", "append"), writeMode="append")
    log.commit(
        "WRITE", remove("d"), add("f"), mark=mark("5", "overwrite"), writeMode="overwrite", predicate="id > 1"
    )
    log.commit("RESTORE", version=2)
    assert made(log, 1) == made(log, 2) == made(log, 3) == made(log, 6) is not None
    assert made(log, 0) is not None, "the table's first rows"
    assert made(log, 4) is made(log, 5) is None


def test_the_newest_run_is_no_undo() -> None:
    log, other = writes(1), writes(1)
    log.commit("WRITE", add("a"), mark=mark("first"))
    log.commit("RESTORE", version=1, mark=mark("u", "undo"))
    assert newest_run([Line(log, log.newest), Line(other, other.newest)]) == "first"
    other.commit("OPTIMIZE")
    other.commit("OPTIMIZE")
    other.commit("WRITE", add("b"), mark=mark("second"))
    assert newest_run([Line(log, log.newest), Line(other, other.newest)]) == "second"
    assert newest_run([]) is None
