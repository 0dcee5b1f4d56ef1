"""Checks and plans N SQL nodes, a chain with branches; prints its seconds, those of CPU, and those that
reading the YAML takes alone. Arguments: N, folder."""

import sys
import time
from pathlib import Path

import yaml

from odibi_magics import Project

count, folder = int(sys.argv[1]), Path(sys.argv[2])
folder.mkdir(parents=True, exist_ok=True)
(folder / "in.csv").write_text("id,qty,price,ts\n1,2,3.5,2026-01-01 10:00:00\n")


def node(i: int) -> str:
    before = f"node_{i - 1}" if i % 10 != 1 else "start"
    columns = f"id, qty + {i} AS qty, price * qty AS price, ts, year(ts) AS year_{i % 7}"
    sql = f"SELECT {columns} FROM {before} WHERE qty > {-i}"
    return f'      - name: node_{i}\n        transform: {{steps: [{{sql: "{sql}"}}]}}\n'


text = (
    f"connections: {{lake: {{type: local, base_path: {folder}}}}}\npipelines:\n  - pipeline: wide\n    nodes:\n"
    "      - name: start\n        read: {connection: lake, path: in.csv}\n"
    + "".join(node(i) for i in range(1, count))
)
start, cpu = time.perf_counter(), time.process_time()
plan = Project.from_yaml(text).plan()
took, cpu = time.perf_counter() - start, time.process_time() - cpu
assert len(plan.nodes) == count
assert all(found.columns for found in plan.nodes)
start = time.perf_counter()
yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
alone = time.perf_counter() - start
print(f"{took:.3f} {cpu:.3f} {alone:.5f}")
