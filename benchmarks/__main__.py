"""`python -m benchmarks [--quick] [--only PART]`: every figure that README and docs quote."""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from benchmarks.parts import azure, copying, framework, logs, merge, notebook, small, spark, tpch
from benchmarks.report import Report, machine

PARTS: dict[str, Callable[[Report], None]] = {
    "load_ext": notebook.load_ext,
    "completion": notebook.completion,
    "small": small.small,
    "plan": small.plan,
    "csv": copying.csv,
    "tpch": tpch.tpch,
    "merge": merge.merge,
    "framework": framework.framework,
    "secrets": azure.secrets,
    "adls": azure.adls,
    "history": logs.history,
    "vacuum": logs.vacuum,
    "diff": logs.diff,
    "guard": logs.guard,
    "engines": tpch.engines,
    "spark": spark.spark,
    "setup": notebook.setup,
    "live": notebook.live,
}


def main() -> None:
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller data and fewer runs: minutes")
    parser.add_argument(
        "--folder", type=Path, default=Path(".cache/benchmarks"), help="where data and tables go"
    )
    parser.add_argument(
        "--report", type=Path, default=Path("build/bench/report.json"), help="where the figures are kept"
    )
    parser.add_argument("--only", choices=[*PARTS], action="append", help="one part alone; may be repeated")
    options = parser.parse_args()
    for key, value in machine().items():
        print(f"{key}: {value}")
    failed = []
    for name in options.only or PARTS:
        print(f"\n## {name}\n")
        began = time.monotonic()
        report = Report(name, options.folder.resolve(), options.quick, options.report)
        try:
            PARTS[name](report)
        except Exception:  # hours of other parts may follow
            traceback.print_exc()
            failed.append(name)
        else:
            report.save()
        print(f"\n{name} took {time.monotonic() - began:.0f} s", flush=True)
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
