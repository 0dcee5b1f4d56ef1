"""The first completion of a fresh kernel, right behind `%load_ext`, and the second; arguments: folder.

Prints milliseconds and those of CPU, of one and the other.
"""

import sys
from pathlib import Path

from IPython.core.interactiveshell import InteractiveShell

from benchmarks.jobs.completion import PLACES, asked, cell

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    shell = InteractiveShell.instance()
    shell.run_cell("pass")
    shell.run_line_magic("load_ext", "odibi_magics")
    typed, wanted = PLACES["a key"]
    took: list[tuple[float, float]] = []
    for _ in range(2):
        assert wanted in asked(shell, cell(200, folder) + typed, took)
    print(*(f"{one:.1f}" for pair in took for one in pair))
