"""`%load_ext odibi_magics` in a running shell: prints its milliseconds, those of CPU, and the heavy libraries it
brought in."""

import sys
import time

from IPython.core.interactiveshell import InteractiveShell

HEAVY = ("pandas", "pyarrow", "duckdb", "deltalake", "pydantic", "sqlglot", "azure", "pyspark", "ipywidgets")

shell = InteractiveShell.instance()
shell.run_cell("pass")
before = set(sys.modules)
start, cpu = time.perf_counter(), time.process_time()
shell.run_line_magic("load_ext", "odibi_magics")
took, cpu = time.perf_counter() - start, time.process_time() - cpu
brought = sorted(name for name in HEAVY if name in set(sys.modules) - before)
print(f"{took * 1000:.2f} {cpu * 1000:.2f} {','.join(brought) or 'none'}")
