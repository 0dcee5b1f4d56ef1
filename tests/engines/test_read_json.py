"""json lines: types told from the first lines, every value must fit."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from odibi_magics.engines.base import Frame
from odibi_magics.errors import EngineError
from tests.engines.conftest import House, rows, types


def read(house: House, *lines: Any, **more: Any) -> Frame:
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    house.file("a.jsonl", text + "\n")
    return house.read("a.jsonl", "json", **more)


def test_types_are_told_from_the_values(house: House) -> None:
    first = {
        "id": 1, "x": 1.5, "ok": True, "t": "2024-01-31T10:00:00+02:00", "d": "2024-01-31", "s": "a",
        "l": [1, 2], "o": {"a": 1, "b": "x"}, "none": None, "clock": "10:00:00",
    }  # fmt: skip
    frame = read(house, first, {"id": 2})
    assert types(frame.columns) == {
        "id": "bigint", "x": "double", "ok": "boolean", "t": "timestamp", "d": "date", "s": "string",
        "l": "array<bigint>", "o": "struct<a:bigint,b:string>", "none": "string", "clock": "string",
    }  # fmt: skip
    assert rows(frame)[0] == (
        1, 1.5, True, datetime(2024, 1, 31, 8, tzinfo=UTC), date(2024, 1, 31), "a", [1, 2], {"a": 1, "b": "x"}, None, "10:00:00",
    )  # fmt: skip
    assert rows(frame)[1] == (2, *[None] * 9)


@pytest.mark.parametrize(
    ("first", "late"), [(1, 1.5), (1, "x"), (1, True), (1.5, "2"), (True, 1), ("2024-01-31", 5), ([1], 3)]
)
def test_a_later_value_that_does_not_fit_fails_with_file_and_line(
    house: House, first: Any, late: Any
) -> None:
    frame = read(house, *[{"v": first}] * 20_480, "", {"v": None}, {"v": late})
    with pytest.raises(EngineError, match=r"a\.jsonl, line 20483: 'v' holds .*, which is no "):
        frame.to_arrow()


def test_schema_gives_the_types(house: House) -> None:
    frame = read(
        house,
        {"a": 1, "m": {"x": 1}, "p": 1.25, "more": 1},
        schema={"a": "int", "m": "map<string,int>", "p": "decimal(5,2)"},
    )
    assert rows(frame) == [(1, [("x", 1)], Decimal("1.25"))]
    with pytest.raises(EngineError, match=r"line 2: 'a' holds '3000000000', which is no int"):
        read(house, {"a": 1}, {"a": 3_000_000_000}, schema={"a": "int"}).to_arrow()


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (['{"a": 1}', '{"a": '], r"line 2: '\{\"a\":' is no JSON object"),
        (['{"a": 1}', "", "[1]"], r"line 3: '\[1\]' is no JSON object"),
        (['[{"a": 1}]'], "line 1: .* a whole document, not lines"),
        (['{"a": 1, "A": 2}'], "two keys 'A', capitals aside"),
        ([""], "is empty: no line tells its columns"),
        (["hello"], "line 1: 'hello' is no JSON object"),
    ],
)
def test_broken_files_are_told(house: House, lines: list[str], says: str) -> None:
    with pytest.raises(EngineError, match=rf"a\.jsonl.*{says}"):
        read(house, *lines).to_arrow()


def test_a_broken_line_behind_the_sample_is_told(house: House) -> None:
    frame = read(house, *[{"v": 1}] * 30_000, '{"v": 1', {"v": 2})
    with pytest.raises(EngineError, match=r"a\.jsonl, line 30001: '\{\"v\": 1' is no JSON object"):
        frame.to_arrow()


def test_a_key_that_ends_like_a_number_is_a_column(house: House) -> None:
    assert types(read(house, {"a": 1, "a_1": 2}).columns) == {"a": "bigint", "a_1": "bigint"}


def test_globs_folders_and_gzip(house: House) -> None:
    house.file("in/part-1.json", '{"a": 1}\n')
    house.file("in/part-2.json", '{"a": 2, "b": 3}\n')
    house.file("in/_SUCCESS", "")
    assert sorted(rows(house.read("in", "json")), key=repr) == [(1, None), (2, 3)]
    house.file("z.json.gz", gzip.compress(b'{"a": 1}\n'))
    assert rows(house.read("z.json.gz", "json")) == [(1,)]


_VALUES = {
    "i": st.integers(-(2**63), 2**63 - 1), "f": st.floats(allow_nan=False, allow_infinity=False), "b": st.booleans(),
    "s": st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), "l": st.lists(st.integers(-9, 9)),
}  # fmt: skip


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.lists(st.fixed_dictionaries({}, optional=_VALUES), min_size=1, max_size=8),
    ascii_only=st.booleans(),
)
def test_what_json_writes_comes_back(house: House, data: list[dict[str, Any]], ascii_only: bool) -> None:
    schema = {"i": "bigint", "f": "double", "b": "boolean", "s": "string", "l": "array<bigint>"}
    frame = read(house, *(json.dumps(row, ensure_ascii=ascii_only) for row in data), schema=schema)
    assert rows(frame) == [tuple(row.get(name) for name in schema) for row in data]
