"""CSV → filter and derive every row → Delta by year and month, and a monthly aggregate; ours."""

import sys

from odibi_magics import Project

CSV, TARGET = sys.argv[1:3]
TEXT = f"""
connections:
  raw: {{type: local, base_path: {CSV.rsplit("/", 1)[0]}}}
  lake: {{type: local, base_path: {TARGET}}}
pipelines:
  - pipeline: sales
    nodes:
      - name: sales
        read: {{connection: raw, path: {CSV.rsplit("/", 1)[1]}}}
      - name: clean
        transform:
          steps:
            - sql: |
                SELECT id, ts, customer, product, qty, price, upper(city) AS city, note,
                       qty * price AS amount, year(ts) AS year, month(ts) AS month
                FROM sales WHERE qty > 0
        write: {{connection: lake, path: clean, partition_by: [year, month]}}
      - name: monthly
        transform:
          steps:
            - sql: |
                SELECT year, month, count(*) AS sales, sum(amount) AS amount, max(price) AS dearest
                FROM clean GROUP BY year, month
        write: {{connection: lake, path: monthly}}
"""

if __name__ == "__main__":
    result = Project.from_yaml(TEXT).run()
    print(result.state, [warning.code for node in result.nodes for warning in node.warnings])
