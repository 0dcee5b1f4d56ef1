"""Delta tables as others write them, made by hand: what deltalake itself cannot write."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

_FIELDS = {"int64": "long", "string": "string", "timestamp[us, tz=UTC]": "timestamp", "int32": "integer"}
_Z85 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
_B85 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"


def table(
    folder: Path,
    data: pa.Table,
    *,
    reader: int = 1,
    features: Sequence[str] = (),
    configuration: dict[str, str] | None = None,
    fields: list[dict[str, Any]] | None = None,
    add: dict[str, Any] | None = None,
    partitions: Sequence[str] = (),
    file: str = "part-0.parquet",
    **write: Any,
) -> None:
    """One version with one file. fields: of the schema, where they are not the file's own."""
    path = folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(data, path, **write)
    protocol: dict[str, Any] = {
        "minReaderVersion": reader,
        "minWriterVersion": 7 if features else 2 + 3 * (reader > 1),
    }
    if features:
        protocol |= {"readerFeatures": list(features), "writerFeatures": list(features)}
    own = [field(f.name, _FIELDS[str(f.type)]) for f in data.schema]
    schema = json.dumps({"type": "struct", "fields": fields or own})
    metadata = {
        "id": "a", "format": {"provider": "parquet", "options": {}}, "schemaString": schema,
        "partitionColumns": list(partitions), "configuration": configuration or {}, "createdTime": 0,
    }  # fmt: skip
    added = {
        "path": file, "partitionValues": {}, "size": path.stat().st_size, "modificationTime": 0, "dataChange": True,
        "stats": json.dumps({"numRecords": data.num_rows}), **(add or {}),
    }  # fmt: skip
    actions = [
        {"commitInfo": {"timestamp": 0}},
        {"protocol": protocol},
        {"metaData": metadata},
        {"add": added},
    ]
    log = folder / "_delta_log"
    log.mkdir(exist_ok=True)
    (log / f"{0:020}.json").write_text("\n".join(map(json.dumps, actions)))


def field(name: str, type_: str, **metadata: Any) -> dict[str, Any]:
    """A field of a Delta schema."""
    return {"name": name, "type": type_, "nullable": True, "metadata": metadata}


def deleted(rows: Sequence[int]) -> dict[str, Any]:
    """What an `add` says of deleted rows: a deletion vector inside the log. An even number of them."""
    bitmap = struct.pack("<IIHHI", 12346, 1, 0, len(rows) - 1, 16) + struct.pack(f"<{len(rows)}H", *rows)
    data = struct.pack("<IQI", 1681511377, 1, 0) + bitmap
    text = base64.b85encode(data).decode().translate(str.maketrans(_B85, _Z85))
    return {
        "deletionVector": {
            "storageType": "i",
            "pathOrInlineDv": text,
            "sizeInBytes": len(data),
            "cardinality": len(rows),
        }
    }
