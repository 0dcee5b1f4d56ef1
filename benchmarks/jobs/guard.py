"""`guard.py prepare FOLDER VERSIONS`, then `guard.py look FOLDER VERSIONS ROUNDS`: a table with so many versions, and
milliseconds, wall and CPU, that the append guard takes on it, a line for each round: an append that none of them holds,
one that the newest holds, and one that the oldest does; then of one pass over the commits, each line parsed."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pyarrow as pa
from deltalake import write_deltalake

from odibi_magics import Project
from odibi_magics.delta.held import look
from odibi_magics.delta.log import commit_name, newest_version
from odibi_magics.delta.mark import read_mark
from odibi_magics.engines.base import Place
from odibi_magics.engines.registry import choose_engine

NODES = """
connections: {{lake: {{type: local, base_path: {folder}}}}}
pipelines:
  - pipeline: etl
    nodes:
      - {{name: source, read: {{connection: lake, path: source.csv}}}}
      - {{name: table, write: {{connection: lake, path: table, mode: append}}}}
"""


def prepare(folder: Path, versions: int) -> None:
    """A table whose first commit is a run's, whose others are alike but for their fingerprints, and no checkpoint."""
    folder.mkdir(parents=True)
    (folder / "source.csv").write_text("id\n1\n")
    Project.from_yaml(NODES.format(folder=folder)).run()
    write_deltalake(folder / "table", pa.table({"id": [2]}), mode="append")
    log = folder / "table/_delta_log"
    first, other = ((log / commit_name(version)).read_text() for version in (0, 1))
    lines = [json.loads(line) for line in first.splitlines()]
    info = next(line for line in lines if "commitInfo" in line)
    mark = read_mark(info["commitInfo"]["userMetadata"])
    assert mark is not None
    add = next(json.loads(line) for line in other.splitlines() if line.startswith('{"add"'))
    for version in range(1, versions):
        told = info["commitInfo"]["userMetadata"].replace(mark.fingerprint, f"{version:064x}")
        commit = {"commitInfo": {**info["commitInfo"], "userMetadata": told}}
        file = {"add": {**add["add"], "path": f"part-{version:05}.parquet"}}
        (log / commit_name(version)).write_text(f"{json.dumps(commit)}\n{json.dumps(file)}\n")


def looked(folder: Path, rounds: int) -> None:
    project = Project.from_yaml(NODES.format(folder=folder))
    engine = choose_engine("pandas")
    place = Place(project.connection("lake"), "table", "delta")
    newest = newest_version(engine.log(place))
    assert newest is not None
    mark = read_mark(_info(folder, 0)["userMetadata"])
    assert mark is not None
    for _ in range(rounds):
        times: list[float] = []
        for fingerprint, wanted in (("0" * 64, None), (f"{newest:064x}", newest), (mark.fingerprint, 0)):
            begun, busy = time.perf_counter(), time.process_time()
            found = look(engine.log(place), newest, fingerprint, lambda inputs: True)
            times += [(time.perf_counter() - begun) * 1000, (time.process_time() - busy) * 1000]
            assert (found.held.version if found.held else None) == wanted
        begun, busy = time.perf_counter(), time.process_time()
        assert passed(folder / "table/_delta_log") == newest + 1
        times += [(time.perf_counter() - begun) * 1000, (time.process_time() - busy) * 1000]
        print(*times)


def passed(log: Path) -> int:
    """How many commits a pass over a log finds."""
    found = 0
    for file in sorted(log.glob("*.json")):
        found += sum("commitInfo" in json.loads(line) for line in file.read_bytes().splitlines())
    return found


def _info(folder: Path, version: int) -> dict[str, str]:
    text = (folder / "table/_delta_log" / commit_name(version)).read_text()
    info: dict[str, str] = next(
        json.loads(line)["commitInfo"] for line in text.splitlines() if "commitInfo" in line
    )
    return info


if __name__ == "__main__":
    if sys.argv[1] == "prepare":
        prepare(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        looked(Path(sys.argv[2]), int(sys.argv[3]))
