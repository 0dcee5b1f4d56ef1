"""What the recorder, which runs where pyspark is, and the tests share: cases as queries, values as JSON has them."""

from __future__ import annotations

from typing import Any


def query(case: str) -> str:
    """A case as a whole query."""
    text = case.removeprefix("!")
    if text.startswith(("SELECT", "WITH", "(SELECT")):
        return text
    return (
        f"SELECT {text} AS x FROM t"
        if text.startswith("explode")
        else f"SELECT {text} AS x FROM t ORDER BY id"
    )


def plain(value: Any) -> Any:
    """A value as JSON has it, told apart by its text where JSON cannot."""
    if isinstance(value, dict):
        return sorted([plain(key), plain(item)] for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).hex()
    if value is None or isinstance(value, (bool, int, str)):
        return value
    return repr(value) if isinstance(value, float) else str(value)
