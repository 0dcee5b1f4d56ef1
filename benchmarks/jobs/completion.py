"""Completions in a cell of N nodes, as the kernel's completer gives them. Arguments: N, rounds, folder.

Prints milliseconds by place as JSON, each with those of CPU; the first of a place imports, or looks into files.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell

PLACES = {
    "a key": ("      - name: last\n        wri¦", "write:"),
    "an enumeration": ("      - name: last\n        write: {connection: lake, mode: me¦", "merge"),
    "a node": ("      - name: last\n        depends_on: [node_7¦", "node_7"),
    "a path": ("      - name: last\n        read: {connection: lake, path: in¦", "in.csv"),
    "a column in SQL": (
        "      - name: last\n        transform:\n          steps:\n            - sql: SELECT pri¦ FROM node_9",
        "price",
    ),
    "a function in SQL": (
        "      - name: last\n        transform:\n          steps:\n            - sql: SELECT coal¦ FROM node_9",
        "coalesce(",
    ),
    "a key of partition_by": (
        "      - name: last\n        transform:\n          steps:\n            - sql: SELECT * FROM node_9\n"
        "        write: {partition_by: [da¦",
        "day",
    ),
}


def cell(count: int, folder: Path) -> str:
    """Nodes that read, transform and write, ten of them in each chain."""
    (folder / "in.csv").write_text("id,qty,price,day\n1,2,3.5,2026-01-01\n")
    head = f"%%odibi_pipeline\nconnections:\n  lake: {{type: local, base_path: '{folder}'}}\npipelines:\n"
    return head + "  - pipeline: wide\n    nodes:\n" + "".join(map(_node, range(count)))


def _node(i: int) -> str:
    if i % 10 == 0:
        return f"      - name: node_{i}\n        read: {{connection: lake, path: in.csv}}\n"
    return (
        f"      - name: node_{i}\n        transform:\n          steps:\n            - sql: |\n"
        f"                SELECT id, qty + {i} AS qty, price, day\n                FROM node_{i - 1}\n"
        f"        write:\n          connection: lake\n          path: out/{i}\n"
        "          mode: merge\n          keys: [id]\n"
    )


def main(count: int, rounds: int, folder: Path) -> dict[str, list[tuple[float, float]]]:
    """Milliseconds of each place, the first one first."""
    folder.mkdir(parents=True, exist_ok=True)
    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "odibi_magics")
    text = cell(count, folder)
    took: dict[str, list[tuple[float, float]]] = {name: [] for name in PLACES}
    for name, (typed, wanted) in PLACES.items():
        # What is looked for in the background comes with a later one.
        assert any(wanted in asked(shell, text + typed, took[name]) for _ in range(100)), name
    for _ in range(rounds):
        for name, (typed, wanted) in PLACES.items():
            assert wanted in asked(shell, text + typed, took[name])
    return took


def asked(shell: InteractiveShell, typed: str, took: list[tuple[float, float]]) -> list[str]:
    at, plain = typed.index("¦"), typed.replace("¦", "")
    start, cpu = time.perf_counter(), time.process_time()
    with provisionalcompleter():
        found = [one.text for one in shell.Completer.completions(plain, at)]
    took.append(((time.perf_counter() - start) * 1000, (time.process_time() - cpu) * 1000))
    return found


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))))
