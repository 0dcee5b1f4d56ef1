"""Merges a Parquet file into a Delta table; ours. Arguments: table, source."""

import sys

from odibi_magics import Project

TABLE, SOURCE = (path.rsplit("/", 1) for path in sys.argv[1:3])
TEXT = f"""
connections:
  raw: {{type: local, base_path: {SOURCE[0]}}}
  lake: {{type: local, base_path: {TABLE[0]}}}
nodes:
  - name: changed
    read: {{connection: raw, path: {SOURCE[1]}}}
    write: {{connection: lake, path: {TABLE[1]}, mode: merge, keys: [id]}}
"""

if __name__ == "__main__":
    result = Project.from_yaml(TEXT).run()
    print(result.state, [warning.code for node in result.nodes for warning in node.warnings])
