"""The rows that deletion vectors take out of a table's files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import unquote

from odibi_magics.engines.pandas.datafiles import DataFile
from odibi_magics.engines.pandas.snapshot import Snapshot, told
from odibi_magics.engines.waiting import awaited
from odibi_magics.errors import EngineError

if TYPE_CHECKING:
    import pyarrow as pa


def deleted_rows(table: Snapshot, files: Sequence[DataFile], paths: Sequence[str]) -> pa.Table:
    """`file`, one of the paths, and `row`, the number of a deleted row in it, from 0.

    files: some of the table's; paths: theirs, as DuckDB names them. Raises EngineError where a vector cannot be read,
    ConnectionFailed.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    from deltalake.exceptions import DeltaError

    try:
        masks = awaited(lambda: pa.RecordBatchReader.from_stream(table.delta.deletion_vectors()).read_all())
    except (DeltaError, OSError, pa.ArrowException) as error:
        failure = EngineError(
            f"a deletion vector of the table {table.store.url} cannot be read: {told(error)}"
        )
        raise table.store.explain(error, "reading") or failure from None
    named = _Names(table)
    wanted = {file.path: path for file, path in zip(files, paths, strict=True)}
    found = [pa.table({"file": pa.array([], pa.string()), "row": pa.array([], pa.uint64())})]
    for uri, kept in zip(masks["filepath"].to_pylist(), masks["selection_vector"], strict=True):
        if path := wanted.get(named.relative(uri)):
            rows = pc.indices_nonzero(pc.invert(kept.values))
            found.append(pa.table({"file": pa.repeat(path, len(rows)), "row": rows}))
    return pa.concat_tables(found)


class _Names:
    """A table's files, to be found by the whole address that deltalake gives them, encoded or not."""

    def __init__(self, table: Snapshot) -> None:
        self._url = table.store.url
        self._by_name: dict[str, list[str]] = {}
        for file in table.files:
            self._by_name.setdefault(file.path.rpartition("/")[2], []).append(file.path)

    def relative(self, uri: str) -> str:
        """The path as the table's files have it. Raises EngineError: rows must not stay that are deleted."""
        for whole in (uri, unquote(uri)):
            for path in self._by_name.get(whole.rpartition("/")[2], ()):
                if whole.endswith(f"/{path}"):
                    return path
        raise EngineError(f"the table {self._url} has deleted rows in {uri}, which is none of its files")
