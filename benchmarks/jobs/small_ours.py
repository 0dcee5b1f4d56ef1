"""Three nodes on 1,000 rows: read csv, derive, write Delta; ours. Arguments: csv, target folder."""

import sys

from odibi_magics import Project


def text(csv: str, target: str) -> str:
    return f"""
connections:
  raw: {{type: local, base_path: {csv.rsplit("/", 1)[0]}}}
  lake: {{type: local, base_path: {target}}}
pipelines:
  - pipeline: small
    nodes:
      - name: sales
        read: {{connection: raw, path: {csv.rsplit("/", 1)[1]}}}
      - name: clean
        transform: {{steps: [{{sql: "SELECT *, qty * price AS amount, year(ts) AS year FROM sales WHERE qty > 0"}}]}}
        write: {{connection: lake, path: clean}}
      - name: yearly
        transform: {{steps: [{{sql: "SELECT year, sum(amount) AS amount FROM clean GROUP BY year"}}]}}
        write: {{connection: lake, path: yearly}}
"""


if __name__ == "__main__":
    Project.from_yaml(text(*sys.argv[1:3])).run()
