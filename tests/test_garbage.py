"""Imports and plans run without garbage collection, and leave the collector as it was."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from odibi_magics.garbage import uncollected


class Knot:
    """A cycle: only the collector ends it."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def _collecting() -> Iterator[None]:
    yield
    gc.enable()


def test_nothing_is_collected_meanwhile_and_all_of_it_later() -> None:
    with uncollected():
        knot = weakref.ref(Knot())
        made: list[list[int]] = [[] for _ in range(100_000)]
        assert knot() is not None and made
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0
    gc.collect()
    assert knot() is None


def test_what_was_made_is_not_young_any_more() -> None:
    with uncollected():
        made: list[list[int]] = [[] for _ in range(100_000)]
    assert gc.get_count()[0] < len(made)


def test_it_stays_off_where_others_turned_it_off() -> None:
    gc.disable()
    with uncollected():
        pass
    assert not gc.isenabled()


def test_it_is_on_again_after_an_error() -> None:
    with pytest.raises(ValueError, match="wrong"), uncollected():
        raise ValueError("wrong")
    assert gc.isenabled()


def test_what_others_froze_stays_frozen() -> None:
    knot = weakref.ref(Knot())
    gc.freeze()
    try:
        with uncollected():
            pass
        gc.collect()
        assert knot() is not None
    finally:
        gc.unfreeze()
