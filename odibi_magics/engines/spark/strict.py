"""Texts as typed values, strictly, by Spark's SQL: what is no value of its type raises with its file.

Spark alone would take 2024 for a date, 1d for a number, and drop the time behind a date.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from odibi_magics.engines.pandas.strict import too_long
from odibi_magics.engines.spark.failures import ticket
from odibi_magics.engines.spark.names import literal
from odibi_magics.engines.spark.types import in_sql

TOLD = 200  # characters of a value that an error tells


@dataclass(frozen=True)
class Formats:
    """How dates and timestamps are written, in Java's letters; "" for ISO 8601.

    inferred: as in the pandas engine's.
    """

    date: str = ""
    timestamp: str = ""
    inferred: bool = False


def checked(type_: str, text: str, formats: Formats, number: int, column: int, path: str) -> str:
    """SQL for a text as a value of a type, or an error that leads to its file. text, path: SQL without side effects."""
    if type_ == "string":
        return text
    value = from_text(type_, text, formats)
    told = ticket(number, column, path, f"left({text}, {TOLD})")
    return f"coalesce({value}, CASE WHEN {text} IS NOT NULL THEN CAST({told} AS {in_sql(type_)}) END)"


def from_text(type_: str, text: str, formats: Formats = Formats()) -> str:
    """SQL for a text as a value of a type; NULL where it does not fit."""
    if type_ in ("timestamp", "timestamp_ntz"):
        return f"CAST({_timestamp(text, formats.timestamp)} AS {type_})"
    if type_ == "date":
        return _date(text, formats.date)
    if type_ == "binary":
        return f"encode({text}, 'utf-8')"
    misread = " OR ".join(
        one for one in (_misread(type_, text), formats.inferred and reworded(type_, text)) if one
    )
    kept = f"CASE WHEN {misread} THEN NULL ELSE {text} END" if misread else text
    return f"try_cast({kept} AS {in_sql(type_)})"


def reworded(type_: str, text: str) -> str:
    """Whether a value of the type would be written otherwise than the text: 00501, +49, y.

    One comparison leaves out most numbers; four in place of the pattern would be twice the code for Java.
    """
    if type_ == "boolean":
        return f"lower({text}) IN ('0', '1', 'n', 'y')"
    if type_ in ("tinyint", "smallint", "int", "bigint") or type_.startswith("decimal"):
        return f"({text} < '1' AND {text} RLIKE '^(0[0-9]|[+])')"
    if type_ in ("float", "double"):
        return f"({text} < '1' AND {text} RLIKE '^(0[0-9]|[+])') OR {too_long(text)}"
    return ""


def _misread(type_: str, text: str) -> str:
    """Whether a cast would lose digits, or see a number where none is written."""
    if type_ in ("float", "double"):
        # Asked before the pattern, which takes longer than all else that is done with a number.
        doubtful = f"right(rtrim({text}), 1) IN ('d', 'D', 'f', 'F')"
        hexadecimal = f"contains({text}, 'x') OR contains({text}, 'X')"
        return f"({doubtful} AND {text} RLIKE '(?i)[0-9.][df]\\\\s*$') OR {hexadecimal}"
    if match := re.fullmatch(r"decimal\(\d+,(\d+)\)", type_):
        places = f"length(rtrim('0', split_part({text}, '.', 2)))"
        return f"{text} RLIKE '[eE_dDfF]' OR {places} > {match[1]}"
    return ""


def _date(text: str, pattern: str) -> str:
    if pattern:
        return f"CAST(try_to_timestamp({text}, {literal(pattern)}) AS date)"
    day = f"{text} RLIKE '^[0-9]{{4}}[-/][0-9]{{1,2}}[-/][0-9]{{1,2}}$'"
    return f"CASE WHEN {day} THEN try_cast(replace({text}, '/', '-') AS date) END"


def _timestamp(text: str, pattern: str) -> str:
    if pattern:
        return f"try_to_timestamp({text}, {literal(pattern)})"
    day = f"{text} RLIKE '^\\\\s*[0-9]{{4}}[-/][0-9]{{1,2}}[-/][0-9]{{1,2}}'"
    dashed = f"regexp_replace({text}, '^(\\\\s*[0-9]{{4}})/([0-9]{{1,2}})/', '$1-$2-')"
    # Before a zone Spark wants seconds, and in it minutes.
    timed = f"regexp_replace({dashed}, '([ T][0-9]{{1,2}}:[0-9]{{2}})([Z+-]| [A-Z])', '$1:00$2')"
    zoned = f"regexp_replace({timed}, '(:[0-9.:]+[+-][0-9]{{2}})$', '$1:00')"
    # Most are written so that Spark takes them as they are: the patterns would take ten times as long.
    plain = " AND ".join(
        f"substr({text}, {at}, 1) = '{sign}'" for at, sign in ((5, "-"), (8, "-"), (14, ":"), (17, ":"))
    )
    at_once = f"CASE WHEN {plain} AND ascii({text}) BETWEEN 48 AND 57 THEN try_cast({text} AS timestamp) END"
    return f"coalesce({at_once}, CASE WHEN {day} THEN try_cast({zoned} AS timestamp) END)"
