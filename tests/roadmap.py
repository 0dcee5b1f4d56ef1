"""The pipelines that users were promised, as they were written; each test adds the connections."""

PIPELINES = """
pipelines:
  - pipeline: etl
    nodes:
      - name: read_data
        read:
          connection: bronze
          path: raw/sales.csv
          format: csv

      - name: write_data
        write:
          connection: silver
          path: clean/sales.parquet
          format: parquet

      - name: write_delta
        write:
          connection: silver
          path: clean/sales.delta  # ← Delta table!
          # format: delta (default)
          partition_by: [year, month]
          mode: append
"""
