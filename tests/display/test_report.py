"""What people see after a run."""

from __future__ import annotations

import json
from dataclasses import replace

from odibi_magics.display.html import LIMIT
from odibi_magics.display.report import report_html, report_page, report_text
from odibi_magics.engines.base import CheckResult, Preview, Warned, Written
from odibi_magics.pipeline.report import to_json
from odibi_magics.pipeline.result import NodeResult
from tests.display.samples import DONE, ERROR, FAILED, REPEATED, columns, texts

GOLDEN = """\
✓ Run 20261120T180000-ab12cd done · 3 nodes · 3 min 07 s · pandas engine (DuckDB) · started 2026-11-20 18:00:00 UTC · project air · environment prod

node     state      rows        time  changed                    files     size  version  table
flights  ✓ done               0.04 s
clean    ✓ done  336,776       2.4 s                                12   8.4 MB  4 → 5    silver:clean/flights@5
daily    ✓ done    1,095  3 min 05 s  1,095 inserted, 0 updated      1  41.2 kB  new → 0  silver:gold/daily@0

⚠ 2 warnings
  connections.lake: the account_key stands in the text
    → write ${NAME}
  clean: 4,380 files of 12 kB on average
    → partition by month

Checks
node   check                result    detail
clean  no_nulls carrier     ✓ held
clean  unique carrier, day  ⚠ 7 rows  7 rows repeat an earlier one, for example carrier=NULL

Full addresses
address                 URL
silver:clean/flights@5  abfss://clean@silver.dfs.core.windows.net/clean/flights
silver:gold/daily@0     abfss://clean@silver.dfs.core.windows.net/gold/daily"""

GOLDEN_FAILED = """\
✗ Run 20261120T180000-ab12cd failed · 3 nodes · 3 min 07 s · pandas engine (DuckDB) · started 2026-11-20 18:00:00 UTC · project air · environment prod

node     state                      time
flights  ✓ done                   0.04 s
clean    ✗ failed                  1.2 s
daily    – skipped: clean failed

clean failed
  validation failed: no_nulls carrier: 12 rows
    line 18  carrier=NULL, day=2013-01-01

⚠ 1 warning
  connections.lake: the account_key stands in the text
    → write ${NAME}

Full addresses
address               URL
silver:clean/flights  abfss://clean@silver.dfs.core.windows.net/clean/flights
silver:gold/daily     abfss://clean@silver.dfs.core.windows.net/gold/daily

To go on with what is left, once what failed is mended
  project.run(resume=True, run_id='20261120T180000-ab12cd')"""


def test_the_reports_as_text() -> None:
    assert report_text(DONE) == GOLDEN
    assert report_text(FAILED) == GOLDEN_FAILED


def test_full_addresses_wait_behind_their_title() -> None:
    assert texts(report_html(DONE), "summary") == ["Full addresses"]
    [folded] = texts(report_html(DONE), "details")
    assert "abfss://clean@silver.dfs.core.windows.net/gold/daily" in folded


def test_the_html_says_all_that_the_text_says() -> None:
    for result, golden in ((DONE, GOLDEN), (FAILED, GOLDEN_FAILED)):
        html = report_html(result)
        said = " ".join(
            [
                *texts(html, "summary"),
                *texts(html, "p"),
                *texts(html, "li"),
                *texts(html, "pre"),
                *texts(html, "td"),
                *texts(html, "th"),
            ]
        )
        for line in golden.split("\n"):
            for part in filter(None, line.split("  ")):
                assert part.strip() in said, part


def test_an_error_is_whole_however_long_where_there_is_room_for_it() -> None:
    long = "\n".join(f"cause {i}" for i in range(2000))
    failed = replace(FAILED, nodes=(replace(FAILED.nodes[1], error=long), *FAILED.nodes[2:]))
    assert texts(report_html(failed), "pre")[0] == long
    assert "cause 1999" in report_text(failed)


def test_lines_of_an_error_wrap_but_those_of_an_excerpt_scroll_so_that_carets_stay_true() -> None:
    error = "far too long\n\n  line 7 of cell [2]\n     6 | a\n     7 | b\n       | ^\n  more"
    html = report_html(replace(FAILED, nodes=(replace(FAILED.nodes[1], error=error),)))
    assert texts(html, "span") == ["     6 | a\n     7 | b\n       | ^\n"]
    assert texts(html, "pre")[0] == error


def test_an_error_that_no_display_holds_is_cut_with_the_way_to_the_whole_and_whole_in_the_page() -> None:
    failed = replace(FAILED, nodes=(replace(FAILED.nodes[1], error="<" * 300_000),))
    html = report_html(failed)
    assert len(html.encode()) < LIMIT
    assert "more characters" in html and 'print(odibi_result.node("NODE").error)' in " ".join(
        texts(html, "p")
    )
    assert texts(report_page(failed), "pre")[0] == "<" * 300_000


def test_the_page_stands_alone_with_the_plan() -> None:
    page = report_page(DONE)
    assert page.startswith("<!doctype html>") and texts(page, "title") == ["Run 20261120T180000-ab12cd"]
    assert "Schema changes against the existing tables" in page
    assert len(texts(page, "style")) == 1 and not any(word in page for word in ("http", "<script", "<link"))


def test_what_a_write_left_alone_is_said() -> None:
    place = DONE.nodes[1].written.place  # type: ignore[union-attr]
    kept = NodeResult(
        "clean",
        "etl",
        "done",
        written=Written(place, version_before=4, version_after=4, skipped="exists already"),
    )
    text = report_text(replace(DONE, nodes=(kept,)))
    assert "nothing: exists already" in text and "4, unchanged" in text


def test_a_preview_shows_its_rows_and_that_nothing_was_written() -> None:
    shown = replace(DONE, writes=False, preview=Preview(columns("a int"), ((1,),), 5, "clean"))
    assert "a preview: nothing was written" in report_text(shown)
    assert "Full addresses" not in report_text(shown)
    assert report_text(shown).endswith("clean: 1 of 5 rows, 1 column\n\n  a\nint\n  1")


def checked(*checks: CheckResult) -> str:
    """A report's text of a node with these checks."""
    return report_text(replace(DONE, nodes=(replace(DONE.nodes[1], checks=checks),)))


def test_a_check_says_what_it_counts() -> None:
    text = checked(
        CheckResult("range a", "warn", 9, "9 rows fail", at_least=True),
        CheckResult("schema", "warn", 1, "id is bigint, expected string", counts="column"),
        CheckResult("row_count", "warn", 1, "2 rows came out, expected at least 9", counts=""),
    )
    assert "⚠ at least 9 rows" in text and "⚠ 1 column" in text
    assert "row_count" in text and "⚠ failed" in text


def test_failing_rows_are_told_once() -> None:
    bad = CheckResult("range a", "error", 1, "1 row fails, for example a=7", examples=({"a": 7},))
    nodes = (replace(FAILED.nodes[1], error="validation failed\n  range a: 1 row fails, for example a=7"),)
    text = report_text(replace(FAILED, nodes=(replace(nodes[0], checks=(bad,)),)))
    assert text.count("a=7") == 1 and "✗ 1 row" in text


def test_what_nothing_read_was_not_evaluated() -> None:
    unread = NodeResult("flights", "etl", "not evaluated", reason="nothing reads it")
    text = report_text(replace(DONE, nodes=(unread,)))
    assert "· not evaluated: nothing reads it" in text and text.startswith("✓ Run")


def test_tries_are_told() -> None:
    again = replace(DONE.nodes[1], tries=("another writer committed\n  in between",))
    text = report_text(replace(DONE, nodes=(again,)))
    assert "✓ done: at try 2" in text
    assert "clean: try 1 failed: another writer committed" in text
    given_up = replace(FAILED.nodes[1], tries=("x", "y"))
    assert "✗ failed: after 3 tries" in report_text(replace(FAILED, nodes=(given_up,)))


def test_the_json_is_stable_and_holds_no_rows() -> None:
    report = json.loads(to_json(DONE))
    assert to_json(DONE) == to_json(replace(DONE))
    assert (
        report["format"] == 1
        and report["state"] == "done"
        and report["started"] == "2026-11-20T18:00:00+00:00"
    )
    clean = report["nodes"][1]
    assert clean["after"][0] == {"node": "flights", "why": "named in SQL", "carries": True}
    assert clean["written"]["version_after"] == 5 and clean["written"]["bytes"] == 8412345
    assert clean["writes"]["url"] == "abfss://clean@silver.dfs.core.windows.net/clean/flights"
    assert clean["checks"][1] == {
        "check": "unique carrier, day", "on_fail": "warn", "failed": 7, "counts": "row", "at_least": False,
        "message": REPEATED,
    }  # fmt: skip
    assert clean["columns"][1] == {"name": "day", "type": "date"}
    assert report["nodes"][2]["columns"] is None and report["used"] == [
        {"name": "weather", "defined": "cell [2]"}
    ]
    assert "examples" not in to_json(replace(DONE, preview=Preview(columns("a int"), ((98765,),))))
    assert "98765" not in to_json(replace(DONE, preview=Preview(columns("a int"), ((98765,),))))


def test_the_json_of_a_failed_run_has_the_error() -> None:
    nodes = json.loads(to_json(replace(FAILED, warnings=(Warned("w", "r", "c"),))))["nodes"]
    assert nodes[1]["error"] == ERROR and nodes[1]["written"] is None
    assert nodes[2] == nodes[2] | {"state": "skipped", "reason": "clean failed"}
