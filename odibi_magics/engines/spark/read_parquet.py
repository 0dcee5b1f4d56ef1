"""parquet: Spark reads the files, with the columns that all their footers tell."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from odibi_magics.config.types import Column
from odibi_magics.engines.pandas.files import Files
from odibi_magics.engines.spark.names import as_named
from odibi_magics.engines.spark.types import schema_of
from odibi_magics.engines.spark.work import Work
from odibi_magics.quoting import Data, Quoting


def scan_parquet(work: Work, files: Files, columns: Sequence[Column]) -> Any:
    """The rows of the files, with columns as they were described."""
    work.failures.add(files.paths, _Broken())
    return work.spark.read.schema(schema_of(columns)).parquet(*map(as_named, files.paths))


class _Broken:
    """Explains a file that Spark cannot read although its footer was."""

    def value(self, column: int, text: str, path: str) -> str:
        return path  # its values are never cast

    def broken(self, path: str, message: str) -> str:
        column = re.search(r"column: \[(.+?)\], physicalType: INT64, logicalType: timestamp", message)
        if column:
            return f"{path}: column '{column[1]}' holds nanoseconds, which Spark does not read: write microseconds"
        return Quoting(f"{path}: ", Data(message))
