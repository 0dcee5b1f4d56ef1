"""The benchmarks run, keep what they found, and the page that quotes them names each of them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import PARTS
from benchmarks.compare import same_tables
from benchmarks.measure import Sample, Spread
from benchmarks.report import Report

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "benchmarks.md").read_text()


def test_the_page_tells_of_every_part_and_of_no_other_file() -> None:
    assert [name for name in PARTS if f"`{name}`" not in PAGE] == []
    named = set(re.findall(r"benchmarks/jobs/\w+\.py", PAGE))
    assert [name for name in named if not (ROOT / name).is_file()] == []


def test_the_pictures_of_the_page_are_there() -> None:
    drawn = re.findall(r"\((images/\w+\.svg)\)", PAGE)
    assert drawn
    assert [name for name in drawn if not (ROOT / "docs" / name).is_file()] == []


def test_every_job_is_run_by_a_part_or_a_job() -> None:
    jobs = ROOT / "benchmarks" / "jobs"
    code = "".join(path.read_text() for path in (ROOT / "benchmarks").rglob("*.py"))
    patterns = ("csv_", "merge_", "small_")  # a part puts the way's name behind these
    alone = [
        path.stem
        for path in jobs.glob("*.py")
        if path.stem != "__init__" and not path.stem.startswith(patterns) and path.stem not in code
    ]
    assert alone == []


def test_a_part_says_and_keeps_what_it_found(tmp_path: Path) -> None:
    kept = tmp_path / "report.json"
    # A shell between us: a process begins with the peak memory of the one that started it, and ours is large.
    command = ["sh", "-c", '"$@"; exit $?', "sh", sys.executable, "-m", "benchmarks"]
    command += ["--quick", "--only", "load_ext"]
    done = subprocess.run(
        [*command, "--folder", str(tmp_path), "--report", str(kept)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "## load_ext" in done.stdout and "heavy imports: none" in done.stdout
    found = json.loads(kept.read_text())["load_ext"]
    assert found["quick"] is True
    assert {"cores", "memory", "python", "versions", "date"} <= {*found["machine"]}
    assert found["figures"]


def test_ratios_are_of_pairs_and_told_with_their_spread(capsys: pytest.CaptureFixture[str]) -> None:
    ours = [Sample(wall, wall, 2**20, "", 1, 10**6) for wall in (1.0, 2.0, 4.0)]
    other = [Sample(wall, wall, 2**20, "", 1, 10**6) for wall in (2.0, 2.0, 2.0)]
    report = Report("small", Path(), quick=True)
    report.samples({"ours": ours, "other": other}, ["other"])
    assert "| **ours / other** | 1.00 [0.50 – 2.00] |" in capsys.readouterr().out
    assert f"{Spread.of([3.0, 1.0, 2.0]):.1f}" == "2.0 [1.0 – 3.0]"


def test_tables_that_differ_stop_a_part(tmp_path: Path) -> None:
    import pyarrow as pa
    from deltalake import write_deltalake

    # Sums of many doubles differ in their last digits by the order in which they were added.
    for name, amount in (("ours", 2344334178.7900286), ("same", 2344334178.7901223), ("other", 2344334190.0)):
        write_deltalake(tmp_path / name / "t", pa.table({"id": [1], "amount": [amount]}))
    same_tables(tmp_path / "ours", tmp_path / "same", ("t",))
    with pytest.raises(AssertionError):
        same_tables(tmp_path / "ours", tmp_path / "other", ("t",))
