"""The pipelines and connections that users were promised, as they were written."""

CONNECTIONS = """
connections:
  bronze:
    type: azure_adls
    account: account1
    auth_mode: key_vault
    key_vault_name: company-kv
    secret_name: bronze-key

  silver:
    type: azure_adls
    account: account2
    auth_mode: key_vault
    secret_name: silver-key
"""

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
