"""A process that is killed in the middle of a write leaves the table at the version from before, or at the new one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.engines.writing import Lake, lake

__all__ = ["lake"]

WRITER = """
import sys
from pathlib import Path
from tests.engines.writing import Lake
lake = Lake(Path(sys.argv[1]))
mode, keys = sys.argv[2], sys.argv[3:]
print("begin", flush=True)
frame = lake.sql("SELECT i AS id, i % 3 AS p, repeat('x', 50) || i AS v FROM range(3000000) t(i)")
lake.write(frame, mode=mode, keys=keys, progress=lambda rows: print(rows, flush=True))
sys.stdin.read()  # a writer that was faster than the kill waits for it
"""


@pytest.mark.parametrize("mode", ["overwrite", "append", "merge"])
@pytest.mark.parametrize("after", [0.0, 0.5])
def test_killed_in_mid_write(lake: Lake, mode: str, after: float) -> None:
    lake.write({"id": [1, 2], "p": [0, 1], "v": ["a", "b"]}, partition_by=["p"])
    before = lake.rows()
    killed = _kill(lake.folder, mode, after)
    assert killed == -signal.SIGKILL
    version = lake.table().version()
    assert (lake.rows() == before) if version == 0 else (version == 1 and len(lake.rows()) >= 3_000_000)
    lake.write({"id": [9], "p": [0], "v": ["n"]})
    assert lake.rows() == [(9, 0, "n")]
    orphans = set(lake.stray())
    gone = {
        Path(name).name
        for name in lake.table().vacuum(0, enforce_retention_duration=False, dry_run=False, full=True)
    }
    assert orphans <= gone
    assert lake.stray() == []


def _kill(folder: Path, mode: str, after: float) -> int:
    """Kills a writer some time after its first rows are on their way."""
    keys = ["id"] if mode == "merge" else []
    root = Path(__file__).parents[2]
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder), mode, *keys],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root, env={**os.environ, "PYTHONPATH": str(root)},
    )  # fmt: skip
    assert writer.stdout is not None
    for line in writer.stdout:
        if line.strip().isdigit():
            break
    time.sleep(after)
    writer.kill()
    writer.stdout.close()
    return writer.wait()


SLEEPER = """
import sys
from odibi_magics.engines.pandas.session import Session
session = Session()
(session.folder / "rows").write_text("1")
print(session.folder, flush=True)
sys.stdin.read()
"""


def test_what_a_killed_process_spilled_is_deleted_by_the_next(tmp_path: Path) -> None:
    def start() -> tuple[subprocess.Popen[str], Path]:
        made = subprocess.Popen(
            [sys.executable, "-c", SLEEPER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "TMPDIR": str(tmp_path)},
        )  # fmt: skip
        assert made.stdout is not None
        return made, Path(made.stdout.readline().strip())

    killed, left = start()
    living, kept = start()
    killed.kill()
    killed.wait()
    ended, own = start()
    assert (left.exists(), kept.exists(), own.exists()) == (False, True, True)
    for process in (living, ended):
        process.communicate("")
    assert list(tmp_path.iterdir()) == []
