"""Why a write is refused, skipped or lost, in words: the same on every engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from odibi_magics.engines.base import Sink, Written
from odibi_magics.engines.checks import for_example
from odibi_magics.errors import EngineError, KeysRefused, TargetExists
from odibi_magics.quoting import Quoting

Shown = tuple[Mapping[str, Any], ...]


def there_already(sink: Sink, version: int) -> Written:
    """What `mode: ignore` does where a table is. Raises TargetExists for `mode: error`."""
    if sink.mode == "error":
        raise TargetExists(
            f"mode: error: the table {sink.place.address} is there already, at version {version}. Use another "
            "mode, or another path"
        )
    return Written(sink.place, version_before=version, version_after=version, skipped="exists already")


def refuse_strangers(sink: Sink, files: Sequence[str]) -> None:
    """Raises EngineError where a folder that is to become a table holds other files."""
    if files:
        raise EngineError(
            f"{sink.place.address} is no Delta table but holds other files ({', '.join(files[:3])}): "
            "write to a folder of its own"
        )


def refuse_inside(sink: Sink, above: str) -> None:
    """Raises EngineError where a new table's folder lies in another table's. above: that one, "" for none."""
    if above:
        raise EngineError(
            f"{sink.place.address} lies in the folder of the Delta table {above}, whose VACUUM by another program "
            "would delete it: write to a folder beside it"
        )


def not_partitioned(sink: Sink) -> EngineError:
    """Of `mode: overwrite_partitions` on a table without any."""
    return EngineError(
        f"mode: overwrite_partitions needs a partitioned table, and {sink.place.address} is not. Use mode: "
        "overwrite with replace_where, or make the table anew with partition_by and overwrite_schema: true"
    )


def lost(sink: Sink, before: int | None, now: int | None) -> str:
    """That other writers were there first. before, now: versions of the table, None where it is not there."""
    began = f"version {before}" if before is not None else "not there"
    after = f"version {now}" if now is not None else "gone"
    return (
        f"the table {sink.place.address} was {began} when this write began and is {after} now: other writers "
        "committed in between, and the write could not be repeated on top. Nothing of it was committed; run it again "
        "once they are done"
    )


# Keys -----------------------------------------------------------------------------------------------------------------


def refuse_nulls(sink: Sink, count: int, shown: Shown) -> None:
    """Raises KeysRefused where rows have NULL in a key."""
    if count:
        raise KeysRefused(
            Quoting(
                f"{_named(sink)}: {_rows(count)} NULL in a key, so no row of the table can be told by it",
                for_example(shown),
                ". Filter them out, or choose other keys. Nothing was written",
            )
        )


def refuse_repeated(sink: Sink, count: int, shown: Shown) -> None:
    """Raises KeysRefused where rows have the keys of an earlier one."""
    if count:
        raise KeysRefused(
            Quoting(
                f"{_named(sink)}: {_rows(count)} the same keys as an earlier one, so it is open which is to stay",
                for_example(shown),
                ". Keep one row for each, or choose other keys. Nothing was written",
            )
        )


def _named(sink: Sink) -> str:
    return f"keys: [{', '.join(sink.keys)}]"


def _rows(count: int) -> str:
    return "1 row has" if count == 1 else f"{count} rows have"
