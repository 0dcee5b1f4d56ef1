"""parquet: Spark reads it; which columns there are, is told by all footers, that must agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from odibi_magics.config.types import Column
from odibi_magics.engines.base import Source
from odibi_magics.engines.pandas.files import Files
from odibi_magics.engines.pandas.read_parquet import differs
from odibi_magics.engines.pandas.trees import File
from odibi_magics.engines.pandas.types import from_arrow
from odibi_magics.engines.spark.types import columns_of, in_utc, schema_of
from odibi_magics.engines.spark.work import Work
from odibi_magics.errors import EngineError
from odibi_magics.quoting import Data, Quoting

_ONLY_NULLS = "NULL"


def describe_parquet(source: Source, files: Files) -> tuple[Column, ...]:
    """The columns with their types: `schema:`, else those of all footers. Raises EngineError naming the file."""
    if source.schema is not None:
        return source.schema
    found = {file.path: _footer(files.url, file) for file in files.files}
    first = dict(found[files.paths[0]])
    for types in found.values():
        first |= {name: types.get(name, type_) for name, type_ in first.items() if type_ == _ONLY_NULLS}
    for path, types in found.items():
        own = {n: t if t != _ONLY_NULLS else first.get(n, t) for n, t in types.items()}
        if own != first:
            raise EngineError(differs(path, own, first))
    return tuple(Column(n, "string" if t == _ONLY_NULLS else t) for n, t in first.items())


def scan_parquet(work: Work, files: Files, columns: Sequence[Column]) -> Any:
    """The rows of the files, with columns as they were described."""
    reader = work.spark.read.option("__globPaths__", "false").schema(schema_of(columns))
    frame = reader.parquet(*files.paths)
    if columns_of(frame) != tuple(columns):
        frame = in_utc(frame)
    return frame


def _footer(url: str, file: File) -> Mapping[str, str]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with file.open() as opened:
            schema = pq.read_schema(opened)
    except (pa.ArrowException, OSError) as error:
        said = Data(str(error).splitlines()[0])
        raise EngineError(Quoting(f"{file.path} is no parquet file that can be read: ", said)) from None
    lowered: dict[str, str] = {}
    for name in schema.names:
        if twice := lowered.get(name.lower()):
            raise EngineError(
                f"{file.path} has two columns '{twice}' and '{name}', and SQL knows no capitals"
            )
        lowered[name.lower()] = name
    return {field.name: _type(url, field) for field in schema}


def _type(url: str, field: Any) -> str:
    import pyarrow as pa

    if pa.types.is_null(field.type):
        return _ONLY_NULLS
    try:
        return from_arrow(field.type)
    except ValueError as error:
        raise EngineError(f"{url}: column '{field.name}': {error}") from None
