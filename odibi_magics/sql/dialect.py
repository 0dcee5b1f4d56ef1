"""The two languages of users as sqlglot parses them here: calls stay calls, looked up by the name that was written.

sqlglot's own Spark dialect turns calls into nodes of its own, and some into others than Spark's ANSI mode means:
1/0 and bad casts would become NULL.
"""

from __future__ import annotations

from functools import cache

from sqlglot import Dialect
from sqlglot.dialects.spark import Spark
from sqlglot.parsers.spark import SparkParser

from odibi_magics.errors import UsageError

_SYNTAX = ("CAST", "TRY_CAST", "EXTRACT", "TRIM")  # calls with words of their own between the brackets


class AnsiSparkParser(SparkParser):
    STRICT_CAST = True
    FUNCTIONS = {}
    FUNCTION_PARSERS = {name: SparkParser.FUNCTION_PARSERS[name] for name in _SYNTAX}
    STATEMENT_PARSERS = {}
    ARRAY_CONSTRUCTORS = {}  # array(1, 2)[0] would lose its elements
    NO_PAREN_FUNCTION_PARSERS = {"CASE": SparkParser.NO_PAREN_FUNCTION_PARSERS["CASE"]}
    SUBQUERY_PREDICATES = {
        token: predicate
        for token, predicate in SparkParser.SUBQUERY_PREDICATES.items()
        if predicate.__name__ == "Exists"
    }


class AnsiSpark(Spark):
    class Tokenizer(Spark.Tokenizer):
        STRING_ESCAPES = ["\\", "'", '"']  # '' inside '..' is a quote since Spark 4

    Parser = AnsiSparkParser


def _check_build() -> None:
    """sqlglot's compiled build takes no dialects of others. Raises UsageError."""
    try:
        AnsiSparkParser()
    except TypeError:
        raise UsageError(
            "sqlglot's compiled build (sqlglotc) cannot be used here: pip uninstall sqlglotc "
            "(sqlglot itself stays)"
        ) from None


@cache
def dialect(name: str) -> Dialect:
    """The dialect of `sql_dialect:`, "spark" or "duckdb"."""
    _check_build()
    if name == "spark":
        return AnsiSpark()
    from odibi_magics.sql.duckdb_dialect import PlainDuckDB  # 40 ms, only for those who write DuckDB

    return PlainDuckDB()
