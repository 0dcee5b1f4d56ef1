"""A stop is repeated as long as something of its run is at work, and never once it is over."""

from __future__ import annotations

import gc
import time
import weakref
from itertools import count
from typing import Any

import pytest

from odibi_magics.engines.spark import work as works


def test_no_signal_of_a_stop_comes_once_it_is_over(spark: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(works, "_AGAIN", 0.3)
    work = works.Work(spark)
    signals: list[float] = []
    signal = work._signal

    def counted() -> None:
        signals.append(time.monotonic())
        signal()

    monkeypatch.setattr(work, "_signal", counted)
    with work.running():
        work.interrupt()
        while len(signals) < 3:
            time.sleep(0.01)
        work.go_on()
        over = time.monotonic()
        time.sleep(0.7)
    assert not [at for at in signals if at > over]


@pytest.mark.classic
def test_what_dropped_results_hold_of_the_jvm_is_let_go(spark: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(works, "_begun", count(1))
    frame = spark.range(3)
    frame.count()
    held = weakref.ref(frame._jdf)
    gc.disable()
    try:
        del frame
        for _ in range(works._SELDOM - 1):
            works.let_go()
        assert held() is not None, "it stands in a cycle"
        works.let_go()
        assert held() is None
    finally:
        gc.enable()
