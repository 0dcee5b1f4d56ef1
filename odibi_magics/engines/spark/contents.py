"""What the files of a version hold, asked of Spark: their footers are read, and none of their values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from odibi_magics.config.types import Column
from odibi_magics.delta.restore import Files
from odibi_magics.engines.base import Place
from odibi_magics.engines.spark.tables import load
from odibi_magics.engines.spark.work import Work
from odibi_magics.errors import NoSuchVersion

Content = tuple[str, int]
"""A file's path, and how many of its rows the version has: a deletion vector leaves some out."""

_GONE = re.compile(r"FILE_NOT_EXIST|FILE_NOT_FOUND|FileNotFoundException")


def contents(work: Work, place: Place, version: int) -> dict[Content, int]:
    """The bytes of a version's files that hold rows. Raises NoSuchVersion where the version or one of them is gone."""
    frame = load(work, place, version)
    files = frame.selectExpr("_metadata.file_path AS path", "_metadata.file_size AS bytes")
    try:
        found = files.groupBy("path", "bytes").count().collect()
    except Exception as error:
        raise gone(place, version, error) or error from None
    return {(row["path"], row["count"]): row["bytes"] for row in found}


def gone(place: Place, version: int, error: Exception) -> NoSuchVersion | None:
    """That a file of a version is missing, where an error says so."""
    if not _GONE.search(str(error)):
        return None
    return NoSuchVersion(
        f"{place.address}@{version} cannot be read any more: some of its files are gone, as VACUUM deletes them"
    )


def totals(files: Iterable[Content], sizes: Mapping[Content, int]) -> Files:
    """How many they are, with their rows and bytes."""
    found = list(files)
    return Files(len(found), sum(rows for _, rows in found), sum(sizes[one] for one in found))


def told_columns(frame: Any, columns: Iterable[Column]) -> dict[str, str]:
    """Each column with its type, and whether it refuses NULL, in words."""
    required = {field.name for field in frame.schema if not field.nullable}
    return {one.name: one.type + (" NOT NULL" if one.name in required else "") for one in columns}
