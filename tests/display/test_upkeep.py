"""What restore, vacuum and optimize show: numbers that can be checked, and the line that does it, ready to paste."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from odibi_magics.delta.optimize import Joined, Optimized
from odibi_magics.delta.restore import Files, Restored, TableChange
from odibi_magics.delta.vacuum import Vacuumed
from odibi_magics.display.commands import Commands
from odibi_magics.display.html import LIMIT, Displayed
from odibi_magics.display.upkeep import optimized_shown, restored_shown, vacuumed_shown
from tests.display.samples import read
from tests.display.test_history import HOSTILE

WHEN = datetime(2026, 11, 20, 18, 0, 30, tzinfo=UTC)
RESTORED = Restored(
    "lake:clean/t", "/lake/clean/t", 5, WHEN, 9, None, Files(3, 1200, 41_300), Files(2, None, 9_000), Files(10, 9000, 10**6),
    Files(11, 9100, 10**6), (TableChange("column amount", "double", ""), TableChange("partitioned by", "", "year")),
)  # fmt: skip
VACUUMED = Vacuumed(
    "lake:clean/t", "/lake/clean/t", 9, 168.0, 168.0, WHEN, 1200, 5 * 10**9, 7, 41_300, ((0, 4), (6, 6)), ((5, 5), (7, 9)),
)  # fmt: skip
OPTIMIZED = Optimized(
    "lake:clean/t", "/lake/clean/t", 129, 40, 4_000_000, 2, None,
    (Joined("year=2025", 30, 3_000_000, 1), Joined("year=NULL", 10, 10**6, 1)), 1 << 27, 120, True,
)  # fmt: skip


def told(shown: Displayed, *texts: str) -> None:
    """Both in HTML, where what is told stands in one element, and in text."""
    html = " ".join(element.text for element in read(shown.html))
    for text in texts:
        assert text in shown.text, text
        assert text in html or all(word in html for word in text.split()), text


def test_a_restore_that_was_only_looked_at() -> None:
    told(
        restored_shown(RESTORED), "lake:clean/t:", "now at version 9, would be like version 5 of 2026-11-20 18:00:30 UTC",
        "come back", "1,200", "41.3 kB", "?", "9.0 kB", "column amount", "double", "partitioned by", "year",
        "%odibi_restore lake:clean/t@5 --at 9", "%odibi_diff lake:clean/t@9 lake:clean/t@5",
    )  # fmt: skip


def test_a_restore_that_was_done() -> None:
    shown = restored_shown(replace(RESTORED, committed=10))
    told(shown, "is like version 5 of 2026-11-20 18:00:30 UTC, as version 10")
    told(shown, "To take the restore back", "%odibi_restore lake:clean/t@9 --at 10")
    told(
        restored_shown(replace(RESTORED, version=None, time=None, committed=10)),
        "is without rows, as version 10",
    )


def test_a_restore_of_nothing() -> None:
    none = Files(0, 0, 0)
    shown = restored_shown(replace(RESTORED, back=none, gone=none, changes=()))
    assert (
        shown.text
        == "✓ lake:clean/t is like version 5 of 2026-11-20 18:00:30 UTC at version 9 already: there is nothing to do"
    )


def test_a_vacuum_that_was_only_looked_at() -> None:
    told(
        vacuumed_shown(VACUUMED), "at version 9, a vacuum would free 5.0 GB", "more than 168 hours ago", "1,200",
        "named by no version", "41.3 kB", "could no longer be read:", "0 to 4, 6", "Versions that stay:", "5, 7 to 9",
        "%odibi_vacuum lake:clean/t --yes",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("hours", "words"), [(200.0, "--retention-hours 200 --yes"), (1.5, "--retention-hours 1.5 --force --yes")]
)
def test_the_line_says_what_was_asked(hours: float, words: str) -> None:
    shown = vacuumed_shown(replace(VACUUMED, asked_hours=hours, retention_hours=hours))
    told(shown, f"%odibi_vacuum lake:clean/t {words}")


def test_the_table_s_own_retention_is_told() -> None:
    shown = vacuumed_shown(replace(VACUUMED, retention_hours=720.0))
    told(shown, "more than 720 hours ago", "(delta.deletedFileRetentionDuration), where 168 hours were asked")


def test_a_vacuum_that_was_done() -> None:
    shown = vacuumed_shown(replace(VACUUMED, deleted=1198, freed=4 * 10**9, folders=2, committed=11))
    told(
        shown, "4.0 GB freed: 1,198 files and 2 empty folders deleted; 2 files of those looked at were gone",
        "can no longer be read:", "0 to 4, 6",
    )  # fmt: skip
    assert "--yes" not in shown.text
    assert "there is nothing to do" in vacuumed_shown(replace(VACUUMED, files=0)).text


def test_many_runs_of_versions_are_cut() -> None:
    spans = tuple((3 * i, 3 * i + 1) for i in range(5000))
    shown = vacuumed_shown(replace(VACUUMED, lost=spans, kept=()))
    assert "…, 14964 to 14965" in shown.text and "(10,000 in all)" in shown.text
    assert "stay: none" in shown.text


def test_an_optimize() -> None:
    told(
        optimized_shown(OPTIMIZED), "at version 129, 40 small files (4.0 MB) would become 2 of up to 134.2 MB", "year=2025", "30",
        "120 versions behind the last one", "%odibi_optimize lake:clean/t --yes",
    )  # fmt: skip
    done = replace(OPTIMIZED, done=True, committed=10, into_bytes=3_000_000)
    told(optimized_shown(done), "40 small files (4.0 MB) became 2 (3.0 MB), as version 10")
    assert "Checkpoint: written; before, 120 versions behind the last one" in optimized_shown(done).text
    assert "became" in optimized_shown(done).text and "become" not in optimized_shown(done).text
    first = replace(OPTIMIZED, version=119)
    assert "Checkpoint: none yet: 120 versions; readers" in optimized_shown(first).text
    assert "--yes" not in optimized_shown(done).text
    only = replace(OPTIMIZED, files=0, parts=())
    told(optimized_shown(only), "a checkpoint is due", "--yes")
    told(optimized_shown(replace(only, done=True)), "a checkpoint was written")
    assert "there is nothing to do" in optimized_shown(replace(only, checkpoint=False)).text


def test_the_shell_gets_commands_of_its_own() -> None:
    shell = Commands(shell=True, project=("--file", "a b.odibi.yaml"))
    assert (
        "odibi-magics restore lake:clean/t@5 --at 9 --file 'a b.odibi.yaml'"
        in restored_shown(RESTORED, shell).text
    )
    assert "odibi-magics vacuum lake:clean/t --yes --file" in vacuumed_shown(VACUUMED, shell).text
    assert "odibi-magics optimize lake:clean/t --yes --file" in optimized_shown(OPTIMIZED, shell).text


def test_hostile_text_stays_text_and_nothing_grows() -> None:
    change = TableChange(HOSTILE, HOSTILE, HOSTILE)
    many = [
        restored_shown(replace(RESTORED, address=HOSTILE, changes=(change,) * 5000)),
        vacuumed_shown(replace(VACUUMED, address=HOSTILE)),
        optimized_shown(replace(OPTIMIZED, address=HOSTILE, parts=(Joined(HOSTILE * 20, 1, 1, 1),) * 5000)),
    ]
    for shown in many:
        assert len(shown.html.encode()) < LIMIT
        names = {element.name for element in read(shown.html)}
        assert not names & {"script", "img", "iframe"}
        for made in (shown.html, shown.text):
            assert not {"\x1b", "\x9b", "\u202e", "\x00"} & set(made)
