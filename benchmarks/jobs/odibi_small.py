"""Three nodes on 1,000 rows by odibi. Arguments: csv, target folder, project folder, engine, a name of SETTINGS."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.jobs.odibi_project import SETTINGS, WHOLE, opened, project, ran

# How each engine reads timestamps as such, and finds a year in one.
READ = {"pandas": "{engine: pyarrow}", "polars": "{try_parse_dates: true}"}
YEAR = {"pandas": "year(ts)::INTEGER", "polars": "CAST(EXTRACT(YEAR FROM ts) AS INTEGER)"}
ZONED = {
    "pandas": "* REPLACE (ts AT TIME ZONE 'UTC' AS ts)",
    "polars": "*",  # its SQL has no zones; it is asked only whether it can do the job at all
}


def small(csv: Path, target: Path, folder: Path, engine: str, settings: str) -> Path:
    """The project's file."""
    nodes = f"""
      - name: sales
        read: {{connection: raw, format: csv, path: {csv.name}, options: {READ[engine]}}}
      - name: clean
        depends_on: [sales]
        transform:
          steps:
            - sql: SELECT {ZONED[engine]}, qty * price AS amount, {YEAR[engine]} AS year FROM df WHERE qty > 0
        write: {{connection: lake, format: delta, path: clean, mode: overwrite}}
      - name: yearly
        depends_on: [clean]
        transform: {{steps: [{{sql: "SELECT year, sum(amount) AS amount FROM df GROUP BY year"}}]}}
        write: {{connection: lake, format: delta, path: yearly, mode: overwrite}}
"""
    return project(folder, {"raw": csv.parent, "lake": target}, nodes, engine, settings)


if __name__ == "__main__":
    csv, target, folder = map(Path, sys.argv[1:4])
    settings = SETTINGS[sys.argv[5]] + WHOLE
    ran(opened(small(csv, target, folder, sys.argv[4], settings)))
