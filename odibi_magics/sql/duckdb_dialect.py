"""DuckDB's SQL with every call as it was written."""

from __future__ import annotations

from sqlglot.dialects.duckdb import DuckDB
from sqlglot.parsers.duckdb import DuckDBParser


class PlainDuckDBParser(DuckDBParser):
    FUNCTIONS = {}
    FUNCTION_PARSERS = {
        name: DuckDBParser.FUNCTION_PARSERS[name] for name in ("CAST", "TRY_CAST", "EXTRACT", "TRIM", "SUBSTRING")
        if name in DuckDBParser.FUNCTION_PARSERS
    }  # fmt: skip
    STATEMENT_PARSERS = {}


class PlainDuckDB(DuckDB):
    Parser = PlainDuckDBParser
