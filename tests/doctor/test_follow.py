"""Checks side by side: what is known while they go on, and that nothing they do holds us."""

from __future__ import annotations

import _thread
import threading
from collections.abc import Iterator
from time import monotonic

import pytest

from odibi_magics.doctor.diagnosis import Diagnosis, Layer, ok
from odibi_magics.doctor.follow import follow
from odibi_magics.doctor.steps import Step, cut_short, examine

NEVER = threading.Event()


def hangs() -> Iterator[str]:
    yield "begun"
    NEVER.wait()


def test_all_run_at_once_and_the_last_is_final() -> None:
    meet = threading.Barrier(3)

    def check() -> Iterator[str]:
        yield "begun"
        meet.wait(10)
        yield "done"

    *_, last = follow(dict.fromkeys("abc", check), 60)
    assert last == dict.fromkeys("abc", "done")


def test_the_deadline_holds_against_what_hangs() -> None:
    found = list(follow({"hangs": hangs, "well": lambda: iter(["done"])}, 0.5))
    assert found[-1] == {"hangs": "begun", "well": "done"}


def test_stop_ends_the_wait() -> None:
    begin = monotonic()
    threading.Timer(0.3, _thread.interrupt_main).start()
    with pytest.raises(KeyboardInterrupt):
        list(follow({"hangs": hangs}, 3600))
    assert monotonic() - begin < 60


def test_what_a_check_raises_is_raised() -> None:
    def wrong() -> Iterator[str]:
        yield "begun"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(follow({"wrong": wrong, "hangs": hangs}, 3600))


def test_a_layer_is_skipped_after_the_one_it_stands_on() -> None:
    def broken() -> Layer:
        return Layer("", "failed", "no", remedy="mend it")

    steps = [
        Step("a", broken), Step("b", lambda: ok("b"), ("a",)), Step("c", lambda: ok("c"), ("b",)), Step("d", lambda: ok("d")),
    ]  # fmt: skip
    *growing, last = examine(Diagnosis("x", ""), steps)
    assert [(layer.name, layer.state, layer.said) for layer in last.layers] == [
        ("a", "failed", "no"), ("b", "skipped", "after a"), ("c", "skipped", "after a"), ("d", "ok", "d"),
    ]  # fmt: skip
    assert growing[0]["a"].state == "running" and growing[0]["d"].state == "queued"
    assert [each.state for each in growing] == ["running"] * len(growing)


def test_what_the_deadline_cut() -> None:
    found = Diagnosis("x", "", (Layer("a", "ok", "a"), Layer("b", "running"), Layer("c", "queued")))
    late = cut_short(found, 60)
    assert late.state == "failed" and late.failure is late["b"]
    assert "no answer within the 60 s" in late["b"].said and late["c"].said == "after b"
