"""What a table is: its measures, properties and log, and its columns."""

from __future__ import annotations

from collections.abc import Iterator

from odibi_magics.delta.detail import Detail
from odibi_magics.display.document import Block, CellValue, Line, Table
from odibi_magics.display.history import time_shown
from odibi_magics.display.units import count, plural, size


def detail_blocks(detail: Detail) -> Iterator[Block]:
    """All there is to say of a table, but for what nobody told."""
    rows = "" if detail.rows is None else f"{plural(detail.rows, 'row')} in "
    head = f"version {detail.version}, {rows}{plural(detail.files, 'file')}, {size(detail.bytes)}"
    yield Line(f"{detail.address}:", head)
    yield Table(("", "value"), tuple((name, value) for name, value in _facts(detail) if value), weight=3)
    columns = tuple((column.name, column.type) for column in detail.columns)
    yield Table(("column", "type"), columns, plural(len(columns), "column"), weight=5)


def _facts(detail: Detail) -> Iterator[tuple[str, CellValue]]:
    yield "at", detail.url
    yield "name", detail.name
    yield "description", detail.description
    yield "created", time_shown(detail.created) if detail.created else ""
    yield "format", detail.format
    yield "partitioned by", ", ".join(detail.partition_by)
    yield "partitions", count(detail.partitions) if detail.partition_by else ""
    yield "protocol", f"reader {detail.reader_version}, writer {detail.writer_version}"
    yield "features", ", ".join(detail.features)
    yield from ((f"property {name}", value) for name, value in detail.properties.items())
    yield "oldest version that reads", count(detail.oldest)
    if detail.log_files is not None:
        yield "log", f"{plural(detail.log_files, 'file')}, {size(detail.log_bytes)}"
        yield "last checkpoint", "none" if detail.checkpoint is None else f"version {detail.checkpoint}"
    yield "a vacuum would free at least", size(detail.reclaimable) if detail.reclaimable else ""
