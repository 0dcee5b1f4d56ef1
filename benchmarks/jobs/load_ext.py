"""`%load_ext odibi_magics` in a running shell: prints its milliseconds and what heavy libraries it brought in."""

import sys
import time

from IPython.core.interactiveshell import InteractiveShell

HEAVY = ("pandas", "pyarrow", "duckdb", "deltalake", "pydantic", "sqlglot", "azure", "pyspark", "ipywidgets")

shell = InteractiveShell.instance()
shell.run_cell("pass")
before = set(sys.modules)
start = time.perf_counter()
shell.run_line_magic("load_ext", "odibi_magics")
took = time.perf_counter() - start
brought = sorted(name for name in HEAVY if name in set(sys.modules) - before)
print(f"{took * 1000:.2f} {','.join(brought) or 'none'}")
