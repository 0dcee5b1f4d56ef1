"""Features of Delta tables that ask more of a writer than adding and removing whole files."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

# Each feature with the writer version that brought it in before features had names.
_LEGACY = {
    "invariants": 2, "appendOnly": 2, "checkConstraints": 3, "changeDataFeed": 4, "generatedColumns": 4,
    "columnMapping": 5, "identityColumns": 6,
}  # fmt: skip

# Nothing of these touches a commit of plain files. domainMetadata, vacuumProtocolCheck and checkpointProtection would
# not either, but deltalake commits to no table that has them.
_HARMLESS = {"appendOnly", "timestampNtz"}

_SPARK = "write it with Spark"


def unsupported(
    writer_version: int,
    named: Collection[str],
    configuration: Mapping[str, str],
    fields: Sequence[Mapping[str, Any]],
    *,
    reads: bool,
    removes: bool,
) -> dict[str, str]:
    """The features in use that a writer of plain files must not pass over, by name, each with what to do.

    writer_version: 7 where features have names. fields: of the schema, as the log writes them.
    reads: whether the write looks at rows that are there. removes: whether it takes some out, or only adds files.
    """
    there = (
        set(named)
        if writer_version >= 7
        else {name for name, since in _LEGACY.items() if since <= writer_version}
    )
    in_use = {name for name in there if _in_use(name, configuration, fields)}
    # Files may be added beside these two. A file that is read still holds its deleted rows.
    beside = {"deletionVectors": not (reads or removes), "changeDataFeed": not removes}
    found = {name: _SPARK for name in in_use if name not in _HARMLESS and not beside.get(name, False)}
    if writer_version > 7:
        found[f"writer version {writer_version}"] = _SPARK
    if removes and "appendOnly" in there and _on(configuration, "delta.appendOnly"):
        found["appendOnly"] = "use mode: append, or take the table's property delta.appendOnly away"
    return found


def _on(configuration: Mapping[str, str], key: str) -> bool:
    return configuration.get(key, "false").lower() == "true"


def _in_use(name: str, configuration: Mapping[str, str], fields: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a feature that the protocol allows is switched on; one we do not know counts as on."""
    if name in _SWITCHES:
        return _on(configuration, _SWITCHES[name])
    if name == "columnMapping":
        return configuration.get("delta.columnMapping.mode", "none") != "none"
    if name == "checkConstraints":
        return any(key.startswith("delta.constraints.") for key in configuration)
    if name in _FIELD_KEYS:
        return any(key.startswith(_FIELD_KEYS[name]) for key in _metadata_keys(fields))
    return True


# A switch that is off settles it for these alone: row tracking binds writers, and files keep their deletion vectors,
# also once the property is off.
_SWITCHES = {
    "appendOnly": "delta.appendOnly", "changeDataFeed": "delta.enableChangeDataFeed",
    "inCommitTimestamp": "delta.enableInCommitTimestamps", "icebergCompatV1": "delta.enableIcebergCompatV1",
    "icebergCompatV2": "delta.enableIcebergCompatV2",
}  # fmt: skip

_FIELD_KEYS = {
    "generatedColumns": "delta.generationExpression", "identityColumns": "delta.identity.",
    "invariants": "delta.invariants", "allowColumnDefaults": "CURRENT_DEFAULT",
}  # fmt: skip


def _metadata_keys(fields: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for field in fields:
        yield from field.get("metadata", {})


# Features under which files may be taken out and put back by copying what the log says of them, row ids, deletion
# vectors and all, and under which nothing but the log names files.
_COPIED = {
    *_LEGACY, *_HARMLESS, "domainMetadata", "deletionVectors", "rowTracking", "v2Checkpoint", "typeWidening",
    "typeWidening-preview", "variantType", "variantType-preview", "inCommitTimestamp", "allowColumnDefaults",
    "clustering",
}  # fmt: skip

READER, WRITER = 3, 7
"""The protocol versions that name their features; what a later one asks for is not known."""


def protocol_features(protocol: Mapping[str, Any]) -> set[str]:
    """What a protocol action allows, by name, also where its version implies it."""
    named = {*(protocol.get("readerFeatures") or ()), *(protocol.get("writerFeatures") or ())}
    writer = protocol.get("minWriterVersion", 1)
    implied = {name for name, since in _LEGACY.items() if since <= writer} if writer < WRITER else set()
    return named | implied


def uncopied(
    protocol: Mapping[str, Any], configuration: Mapping[str, str], fields: Sequence[Mapping[str, Any]]
) -> list[str]:
    """The features in use under which copying actions of the log may be wrong, by name."""
    if protocol.get("minReaderVersion", 1) > READER or protocol.get("minWriterVersion", 1) > WRITER:
        return [f"protocol {protocol.get('minReaderVersion')}.{protocol.get('minWriterVersion')}"]
    found = protocol_features(protocol) - _COPIED
    return sorted(name for name in found if _in_use(name, configuration, fields))


def merged_protocol(current: Mapping[str, Any], other: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """A protocol with the features of both; None where the current one has them all. It never asks for less."""
    features = protocol_features(current) | protocol_features(other)
    reader = max(one.get("minReaderVersion", 1) for one in (current, other))
    if features == protocol_features(current) and reader == current.get("minReaderVersion", 1):
        return None
    made: dict[str, Any] = {
        "minReaderVersion": reader,
        "minWriterVersion": WRITER,
        "writerFeatures": sorted(features),
    }
    if reader == READER:
        read = {name for one in (current, other) for name in one.get("readerFeatures") or ()}
        mapped = (
            {"columnMapping"} if any(one.get("minReaderVersion") == 2 for one in (current, other)) else set()
        )
        made["readerFeatures"] = sorted(read | mapped)
    return made


_LENGTH = re.compile(r"(char|varchar)\((\d+)\)")


def text_lengths(fields: Sequence[Mapping[str, Any]]) -> dict[str, tuple[str, int]]:
    """The columns of Spark's types char(n) and varchar(n), which the log has as strings: "char" or "varchar", and n.

    Readers fill the first up with spaces, writers let no longer text into either. Not those inside other types.
    """
    said = (
        (field["name"], field.get("metadata", {}).get("__CHAR_VARCHAR_TYPE_STRING", "")) for field in fields
    )
    return {name: (found[1], int(found[2])) for name, text in said if (found := _LENGTH.fullmatch(text))}
