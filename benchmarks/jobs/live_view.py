"""A run in a kernel with its live view and without, in turn. Arguments: a folder, rows, rounds.

Prints seconds of wall and of the kernel's CPU as JSON. The browser's own work is not in it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from jupyter_client.manager import start_new_kernel
from pyarrow import csv

PATIENCE = 600
NODES = 12

SETUP = """
import json, os, time
%load_ext odibi_magics
def taken(progress):
    os.environ["ODIBI_PROGRESS"] = progress
    wall, cpu = time.perf_counter(), time.process_time()
    get_ipython().run_cell_magic("odibi_pipeline", "", TEXT)
    assert odibi_result.state == "done"
    print(json.dumps([time.perf_counter() - wall, time.process_time() - cpu]))
"""


def main(folder: Path, rows: int, rounds: int) -> dict[str, list[tuple[float, float]]]:
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    given = {
        "id": np.arange(rows),
        "qty": random.integers(0, 100, rows),
        "price": random.random(rows).round(4),
    }
    csv.write_csv(pa.table(given), folder / "in.csv")
    manager, client = start_new_kernel()
    took: dict[str, list[tuple[float, float]]] = {"live": [], "off": []}
    try:
        _run(client, f"TEXT = {_text(folder)!r}")
        _run(client, SETUP)
        for at in range(rounds + 1):
            for progress in ("", "off") if at % 2 else ("off", ""):
                found = json.loads(_run(client, f"taken({progress!r})").splitlines()[-1])
                if at:  # the first one warms up
                    took[progress or "live"].append(found)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    return took


def _text(folder: Path) -> str:
    write = "{connection: lake, path: out/n%d, mode: overwrite}"
    nodes = [
        f"  - name: n{i}\n    read: {{connection: lake, path: in.csv}}\n"
        f"    transform: {{steps: [{{sql: 'SELECT qty, sum(price) AS price FROM df WHERE id > {i} GROUP BY qty'}}]}}\n"
        f"    write: {write % i}\n"
        for i in range(NODES)
    ]
    return f"connections: {{lake: {{type: local, base_path: {folder}}}}}\nnodes:\n{''.join(nodes)}"


def _run(client: Any, code: str) -> str:
    said: list[str] = []

    def hear(message: Any) -> None:
        if message["msg_type"] == "stream":
            said.append(message["content"]["text"])

    answer = client.execute_interactive(code, store_history=False, timeout=PATIENCE, output_hook=hear)
    assert answer["content"]["status"] == "ok", answer["content"]
    return "".join(said)


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))))
