"""Formats of places: what a path's ending says, and what each format can do."""

from __future__ import annotations

_ENDINGS = {
    ".csv": "csv", ".csv.gz": "csv", ".tsv": "csv", ".parquet": "parquet", ".delta": "delta",
    ".json": "json", ".jsonl": "json", ".ndjson": "json", ".json.gz": "json", ".jsonl.gz": "json",
}  # fmt: skip

READ_OPTIONS = {
    "csv": frozenset({
        "header", "delimiter", "quote", "escape", "null_value", "encoding", "date_format", "timestamp_format",
    }),
    "json": frozenset(), "parquet": frozenset(), "delta": frozenset(),
}  # fmt: skip
WRITE_OPTIONS = {
    "csv": frozenset({"header", "delimiter", "quote", "escape", "null_value"}),
    "json": frozenset(), "parquet": frozenset(), "delta": frozenset(),
}  # fmt: skip
# Options that are true or false; the others are text.
FLAGS = frozenset({"header"})

FILE_MODES = frozenset({"overwrite", "append", "error", "ignore"})


def infer_format(path: str) -> str:
    """The format a path's ending names plainly, else delta."""
    name = path.rstrip("/").rsplit("/", 1)[-1].lower()
    for ending in sorted(_ENDINGS, key=len, reverse=True):
        if name.endswith(ending):
            return _ENDINGS[ending]
    return "delta"
