"""Merges a Parquet file into a Delta table by odibi, whose `upsert` is deltalake's merge. Arguments: table, source,
project folder."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.jobs.odibi_project import opened, project, ran

TABLE, SOURCE, FOLDER = map(Path, sys.argv[1:4])
NODES = f"""
      - name: changed
        read: {{connection: raw, format: parquet, path: {SOURCE.name}}}
        write: {{connection: lake, format: delta, path: {TABLE.name}, mode: upsert, options: {{keys: [id]}}}}
"""

if __name__ == "__main__":
    ran(opened(project(FOLDER, {"raw": SOURCE.parent, "lake": TABLE.parent}, NODES)))
