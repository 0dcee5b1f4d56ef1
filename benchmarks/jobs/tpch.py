"""TPC-H as one project: python -m benchmarks.jobs.tpch DATA LAKE ENGINE; prints rows and seconds of each query."""

import json
import sys
from pathlib import Path

from benchmarks.tpch import QUERIES, project
from odibi_magics import Project

if __name__ == "__main__":
    data, lake, engine = sys.argv[1:4]
    result = Project.from_yaml(project(Path(data), Path(lake))).run(engine=engine)
    assert result.state == "done", [str(node.error) for node in result.nodes if node.error]
    print(json.dumps({name: (result.node(name).rows, result.node(name).seconds) for name in QUERIES}))
