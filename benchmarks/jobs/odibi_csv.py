"""A CSV to partitioned Delta with a monthly aggregate by odibi. Arguments: csv, target folder, project folder."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.jobs.odibi_project import opened, project, ran

CSV, TARGET, FOLDER = map(Path, sys.argv[1:4])
NODES = f"""
      - name: sales
        read: {{connection: raw, format: csv, path: {CSV.name}, options: {{engine: pyarrow}}}}
      - name: clean
        depends_on: [sales]
        transform:
          steps:
            - sql: |
                SELECT id, ts AT TIME ZONE 'UTC' AS ts, customer, product, qty, price, upper(city) AS city, note,
                       qty * price AS amount, year(ts)::INTEGER AS year, month(ts)::INTEGER AS month
                FROM df WHERE qty > 0
        write: {{connection: lake, format: delta, path: clean, mode: overwrite, partition_by: [year, month]}}
      - name: monthly
        depends_on: [clean]
        transform:
          steps:
            - sql: |
                SELECT year, month, count(*) AS sales, sum(amount) AS amount, max(price) AS dearest
                FROM df GROUP BY year, month
        write: {{connection: lake, format: delta, path: monthly, mode: overwrite}}
"""

if __name__ == "__main__":
    ran(opened(project(FOLDER, {"raw": CSV.parent, "lake": TARGET}, NODES)))
