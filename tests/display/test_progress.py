"""What shows while a run goes on."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from odibi_magics.display.html import Displayed
from odibi_magics.display.progress import ROWS, LiveTable, PlainLog, Watched, log_line
from odibi_magics.display.text import blocks_text
from odibi_magics.pipeline.events import (
    Event,
    NodeFinished,
    NodeProgress,
    NodeRetried,
    NodeStarted,
    RunFinished,
    RunStarted,
    Stopping,
)
from odibi_magics.pipeline.plan import Plan
from odibi_magics.pipeline.result import NodeResult
from tests.display.samples import DONE, FAILED, PLAN, node, texts

AT = datetime(2026, 11, 20, tzinfo=UTC)
STARTED = RunStarted("R1", PLAN, AT)


def watched(events: Iterable[Event], now: list[float]) -> str:
    state = Watched(lambda: now[0])
    for event in events:
        state.take(event)
        now[0] += 1
    return blocks_text(state.blocks())


def test_the_table_moves() -> None:
    events: list[Event] = [
        STARTED,
        NodeStarted("clean", AT),
        NodeProgress("clean", 1234),
        NodeFinished("flights", DONE.nodes[0]),
    ]
    assert watched(events, [0.0]) == (
        "… Running R1 on pandas engine (DuckDB)\n\n"
        "node     state       rows    time\n"
        "flights  ✓ done            0.04 s\n"
        "clean    … running  1,234   3.0 s\n"
        "daily    · queued"
    )


def test_stopping_says_what_is_stopped_and_what_still_finishes() -> None:
    events: list[Event] = [
        STARTED,
        NodeStarted("clean", AT),
        NodeStarted("flights", AT),
        Stopping(("clean", "daily")),
    ]
    assert watched(events, [0.0]) == (
        "■ Stopping still finishing what cannot be interrupted: clean\n\n"
        "node     state                                             rows   time\n"
        "flights  ■ stopped                                               1.0 s\n"
        "clean    … stopping: finishing what cannot be interrupted        3.0 s\n"
        "daily    ■ stopped"
    )


RETRIED = NodeRetried("clean", 1, 3, "lake:clean: other writers committed\n  in between", 2.0)


def test_a_try_that_failed_is_told_until_the_next_begins() -> None:
    text = watched([STARTED, NodeStarted("clean", AT), RETRIED], [0.0])
    assert "clean    ↻ again: try 1 of 3 failed, again in 2.0 s" in text
    assert "clean    … running" in watched([STARTED, RETRIED, NodeStarted("clean", AT)], [0.0])


def test_the_log_says_why_a_node_is_tried_again() -> None:
    assert log_line(RETRIED) == (
        "clean: try 1 of 3 failed, again in 2.0 s: lake:clean: other writers committed"
    )


def test_the_picture_beside_it_changes_colour_and_no_box_moves() -> None:
    shown: list[Displayed] = []
    live = LiveTable(shown.append)
    for event in (STARTED, NodeStarted("clean", AT), Stopping(("clean",)), RunFinished(DONE)):
        live(event)
    pictures = [re.findall(r"<svg.*?</svg>", each.html, re.DOTALL) for each in shown]
    assert [len(found) for found in pictures] == [1, 1, 1]
    boxes = [re.findall(r'<g(?: class="(\w+)")?>(<rect [^>]*>)', svg) for (svg,) in pictures]
    places = [[rect for _, rect in found] for found in boxes]
    assert places[0] == places[1] == places[2] and len(places[0]) == len(PLAN.nodes)
    coloured = [{state for state, _ in found} - {""} for found in boxes]
    assert coloured[:2] == [{"queued"}, {"stopped", "stopping"}]


def test_of_many_nodes_those_that_move_show() -> None:
    nodes = tuple(node(f"n{i}") for i in range(1000))
    plan = Plan(nodes, "pandas", "pandas engine")
    text = watched([RunStarted("R", plan, AT), NodeStarted("n7", AT)], [0.0])
    assert "n7 " in text and "n8" not in text and "of 1,000 nodes: 999 queued, 1 running" in text
    text = watched([RunStarted("R", plan, AT), *(NodeStarted(each.name, AT) for each in nodes)], [0.0])
    assert text.count("… running") == ROWS


class Screen:
    """What was shown, and a wait until something is."""

    def __init__(self) -> None:
        self.shown: list[Displayed] = []
        self._changed = threading.Condition()

    def put(self, display: Displayed) -> None:
        with self._changed:
            self.shown.append(display)
            self._changed.notify_all()

    def await_text(self, text: str) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: text in self.shown[-1].text, timeout=60)


def ticking() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "odibi-progress"}


def test_a_flood_of_events_is_few_updates_and_the_last_shows_without_another_event() -> None:
    screen = Screen()
    live = LiveTable(screen.put)
    live(STARTED)
    live(NodeStarted("clean", AT))
    for rows in range(5000):
        live(NodeProgress("clean", rows))
    screen.await_text("4,999")
    live(RunFinished(DONE))
    assert len(screen.shown) < 1000


def test_events_of_several_threads() -> None:
    screen = Screen()
    live = LiveTable(screen.put)
    live(STARTED)

    def tell(name: str) -> None:
        for rows in range(500):
            live(NodeProgress(name, rows))

    threads = [threading.Thread(target=tell, args=(name,)) for name in ("flights", "clean", "daily")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    live(RunFinished(DONE))
    assert screen.shown[-1].text.count("499") == 3


def test_stop_and_end_show_at_once_and_nothing_comes_after() -> None:
    screen, before = Screen(), ticking()
    live = LiveTable(screen.put)
    live(STARTED)
    live(NodeStarted("clean", AT))
    live(Stopping(("clean",)))
    assert "still finishing what cannot be interrupted: clean" in screen.shown[-1].text
    live(NodeFinished("clean", NodeResult("clean", "etl", "stopped", reason="stopped before it ended")))
    live(RunFinished(replace(DONE, state="stopped")))
    last = screen.shown[-1]
    assert (
        "Run 20261120T180000-ab12cd stopped in 3 min 07 s" in last.text
        and "■ stopped: before it ended" in last.text
    )
    assert "clean" in texts(last.html, "td")
    for thread in ticking() - before:
        thread.join(60)
        assert not thread.is_alive()
    assert screen.shown[-1] is last


def test_a_line_for_each_event() -> None:
    lines: list[str] = []
    log = PlainLog(lines.append)
    events: list[Event] = [
        STARTED, NodeStarted("clean", AT), NodeProgress("clean", 1), NodeProgress("clean", 2),
        NodeFinished("clean", DONE.nodes[1]), NodeFinished("clean", FAILED.nodes[1]),
        NodeFinished("daily", FAILED.nodes[2]), Stopping(("clean",)), Stopping(), RunFinished(FAILED),
    ]  # fmt: skip
    for event in events:
        log(event)
    assert lines == [
        "run R1: 3 nodes on pandas engine (DuckDB)\n",
        "clean: running\n",
        "clean: 1 row so far\n",
        "clean: done in 2.4 s, 336,776 rows, silver:clean/flights\n",
        "clean: failed in 1.2 s: validation failed: no_nulls carrier: 12 rows\n",
        "daily: skipped, clean failed\n",
        "stopping: still finishing what cannot be interrupted: clean\n",
        "stopping: nothing is running any more\n",
        "run 20261120T180000-ab12cd: failed in 3 min 07 s\n",
    ]
