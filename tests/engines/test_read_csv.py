"""csv means one thing: types by one rule, every value must fit, and what does not is told with file and line."""

from __future__ import annotations

import csv
import gzip
import io
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from odibi_magics.connections.local import LocalConnection
from odibi_magics.engines.base import Place
from odibi_magics.engines.pandas import csv_text
from odibi_magics.engines.pandas.csv_text import Dialect, bare_lines
from odibi_magics.engines.pandas.files import find_files
from odibi_magics.engines.spark import read_csv
from odibi_magics.engines.spark.frame import SparkFrame
from odibi_magics.errors import EngineError
from tests.engines.conftest import House, only_pandas, rows, types


def test_types_are_told_from_the_values(house: House) -> None:
    frame = house.csv(
        "id,x,day,ts,ok,text,code,clock\n"
        "1,1.5,2024-01-31,2024-01-31 10:00:00,true,a,007,10:00:00\n"
        "-2,3,2024-02-01,2024-01-31T10:00:00.123456Z,false,b,008,11:00:00\n"
    )
    assert types(frame.columns) == {
        "id": "bigint", "x": "double", "day": "date", "ts": "timestamp", "ok": "boolean",
        "text": "string", "code": "string", "clock": "string",
    }  # fmt: skip
    assert rows(frame)[1] == (
        -2, 3.0, date(2024, 2, 1), datetime(2024, 1, 31, 10, 0, 0, 123456, UTC), False, "b", "008", "11:00:00",
    )  # fmt: skip


def test_zones_move_the_instant(house: House) -> None:
    frame = house.csv(
        "t\n2024-06-01 12:00:00+02:00\n2024-06-01 12:00:00-0330\n2024-06-01T12:00:00Z\n2024-06-01 12:00:00 Europe/Paris\n2024-06-01 12:00+02\n"
    )
    assert types(frame.columns) == {"t": "timestamp"}
    assert [t.hour * 60 + t.minute for (t,) in rows(frame)] == [600, 930, 720, 600, 600]


def test_a_zone_that_first_comes_behind_the_sample_moves_the_instant_too(house: House) -> None:
    frame = house.csv("t\n" + "2024-06-01 12:00:00\n" * 20_480 + "2024-06-01 12:00:00+02:00\n")
    assert rows(frame)[-1] == (datetime(2024, 6, 1, 10, tzinfo=UTC),)


@pytest.mark.parametrize(
    ("first", "late"),
    [
        ("1", "1.5"), ("1", "x"), ("1", "1e3"), ("1", "9223372036854775808"), ("1.5", "1,5"), ("2024-01-01", "2024-13-01"),
        ("2024-01-01", "2024-01-01 10:00:00"), ("2024-01-01 10:00:00", "later"), ("true", "maybe"),
    ],
)  # fmt: skip
def test_a_later_value_that_does_not_fit_fails_with_file_and_line(
    house: House, first: str, late: str
) -> None:
    text = "id,v\n" + "".join(f'{i},"{first}"\n' for i in range(20_480)) + f'7,"two\nlines"\n8,"{late}"\n'
    frame = house.csv(text.replace('7,"two\nlines"', f'7,"{first}"'))
    with pytest.raises(
        EngineError, match=r"some\.csv, line 20483: column 'v' holds '.*', which is no .*; .*schema:"
    ) as found:
        frame.to_arrow()
    assert late in str(found.value)


def test_lines_are_counted_with_those_inside_quotes_and_empty_ones(house: House) -> None:
    text = 'id,v\n1,"a\nb\nc"\n\n' + "2,b\n" * 20_480 + "x,d\n"
    with pytest.raises(EngineError, match=r"some\.csv, line 20486: column 'id' holds 'x'"):
        house.csv(text).to_arrow()


def test_the_line_is_that_of_the_whole_value(house: House) -> None:
    with pytest.raises(EngineError, match=r"some\.csv, line 4: column 'v' holds '-', which is no bigint"):
        house.csv("v\n-5\n-55\n-\n", schema={"v": "bigint"}).to_arrow()
    with pytest.raises(EngineError, match=r"some\.csv, line 4: column 'v' holds 'v', which is no bigint"):
        house.csv("\nv\n-5\nv\n", schema={"v": "bigint"}).to_arrow()


def test_the_file_of_a_glob_is_named(house: House) -> None:
    house.file("in/a.csv", "id\n" + "1\n" * 20_480)
    house.file("in/b.csv", "id\n1\n2\nbad\n")
    with pytest.raises(EngineError, match=r"in/b\.csv, line 4: column 'id' holds 'bad', which is no bigint"):
        house.read("in/*.csv", "csv").to_arrow()


def test_integers_in_the_first_lines_of_several_files_make_the_type(house: House) -> None:
    house.file("in/a.csv", "id\n1\n")
    house.file("in/b.csv", "id\n2.5\n")
    assert sorted(rows(house.read("in/*.csv", "csv"))) == [(1.0,), (2.5,)]


def test_only_dates_as_iso_writes_them_are_dates(house: House) -> None:
    frame = house.csv("us,de,iso\n01/02/2024,31.01.2024,2024-01-31\n03/02/2024,01.02.2024,2024-02-01\n")
    assert types(frame.columns) == {"us": "string", "de": "string", "iso": "date"}


@pytest.mark.parametrize(
    "value",
    [
        "01/02/20", "1-2-3", "epoch", "01/02/20 10:00:00", "01/02/20   10:00:00", "2024-01-01 (BC) 10:00:00",
        "2024-01-01 24:00:00", "2024-01-01T24:00:00", "2024-01-01 24:00", "2024-01-01 024:00:00", "2024-01-01\t24:00:00",
        "2024-01-01T10:00:00+19:00", "2024-01-01 10:00:00-24:00", "1_000", "1_0.5", "0x1F", "0b11",
    ],
)  # fmt: skip
def test_what_only_duckdb_takes_for_a_date_or_a_number_is_text(house: House, value: str) -> None:
    assert rows(house.csv(f"v\n{value}\n")) == [(value,)]
    for type_ in ("date", "timestamp", "bigint", "double", "decimal(9,2)"):
        with pytest.raises(
            EngineError, match=rf"line 2: column 'v' holds {re.escape(repr(value))}, which is no"
        ):
            house.csv(f"v\n{value}\n", schema={"v": type_}).to_arrow()


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2024-07-31 10:00:00 Europe/Berlin ", "2024-07-31 08:00"),
        ("2024-07-31 10:00:00 CET ", "2024-07-31 08:00"),
        ("2024-10-27 02:30:00 Europe/Berlin", "2024-10-27 00:30"),
        ("2024-10-27 01:59:59 Europe/Berlin", "2024-10-26 23:59"),
        ("2024-10-27 03:30:00 Europe/Berlin", "2024-10-27 02:30"),
        ("2024-11-03 01:30:00 America/New_York", "2024-11-03 05:30"),
        ("2024-04-07 01:45:00 Australia/Lord_Howe", "2024-04-06 14:45"),
        ("2024-01-31 10:00:00Z ", "2024-01-31 10:00"),
        ("2024-01-31T10:00:00.5 UTC", "2024-01-31 10:00"),
    ],
)
def test_times_in_named_zones(house: House, text: str, utc: str) -> None:
    [(at, _)] = rows(house.csv(f"v,w\n{text},1\n", schema={"v": "timestamp", "w": "int"}))
    assert str(at)[:16] == utc


@pytest.mark.parametrize(
    ("pattern", "text"),
    [("dd.MM.yyyy", "31.01.24"), ("dd.MM.yyyy", "1.2.2024"), ("yyyy-MM-dd", "2024-1-31"), ("yyyy", "24")],
)
def test_what_does_not_have_the_shape_of_a_pattern_is_no_date(house: House, pattern: str, text: str) -> None:
    with pytest.raises(EngineError, match=rf"line 2: column 'v' holds '{re.escape(text)}', which is no date"):
        house.csv(f"v\n{text}\n", schema={"v": "date"}, options={"date_format": pattern}).to_arrow()


def test_a_minute_24_is_no_hour_24(house: House) -> None:
    assert [
        str(at)[11:16] for (at,) in rows(house.csv("v\n2024-01-01 10:24:00\n2024-01-01T00:24:24.5Z\n"))
    ] == [
        "10:24",
        "00:24",
    ]


@pytest.mark.parametrize("type_", ["date", "timestamp"])
def test_no_date_is_infinite(house: House, type_: str) -> None:
    assert rows(house.csv("v\n2024-01-31\ninfinity\n")) == [("2024-01-31",), ("infinity",)]
    with pytest.raises(EngineError, match=f"line 2: column 'v' holds 'infinity', which is no {type_}"):
        house.csv("v\ninfinity\n", schema={"v": type_}).to_arrow()


def test_whole_numbers_keep_all_their_digits(house: House) -> None:
    long = 12_345_678_901_234_567_890
    frame = house.csv(f"v\n{long}\n-1\n")
    assert types(frame.columns) == {"v": "decimal(38,0)"}
    assert rows(frame) == [(Decimal(long),), (Decimal(-1),)]
    for texts in (["1" * 39, "2"], [str(long), "1.5"], [str(2**53 + 1), "nan"], ["0" * 20 + "1"]):
        assert rows(house.csv("v\n" + "".join(f"{text}\n" for text in texts))) == [(text,) for text in texts]
    assert types(house.csv("v\n123456789012345\n1.0\n0.12345678901234567890\n").columns) == {"v": "double"}


@pytest.mark.parametrize(
    ("usual", "late", "type_", "taken"),
    [
        ("10001", "00501", "bigint", 501),
        ("10001", "+49", "bigint", 49),
        ("1.5", "007", "double", 7.0),
        ("1.5", "1234567890123456789", "double", 1234567890123456789.0),
        ("12345678901234567890", "007", "decimal(38,0)", Decimal(7)),
        ("true", "1", "boolean", True),
        ("false", "y", "boolean", True),
    ],
)
def test_a_later_value_that_would_have_made_its_column_text_is_refused(
    house: House, usual: str, late: str, type_: str, taken: Any
) -> None:
    text = "id,v\n" + f"1,{usual}\n" * 20_480 + f"2,{late}\n"
    frame = house.csv(text)
    assert types(frame.columns)["v"] == type_
    said = f"line 20482: column 'v' holds {late!r}, which is no {type_}; types come from the first 20,480 lines: give them"
    remedy = "in read: schema: {id: bigint, v: string}, or read all as text with infer: false"
    with pytest.raises(EngineError, match=re.escape(f"{said} {remedy}")):
        frame.to_arrow()
    assert rows(house.csv(text, schema={"id": "bigint", "v": type_}))[-1] == (2, taken)
    assert rows(house.csv(text, schema={"id": "bigint", "v": "string"}))[-1] == (2, late)


def test_a_type_that_was_given_is_not_asked_for_again(house: House) -> None:
    with pytest.raises(EngineError, match=r"which is no int; schema: gives that type, string would take it$"):
        house.csv("v\nx\n", schema={"v": "int"}).to_arrow()


def test_an_empty_line_is_no_record_of_one_column_either(house: House) -> None:
    text = 'id\n\n1\n\n""\nNA\n2\n\n'
    assert rows(house.csv(text, options={"null_value": "NA"})) == [(1,), (None,), (None,), (2,)]
    assert rows(house.csv("id,x\n\n1,a\n\n,\n")) == [(1, "a"), (None, None)]


def test_other_dates_by_their_pattern(house: House) -> None:
    frame = house.csv(
        "d,t\n31.01.2024,31.01.2024 10:30\n",
        schema={"d": "date", "t": "timestamp"},
        options={"date_format": "dd.MM.yyyy", "timestamp_format": "dd.MM.yyyy HH:mm"},
    )
    assert rows(frame) == [(date(2024, 1, 31), datetime(2024, 1, 31, 10, 30, tzinfo=UTC))]
    frame = house.csv(
        "d,t,no,n\n31.01.2024,31.01.2024 10:30,,1\n01.02.2024,01.02.2024 00:00,,2\n",
        options={"date_format": "dd.MM.yyyy", "timestamp_format": "dd.MM.yyyy HH:mm"},
    )
    assert types(frame.columns) == {"d": "date", "t": "timestamp", "no": "string", "n": "bigint"}
    assert rows(frame)[1] == (date(2024, 2, 1), datetime(2024, 2, 1, tzinfo=UTC), None, 2)
    with pytest.raises(EngineError, match="date_format: 'QQ' is no pattern"):
        house.csv("d\n1\n", options={"date_format": "QQ"})


def test_schema_gives_the_types_and_is_held_to(house: House) -> None:
    schema = {"id": "string", "price": "decimal(6,2)", "n": "smallint", "f": "float"}
    frame = house.csv("id,price,n,f\n007,1234.50,12,0.5\n", schema=schema)
    assert types(frame.columns) == schema
    assert rows(frame) == [("007", Decimal("1234.50"), 12, 0.5)]
    with pytest.raises(
        EngineError, match=r"line 2: column 'price' holds '1\.234', which is no decimal\(6,2\)"
    ):
        house.csv("id,price,n,f\n1,1.234,1,1\n", schema=schema).to_arrow()
    with pytest.raises(EngineError, match="column 'n' holds '40000', which is no smallint"):
        house.csv("id,price,n,f\n1,1,40000,1\n", schema=schema).to_arrow()


def test_schema_and_header_name_the_same_columns(house: House) -> None:
    with pytest.raises(EngineError, match=r"no column 'idd', which schema: names \(did you mean 'id'\?\)"):
        house.csv("id\n1\n", schema={"idd": "bigint"})
    with pytest.raises(EngineError, match="columns that schema: does not name: more"):
        house.csv("id,more\n1,2\n", schema={"id": "bigint"})
    with pytest.raises(EngineError, match="csv holds no array"):
        house.csv("id\n1\n", schema={"id": "array<int>"})


def test_schema_in_another_order_takes_columns_by_name(house: House) -> None:
    frame = house.csv("a,b\n1,x\n", schema={"b": "string", "a": "int"})
    assert rows(frame) == [("x", 1)]


def test_without_inference_all_is_text(house: House) -> None:
    frame = house.csv("id,x\n1,1.50\n", infer=False)
    assert rows(frame) == [("1", "1.50")]


def test_an_escape_that_escapes_no_quote_is_not_dropped(house: House) -> None:
    def read() -> list[tuple[Any, ...]]:
        return rows(house.csv('a,b\n1,x\n2,"C:\\temp"\n', options={"escape": "\\"}))

    if house.engine.name == "pandas":
        with pytest.raises(
            EngineError, match=r"line 3: \\t in quotes: .* would drop the \\, .*; engine: spark keeps it"
        ):
            read()
    else:
        assert read() == [(1, "x"), (2, "C:\\temp")]


def test_options(house: House) -> None:
    text = "id;note\n1;'a;b'\n2;'it''s'\n3;NA\n4;\n5;'NA'\n6;''\n"
    frame = house.csv(text, options={"delimiter": ";", "quote": "'", "null_value": "NA"})
    assert rows(frame) == [(1, "a;b"), (2, "it's"), *((i, None) for i in (3, 4, 5, 6))]
    backslash = house.csv('a,b\n"say \\"hi\\"",1\n', options={"escape": "\\"})
    assert rows(backslash) == [('say "hi"', 1)]
    for written, kept in (
        ("C:\\temp", "C:\\temp"),
        ('"a\\\\b"', "a\\b"),
        ('"\\\\srv"', "\\srv"),
        ('"x\\\\\\"y"', 'x\\"y'),
    ):
        assert rows(house.csv(f"a,b\n1,{written}\n", options={"escape": "\\"})) == [(1, kept)]
    for options, says in (
        ({"delimiter": ""}, "delimiter is '': expected one character"),
        ({"delimiter": "||"}, r"delimiter is '\|\|': expected one character"),
        ({"quote": "\n"}, r"quote is '\\n': expected one character"),
        ({"delimiter": '"'}, "delimiter is '\"', and so is quote or escape"),
    ):
        with pytest.raises(EngineError, match=says):
            house.csv("a\n1\n", options=options)


def test_without_a_header_columns_are_numbered_as_in_spark(house: House) -> None:
    frame = house.csv("1,a\n2,b\n", options={"header": False})
    assert types(frame.columns) == {"_c0": "bigint", "_c1": "string"}
    assert rows(house.csv("1,a\n", options={"header": False}, schema={"id": "int", "n": "string"})) == [
        (1, "a")
    ]
    with pytest.raises(EngineError, match="line 1: 2 columns, but schema: names 1"):
        house.csv("1,a\n", options={"header": False}, schema={"id": "int"})


def test_tabs_of_a_tsv(house: House) -> None:
    house.file("a.tsv", "id\tx\n1\ta,b\n")
    assert rows(house.read("a.tsv", "csv")) == [(1, "a,b")]


def test_another_delimiter_than_the_comma_is_asked_about(house: House) -> None:
    with pytest.raises(EngineError, match=r"line 1: one column with ';' in it: options: \{delimiter: ';'\}"):
        house.csv("id;x\n1;2\n")
    assert rows(house.csv("a;b\nx\n", options={"delimiter": ","})) == [("x",)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_encodings(house: House, encoding: str) -> None:
    house.file("e.csv", "name,n\nZoë,1\n".encode(encoding))
    frame = house.read("e.csv", "csv", options={"encoding": encoding.removesuffix("-sig")})
    assert types(frame.columns) == {"name": "string", "n": "bigint"}
    assert rows(frame) == [("Zoë", 1)]


def test_bytes_of_another_encoding_are_told(house: House) -> None:
    house.file("e.csv", "name\nok\nZoë\n".encode("latin-1"))
    with pytest.raises(EngineError, match=r"e\.csv, line 3: not utf-8; .*latin-1"):
        house.read("e.csv", "csv").to_arrow()
    late = b"name\n" + b"ok\n" * 100_000 + "Zoë\n".encode("latin-1")
    house.file("late.csv", late)
    if house.engine.name == "pandas":
        with pytest.raises(EngineError, match=r"late\.csv, line 100002: not utf-8"):
            house.read("late.csv", "csv").to_arrow()
    with pytest.raises(EngineError, match=r"encoding 'utf-9' cannot be read \(did you mean 'utf-8'\?\)"):
        house.read("e.csv", "csv", options={"encoding": "utf-9"})


_READ_BY_SPARK = (
    'a,b\n1,2\n1,"open\n2,x\n', 'a,b\n1,2\n1,"x"y\n2,x\n', "a,b\n1,2\r\n3,4\n", 'a,b\r\n1,"x\ny"\r\n3,4\n', "a,b\n1,x\ry\n",
    "a,b\n" + "1,2\n" * 30_000 + '"x\ny",2\n3,4,5\n',
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a,b\n1,2\n3\n", "line 3: 1 field, expected 2"),
        ("a,b\n1,2,3\n", "line 2: 3 fields, expected 2"),
        ("a,b\n" + "1,2\n" * 30_000 + '"x\ny",2\n3,4,5\n', "line 30004: 3 fields, expected 2"),
        ('a,b\n1,2\n1,"open\n2,x\n', r"line 3: a quote \(\"\) is never closed"),
        ('a,b\n1,2\n1,"x"y\n2,x\n', "line 3: .* or has text behind it"),
        ("a,b\n1,2\r\n3,4\n", "line 2: it ends with CRLF, those before it with LF"),
        ('a,b\r\n1,"x\ny"\r\n3,4\n', "line 4: it ends with LF, those before it with CRLF"),
        ("a,b\n1,x\ry\n", "line 2: it ends with CR, those before it with LF"),
        ("\r\n\na,b\n1,x\n", "line 2: it ends with LF, those before it with CRLF"),
        ('"a\nb",c\r\n1,x\r\n', "line 2: it ends with CRLF, those before it with LF"),
        ('a, "b\n1,x\n2,y\n', "line 1: a quote .* is never closed"),
        ("a,A\n1,2\n", "line 1: the header names 'A' twice"),
        ("", "is empty: no line tells its columns"),
        ("\n\n", "is empty"),
    ],
)
def test_broken_files_are_told(house: House, text: str, says: str) -> None:
    if house.engine.name == "spark" and text in _READ_BY_SPARK:
        pytest.skip("not told on Spark, or another fault of it: docs/engines.md")
    with pytest.raises(EngineError, match=rf"some\.csv.*{says}"):
        house.csv(text).to_arrow()


def test_a_header_alone_is_a_table_of_no_rows(house: House) -> None:
    frame = house.csv("id,name\n")
    assert types(frame.columns) == {"id": "string", "name": "string"}
    assert rows(frame) == []
    assert types(house.csv("", schema={"id": "int"}).columns) == {"id": "int"}


def test_empty_files_of_a_glob_hold_no_rows(house: House) -> None:
    house.file("in/a.csv", "")
    house.file("in/b.csv", "id\n1\n")
    assert rows(house.read("in/*.csv", "csv")) == [(1,)]


@pytest.mark.parametrize(
    "text", ["id,x\r\n1,a\r\n2,b\r\n", "id,x\n1,a\n2,b", "id,x\n\n1,a\n\n2,b\n", " id , x\n1,a\n2,b\n"]
)
def test_line_ends_and_spaces_around_names(house: House, text: str) -> None:
    frame = house.csv(text)
    assert types(frame.columns) == {"id": "bigint", "x": "string"}
    assert rows(frame) == [(1, "a"), (2, "b")]


@pytest.mark.parametrize("before", ["\n", "\n\n", "\r\n\r\n", "\ufeff\n"])
@pytest.mark.parametrize("text", ["a\nx\n", "a,b\nx,y\n"])
def test_empty_lines_before_the_header_are_no_header(house: House, before: str, text: str) -> None:
    end = "\r\n" if "\r" in before else "\n"
    text = before + text.replace("\n", end)
    assert rows(house.csv(text)) == [("x", "y")[: 1 + ("," in text)]]
    with pytest.raises(EngineError, match=rf"line {before.count(chr(10)) + 2}: column 'a' holds 'x'"):
        house.csv(text, schema=dict.fromkeys("ab"[: 1 + ("," in text)], "int")).to_arrow()
    with pytest.raises(EngineError, match=rf"line {before.count(chr(10)) + 1}: the header names 'A' twice"):
        house.csv(f"{before}a,A{end}")


def test_names_that_sql_would_stumble_over(house: House) -> None:
    frame = house.csv('select,a b,"say ""hi""",ünï,,c\'d\n1,2,3,4,5,6\n')
    assert [column.name for column in frame.columns] == ["select", "a b", 'say "hi"', "ünï", "_c4", "c'd"]
    assert rows(frame) == [(1, 2, 3, 4, 5, 6)]


BARE, LONG = "i,t\n" + "1,a\n" * 40 + "2,é", "i,t\n" + "1,a\n" * 40 + '2,"e\n3,f"\n'


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        (BARE, True),
        (BARE.replace("\n", "\r\n"), True),
        (BARE + "\n\n\n", True),
        (LONG, False),
        (BARE.replace("a", "'"), True),
        (BARE.replace("\n", "\r\n", 1), False),
        (BARE.replace("\n", "\r"), False),
        (BARE.replace("a", "a\r", 1), False),
        (BARE + "\n \n", False),
        (BARE.replace("1,", "\t1,"), False),
        (" \n" + BARE, False),
        ("\ufeff" + BARE, False),
        (BARE.replace("a", "\0", 1), False),
    ],
)
def test_where_every_line_is_a_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, bare: bool
) -> None:
    (tmp_path / "a.csv").write_bytes(text.encode())
    file = find_files(Place(LocalConnection("in", tmp_path), "a.csv", "csv")).files[0]
    for size in (1 << 20, 4, 3):
        monkeypatch.setattr(csv_text, "_AT_ONCE", size)
        assert bare_lines(file, Dialect()) is bare
    assert not bare_lines(file, Dialect(quote="1"))


@pytest.mark.parametrize("engine", ["spark"], indirect=True)
def test_cores_share_a_file_where_every_line_is_a_record(
    house: House, spark: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_csv, "_ONE_TASK", 100)
    spark.conf.set("spark.sql.files.maxPartitionBytes", "50")
    try:
        for text in (BARE, BARE.replace("\n", "\r\n"), LONG):
            frame = house.csv(text)
            assert isinstance(frame, SparkFrame)
            if not frame.work.connect:
                assert (frame.spark.rdd.getNumPartitions() > 2) is (text != LONG)
            last = (2, "é") if text != LONG else (2, "e\n3,f")
            assert sorted(rows(frame)) == sorted([(1, "a")] * 40 + [last])
        with pytest.raises(EngineError, match=r"some\.csv, line 43: 1 field, expected 2"):
            rows(house.csv(BARE + "\n3\n"))
    finally:
        spark.conf.unset("spark.sql.files.maxPartitionBytes")


@pytest.mark.parametrize("engine", ["spark"], indirect=True)
def test_values_are_held_to_their_types_whatever_the_session_is_set_to(house: House, spark: Any) -> None:
    frame = house.csv("i\n1\nx\n", schema={"i": "bigint"})
    assert isinstance(frame, SparkFrame)
    handed = frame.to_spark()
    before = spark.conf.get("spark.sql.ansi.enabled")
    spark.conf.set("spark.sql.ansi.enabled", "false")
    try:
        with pytest.raises(Exception, match="odibi-value"):
            handed.collect()
    finally:
        spark.conf.set("spark.sql.ansi.enabled", before)


def test_gzip(house: House) -> None:
    for name in ("a.csv.gz", "A.CSV.GZ"):
        house.file(name, gzip.compress(b"id\n1\nx\n"))
        assert rows(house.read(name, "csv")) == [("1",), ("x",)]
    with pytest.raises(EngineError, match=r"a\.csv\.gz, line 3: column 'id' holds 'x'"):
        house.read("a.csv.gz", "csv", schema={"id": "int"}).to_arrow()
    house.file("b.csv.gz", b"id\n1\n")
    with pytest.raises(EngineError, match=r"b\.csv\.gz cannot be read"):
        house.read("b.csv.gz", "csv")


def test_files_of_a_glob_may_order_their_columns_as_they_like(house: House) -> None:
    house.file("in/a.csv", "id,x\n1,a\n")
    house.file("in/b.csv", "X,ID\nb,2\n")
    assert rows(house.read("in/*.csv", "csv")) == [(1, "a"), (2, "b")]


def test_files_of_a_glob_with_other_columns_are_refused(house: House) -> None:
    house.file("in/a.csv", "id,x\n1,a\n")
    house.file("in/b.csv", "id,y\n2,b\n")
    with pytest.raises(EngineError, match=r"in/b\.csv lacks x and has also y; .* columns id, x"):
        house.read("in/*.csv", "csv")


def test_a_folder_of_parts_as_spark_writes_it(house: House) -> None:
    house.file("out/part-00001.csv", "id\n2\n")
    house.file("out/part-00000.csv", "id\n1\n")
    house.file("out/_SUCCESS", "")
    house.file("out/.part-00000.csv.crc", "x")
    assert rows(house.read("out", "csv")) == [(1,), (2,)]


def test_hidden_files_and_folders_match_no_glob(house: House) -> None:
    house.file("in/_temporary/a.csv", "id\n1\n")
    house.file("in/ok/b.csv", "id\n2\n")
    house.file("in/ok/.c.csv", "id\n3\n")
    assert rows(house.read("in/**/*.csv", "csv")) == [(2,)]


@pytest.mark.parametrize("name", ["a[1].csv", "a?.csv", "a*b.csv", "it's.csv", "a b#c%20.csv", "ü.csv"])
def test_names_with_special_characters(house: House, name: str) -> None:
    house.file(name, "id\n1\n")
    house.file("a1.csv", "id\n2\n")
    house.file("axb.csv", "id\n3\n")
    assert rows(house.read(name, "csv")) == [(1,)]


def test_missing_files_are_told_with_the_nearest_name(house: House) -> None:
    house.file("raw/sales.csv", "id\n1\n")
    for path, says in {
        "raw/sale.csv": r"there is no file .*raw/sale\.csv: did you mean 'sales\.csv'\?",
        "rw/sales.csv": r"nor a folder .*/rw: did you mean 'raw'\?",
        "raw/zzzz.csv": r"there: sales\.csv",
        "raw\\sales.csv": "parts of a path are parted by '/'",
        f"{house.folder.name}/raw/sales.csv": f": '{house.folder.name}' stands in it twice",
        f"{house.folder.name}/raw/zzzz.csv": rf"nor a folder \S+/{house.folder.name}$",
        "raw/*.txt": r"no file matches .*raw/\*\.txt; there: sales\.csv",
        "raw/*/x.csv": "no file matches",
    }.items():
        with pytest.raises(EngineError, match=says):
            house.read(path, "csv")


def test_long_values_are_cut_in_errors(house: House) -> None:
    with pytest.raises(EngineError) as found:
        house.csv("id\n" + "x" * 5000 + "\n", schema={"id": "int"}).to_arrow()
    assert len(str(found.value)) < 600
    assert "line 2" in str(found.value)


def test_null_characters_and_long_fields(house: House) -> None:
    assert rows(house.csv("id,t\n1,a\0b\n")) == [(1, "a\0b")]
    long = "y" * 3_000_000
    assert rows(house.csv(f'id,t\n1,"{long}"\n')) == [(1, long)]
    if house.engine.name == "pandas":
        with pytest.raises(
            EngineError, match=r"some\.csv, line 3: a record of more than 16 MiB; is a quote never closed\?"
        ):
            house.csv('id,t\n1,x\n1,"' + "x" * 17_000_000 + '"\n').to_arrow()


_TEXT = st.text(st.characters(exclude_characters="\r\x00", exclude_categories=["Cs", "Cc"]), max_size=12)
_ROW = st.tuples(
    st.integers(-(2**63), 2**63 - 1),
    _TEXT.filter(lambda text: text != ""),
    st.floats(allow_nan=False, allow_infinity=False),
    st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)),
    st.dates(),
    st.booleans(),
)


@only_pandas
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.lists(_ROW, max_size=8))
def test_what_a_csv_writer_writes_comes_back(house: House, data: list[tuple[Any, ...]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["i", "s", "f", "t", "d", "b"])
    writer.writerows(
        (i, s, repr(f), t.isoformat(" "), d.isoformat(), str(b).lower()) for i, s, f, t, d, b in data
    )
    schema = {"i": "bigint", "s": "string", "f": "double", "t": "timestamp", "d": "date", "b": "boolean"}
    found = rows(house.csv(text.getvalue(), schema=schema))
    assert found == [(i, s, f, t.replace(tzinfo=UTC), d, b) for i, s, f, t, d, b in data]
