"""Values as people read them."""

from __future__ import annotations

import math
import struct
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odibi_magics.display.units import count, duration, plural, size
from odibi_magics.display.values import block, cut, line, shown
from odibi_magics.secret import Secret


@pytest.mark.parametrize(
    ("value", "type_", "text"),
    [
        (None, "string", "NULL"),
        ("text", "string", "text"),
        ("", "string", "''"),
        ("   ", "string", "'␣␣␣'"),
        (" x  ", "string", "'␣x␣␣'"),
        (True, "boolean", "true"),
        (2013, "int", "2013"),
        (0.1, "double", "0.1"),
        (0.1 + 0.2, "double", "0.30000000000000004"),
        (0.10000000149011612, "float", "0.1"),
        (16777216.0, "float", "16777216.0"),
        (math.nan, "float", "nan"),
        (Decimal("1E+3"), "decimal(10,2)", "1000"),
        (date(2013, 1, 2), "date", "2013-01-02"),
        (datetime(2013, 1, 2, 3, tzinfo=UTC), "timestamp", "2013-01-02 03:00:00Z"),
        (datetime(2013, 1, 2, 3, 0, 0, 5), "timestamp_ntz", "2013-01-02 03:00:00.000005"),
        (b"\x00\xff", "binary", "0x00ff"),
        ([1, None, "ä"], "array<string>", '[1,null,"ä"]'),
        ({"a": date(2013, 1, 2), 1: {"b": Decimal("1.50")}}, "", '{"a":"2013-01-02","1":{"b":"1.50"}}'),
        ([("k", 1)], "map<string,int>", '[["k",1]]'),
    ],
)
def test_a_value_is_told_in_full_and_without_noise(value: object, type_: str, text: str) -> None:
    assert shown(value, type_).text == text


def test_null_is_unlike_the_text_null() -> None:
    assert shown(None).null and not shown("NULL").null


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_a_float_of_32_bits_comes_back_from_its_digits(value: float) -> None:
    back = float(shown(value, "float").text)
    assert struct.pack("f", back) == struct.pack("f", value)


@pytest.mark.parametrize("hidden", ["\x1b", "\x00", "\u202e", "\u2066", "\u200b", "\ufeff", "\ud800", "\x85"])
def test_nothing_stays_invisible(hidden: str) -> None:
    for made in (line(f"a{hidden}b"), block(f"a{hidden}b"), shown(f"a{hidden}b").text, shown([hidden]).text):
        assert hidden not in made and "\\" in made
        made.encode()


def test_a_line_has_no_line_ends_and_a_block_keeps_them() -> None:
    assert line("a\nb\tc\r") == "a\\nb\\tc\\r"
    assert block("a\r\nb\tc") == "a\nb\tc"


def test_text_is_redacted_before_it_is_cut_or_escaped() -> None:
    Secret("hunter2<&>\nhunter2")
    for made in (
        line("key hunter2<&>\nhunter2"),
        block("hunter2<&>\nhunter2"),
        shown("hunter2<&>\nhunter2").text,
    ):
        assert "hunter2" not in made and "[hidden]" in made


def test_the_start_of_a_secret_does_not_show_where_a_long_value_is_cut() -> None:
    secret = "S3" * 2000
    Secret(secret)
    for before in range(19_000, 20_000, 99):
        made = shown("x" * before + secret + "y" * 20_000).text
        assert "S3" not in made and made.startswith("x" * 10_000) and made.endswith("…")
    assert shown(b"\xff" * 10**6).text.startswith("0xffff")


def test_cut_marks_what_is_missing() -> None:
    assert cut("x" * 60) == "x" * 60
    assert cut("x" * 61) == "x" * 59 + "…"


@pytest.mark.parametrize(
    ("number", "text"),
    [(None, ""), (0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (999_949, "999.9 kB"), (999_950, "1.0 MB"),
     (8412345, "8.4 MB"), (10**12, "1.0 TB"), (10**16, "10,000.0 TB")],
)  # fmt: skip
def test_bytes(number: int | None, text: str) -> None:
    assert size(number) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.004, "0.00 s"), (0.094, "0.09 s"), (0.096, "0.1 s"), (1.24, "1.2 s"), (9.96, "10 s"), (59.6, "1 min 00 s"),
     (185.2, "3 min 05 s"), (3599.7, "1 h 00 min"), (7440, "2 h 04 min")],
)  # fmt: skip
def test_times(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_counts() -> None:
    assert (count(336776), count(None), plural(1, "row"), plural(2000, "row")) == (
        "336,776",
        "",
        "1 row",
        "2,000 rows",
    )
