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
from tests.engines.conftest import House, only_pandas, rows, types


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
        (['{"a": 1, "A": 2}'], "line 1: the key 'A' stands beside 'a', and SQL knows no capitals"),
        (['{"o": {"a": 1}}', '{"o": {"A": 1}}'], "line 2: the key 'o.A' stands beside 'a'"),
        (['{"a": 1}', '{"": 1}'], "line 2: the key '' is no name"),
        (['{"a": 1}', '{"a": 1, "a": 2}'], "line 2: the key 'a' stands twice in one object"),
        (['{"o": {"a": 1, "a": 2}}'], "line 1: the key 'a' stands twice in one object"),
        (['\ufeff{"a": 1}'], "line 1: it begins with a byte order mark"),
        (['{"a": 1}', r'{"a": "\ud800"}'], r"line 2: a \\u escape stands for half a character"),
        (['{"a": 1} {"a": 2}'], "line 1: .* is no JSON object"),
        (['{"a": 1}', '{"a": ' + "[" * 3000 + "]" * 3000 + "}"], "line 2: nested too deeply"),
        (["{" + ",".join(f'"k{i}": 1' for i in range(10_001)) + "}"], "'k10000' is one key more than 10,000"),
        ([""], "is empty: no line tells its columns"),
        (["hello"], "line 1: 'hello' is no JSON object"),
    ],
)
def test_broken_files_are_told(house: House, lines: list[str], says: str) -> None:
    with pytest.raises(EngineError, match=rf"a\.jsonl.*{says}"):
        read(house, *lines).to_arrow()


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('{"v": 1', r"'\{\"v\": 1' is no JSON object"), ("5", "'5' is no JSON object"), ("[1]", r"'\[1\]' is no JSON object"),
        ('{"v": 1, "v": 2}', "the key 'v' stands twice"), (r'{"v": "\ud800"}', r"a \\u escape stands for half a character"),
        ('{"v": 1, "w": 2}', "the key 'w' is in none of the first 20,480 lines, .*; name .* columns: or schema:"),
        ('{"o": {"v": 1, "w": 2}}', "the key 'w' of 'o' is in none of the first 20,480 lines"),
        ('{"l": [{"v": 1}, {"w": 2}]}', "the key 'w' of 'l' is in none of the first 20,480 lines"),
    ],
)  # fmt: skip
def test_a_broken_line_behind_the_sample_is_told(house: House, line: str, says: str) -> None:
    if house.engine.name == "spark" and ("' of '" in says or "half a character" in says):
        pytest.skip("not told on Spark: docs/engines.md")
    frame = read(house, *[{"v": 1, "o": {"v": 1}, "l": [{"v": 1}]}] * 20_480, line, {"v": 2})
    with pytest.raises(EngineError, match=rf"a\.jsonl, line 20481: {says}"):
        frame.to_arrow()


def test_bytes_that_are_no_utf_8_are_told(house: House) -> None:
    for before in (0, 20_480):
        house.file("a.jsonl", b'{"v": "x"}\n' * before + '{"v": "é"}\n'.encode("latin-1"))
        with pytest.raises(EngineError, match=rf"a\.jsonl, line {before + 1}: not utf-8"):
            house.read("a.jsonl", "json").to_arrow()


def test_keys_that_nobody_asked_for_are_left_out(house: House) -> None:
    sample = [{"a": 1, "o": {"x": 1}}] * 20_480
    late = {"a": 2, "o": {"x": 2, "y": 3}, "b": 3}
    frame = read(house, *sample, late, schema={"a": "int", "o": "struct<x:int>"})
    assert rows(frame)[-1] == (2, {"x": 2})
    assert rows(read(house, *sample, {"a": 2, "b": 3}, columns=("a",)))[-1] == (2,)
    if house.engine.name == "pandas":
        with pytest.raises(EngineError, match=r"line 20481: the key 'y' of 'o' is in none"):
            read(house, *sample, late, columns=("o",)).to_arrow()


def test_a_key_of_other_capitals_than_in_schema_is_told(house: House) -> None:
    assert rows(read(house, {"a": 1}, schema={"a": "int", "b": "int"})) == [(1, None)]
    with pytest.raises(EngineError, match=r"schema: names 'A', which is 'a' in .*a\.jsonl"):
        read(house, {"a": 1}, schema={"A": "int"})


def test_objects_of_many_or_rare_keys_keep_their_values(house: House) -> None:
    """As maps, which DuckDB takes them for, they would be NULL."""
    many = {f"k{i}": i for i in range(300)}
    assert rows(read(house, {"o": many})) == [(many,)]
    frame = read(house, *({"o": {f"k{i}": i}} for i in range(300)))
    assert [row["o"][f"k{i}"] for i, row in enumerate(frame.to_arrow().to_pylist())] == list(range(300))
    assert rows(read(house, {f"k{i}": i for i in range(300)})) == [tuple(range(300))]


def test_many_brackets_are_not_deep_ones(house: House) -> None:
    assert rows(read(house, {"s": "[{" * 3000, "l": [[1]] * 1001})) == [("[{" * 3000, [[1]] * 1001)]


@pytest.mark.parametrize("name", ["x:y", "x,y", "x<y", 'x"y', " x"])
def test_objects_whose_keys_no_type_can_hold_are_text(house: House, name: str) -> None:
    line = {"s": {name: 1, "b": 2}, name: 3}
    frame = read(house, line)
    assert types(frame.columns) == {"s": "string", name: "bigint"}
    assert [(json.loads(s), n) for s, n in rows(frame)] == [(line["s"], 3)]


def test_what_is_inside_is_read_as_strictly(house: House) -> None:
    first = {"o": {"n": 1, "t": "2024-06-01T12:00:00+02:00", "d": "01/02/20", "l": [{"x": 1.5}]}, "none": {}}
    frame = read(house, first, {"o": {"n": None}}, {"o": {"l": [None, {}]}}, {"o": None})
    assert types(frame.columns) == {
        "o": "struct<n:bigint,t:timestamp,d:string,l:array<struct<x:double>>>", "none": "string",
    }  # fmt: skip
    noon = datetime(2024, 6, 1, 10, tzinfo=UTC)
    assert rows(frame) == [
        ({"n": 1, "t": noon, "d": "01/02/20", "l": [{"x": 1.5}]}, "{}"),
        ({"n": None, "t": None, "d": None, "l": None}, None),
        ({"n": None, "t": None, "d": None, "l": [None, {"x": None}]}, None),
        (None, None),
    ]


@pytest.mark.parametrize(
    ("late", "says"),
    [
        ({"o": {"n": 1.5}}, "'o.n' holds '1.5', which is no bigint"),
        ({"o": {"n": "1"}}, "'o.n' holds '1', which is no bigint"),
        ({"o": [1]}, r"'o' holds '\[1\]', which is no struct<"),
        ({"o": {"l": [{"x": 1}, {"x": "y"}]}}, "'o.l.x' holds 'y', which is no bigint"),
        ({"o": {"l": {"x": 1}}}, "'o.l' holds '.*', which is no array<"),
    ],
)
def test_a_later_value_inside_that_does_not_fit_fails_too(
    house: House, late: dict[str, Any], says: str
) -> None:
    frame = read(house, *[{"o": {"n": 1, "l": [{"x": 1}]}}] * 20_480, {"o": {"n": 15}}, late)
    with pytest.raises(EngineError, match=rf"a\.jsonl, line 20482: {says}"):
        frame.to_arrow()


def test_maps_by_schema(house: House) -> None:
    lines = [{"m": {"a": {"x": 1}, "b": None}, "n": {"1": "2024-01-31"}}, {"m": {}}]
    frame = read(house, *lines, schema={"m": "map<string,struct<x:int>>", "n": "map<int,date>"})
    assert rows(frame) == [([("a", {"x": 1}), ("b", None)], [(1, date(2024, 1, 31))]), ([], None)]
    says = "line 1: 'm' holds '.*', which is no map<int,int>" if house.engine.name == "pandas" else "to int"
    with pytest.raises(EngineError, match=says):
        read(house, {"m": {"a": 1}}, schema={"m": "map<int,int>"}).to_arrow()


def test_numbers_keep_all_their_digits(house: House) -> None:
    long = 12_345_678_901_234_567_890
    frame = read(house, {"a": long, "b": 10**38, "c": 2**53 + 1, "d": 2**53 + 1}, {"a": 1, "d": 1.5})
    assert types(frame.columns) == {"a": "decimal(38,0)", "b": "string", "c": "bigint", "d": "string"}
    assert rows(frame)[0] == (Decimal(long), str(10**38), 2**53 + 1, str(2**53 + 1))
    texts = ["123456789.123456", "0.0000001", '"1.23456789012345678901"', "-0.5", "1e3", str(10**17)]
    frame = read(house, *(f'{{"p": {text}}}' for text in texts), schema={"p": "decimal(38,20)"})
    assert rows(frame) == [(Decimal(json.loads(text, parse_float=str)),) for text in texts]
    with pytest.raises(EngineError, match=r"line 1: 'p' holds '1\.2345678901234567', .* keep 15 digits"):
        read(house, '{"p": 1.23456789012345678901}', schema={"p": "decimal(38,20)"}).to_arrow()
    with pytest.raises(
        EngineError, match=r"line 1: 'p' holds '(1\.5e-7|0\.000000150+)', which is no decimal\(10,7\)"
    ):
        read(house, '{"p": 0.00000015}', schema={"p": "decimal(10,7)"}).to_arrow()


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


@only_pandas
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    data=st.lists(st.fixed_dictionaries({}, optional=_VALUES), min_size=1, max_size=8),
    ascii_only=st.booleans(),
)
def test_what_json_writes_comes_back(house: House, data: list[dict[str, Any]], ascii_only: bool) -> None:
    schema = {"i": "bigint", "f": "double", "b": "boolean", "s": "string", "l": "array<bigint>"}
    frame = read(house, *(json.dumps(row, ensure_ascii=ascii_only) for row in data), schema=schema)
    assert rows(frame) == [tuple(row.get(name) for name in schema) for row in data]
