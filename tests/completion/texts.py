"""Right texts in every style that people write, for taking pieces out of."""

BLOCKS = """\
project: sales
engine: auto
key_vault_name: company-kv
vars:
  region: EU   # where
  days: [1, 2]
functions:
  - transforms.py
secrets: {timeout: 30}
retry:
  max_attempts: 3
  backoff: exponential
story: {connection: lake, path: runs}
connections:
  lake:
    type: local
    base_path: ./lake
  bronze:
    type: azure_adls
    account: account1
    container: raw
    auth_mode: direct_key
    account_key: ${BRONZE_KEY}
    hierarchical_namespace: false
pipelines:
  - pipeline: etl
    description: >
      all that is sold,
      day by day
    tags: [daily, "of sales"]
    nodes:
    - name: orders
      read:
        connection: lake
        path: raw/{{ region }}/*.csv
        format: csv
        options:
          header: true
          delimiter: ';'
        schema:
          id: long
          qty: "decimal(10,2)"

    - name: clean
      depends_on:
        - orders
      transform:
        steps:
          - sql: |
              SELECT *, year(day) AS year
              FROM orders
              -- a comment
              WHERE qty > 0

          - function: add_margin
            params:
              rate: 0.2
            returns: {id: long, margin: double}
      validation:
        not_empty: true
        no_nulls:
          columns: [id]
        unique:
          - columns: [id]
          - columns:
              - id
              - day
            on_fail: warn
        schema: {columns: {id: long}, exact: false}
        expression: {sql: "qty > 0"}
      write:
        connection: lake
        path: clean/orders
        mode: merge
        keys:
        - id
        partition_by: [year]
environments:
  prod:
    engine: spark
    connections:
      lake: {type: azure_adls, account: prodlake, container: lake, auth_mode: session}
"""

FLOW = """\
connections: {lake: {type: local, base_path: .}, other: {
  type: local,
  base_path: 'it''s'
}}
pipelines:
- pipeline: main
  nodes:
  - {name: a, read: {connection: lake, path: "a b.csv", columns: [id, 'x y']}}
  - name: b
    transform: {steps: [{sql: "SELECT id, \\"x\\" FROM a WHERE id = {{ limit }}"}, {sql: 'SELECT * FROM df'}]}
    write: {connection: lake, path: out/{{ day }}, mode: overwrite, replace_where: "day = '{{ day }}'"}
"""

NODES = """\
- name: orders
  read: {connection: lake, path: raw/orders.csv}
- name: clean
  transform:
    steps:
    - sql: SELECT id, qty
           FROM orders
           WHERE qty > 0
  write: {connection: lake, path: clean/orders}
"""

PIPELINE = """\
pipeline: daily
owner: sales
nodes:
  - name: orders
    read:
      connection: lake
      path: raw/orders.csv
"""

PROJECTS = (BLOCKS, FLOW, NODES, PIPELINE)
