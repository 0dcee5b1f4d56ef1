from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from odibi_magics.completion.cell import Asker, complete_cell
from odibi_magics.completion.facts import Facts
from odibi_magics.completion.layout import Kind
from odibi_magics.completion.offers import Offers
from odibi_magics.completion.waiting import Answers

Complete = Callable[..., Offers]

ORDERS = "id,qty,day\n1,5,2026-01-01\n2,0,2026-01-01\n"


@pytest.fixture
def asker(tmp_path: Path) -> Asker:
    (tmp_path / "lake/raw").mkdir(parents=True)
    (tmp_path / "lake/raw/orders.csv").write_text(ORDERS)
    return Asker(Facts(folder=tmp_path), Answers())


@pytest.fixture
def complete(asker: Asker, monkeypatch: pytest.MonkeyPatch) -> Complete:
    """What is offered at the ¦ of a text, with all the time in the world."""
    monkeypatch.setattr("odibi_magics.completion.cell.Patience", lambda: Endless())

    def offers(text: str, kind: Kind = "pipeline") -> Offers:
        at = text.index("¦")
        return complete_cell(text.replace("¦", ""), at, kind, asker)

    return offers


class Endless:
    left = 60.0


def words(found: Offers) -> list[str]:
    return [one.text for one in found.offers]
