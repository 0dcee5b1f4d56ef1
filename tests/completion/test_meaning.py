"""What is told of the word under the cursor."""

from __future__ import annotations

import pytest

from odibi_magics.completion.cell import Asker
from odibi_magics.completion.meaning import meaning_in_cell, meaning_on_line
from odibi_magics.config.marks import parse
from odibi_magics.config.source import Source
from odibi_magics.magics.grammar import parser
from odibi_magics.sql.functions import transform
from tests.completion.texts import BLOCKS

NODE = "connections:\n  lake: {type: local}\nnodes:\n- name: orders\n- name: clean\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("eng¦ine: auto", "engine: auto, pandas, spark, without it auto\n\nauto: spark where"),
        ("engine: au¦to", "engine: auto, pandas, spark"),
        (NODE + "  re¦ad:\n    connection: lake", "read: mapping\n\nWhat it reads.\n\nWhat a node reads."),
        (NODE + "  write: {keys: [i¦d]}", "keys: list of text\n\nFor merge and append_once"),
        (NODE + "  write: {m¦o", None),
        (NODE + "  write: {mo¦de: append}", "mode: overwrite, overwrite_partitions"),
        (NODE + "  read: {connection: la¦ke}", "lake: connection, local"),
        (NODE + "  depends_on: [ord¦ers]", "orders: node"),
        (NODE + "  transform: {steps: [{sql: 'SELECT yea¦r(x)'}]}", "year(date) -> int\n  (timestamp) -> int"),
        (NODE + "  transform: {steps: [{sql: 'SELECT ra¦nd()'}]}", "rand is refused: it answers differently"),
        (NODE + "  transform: {steps: [{sql: 'SELECT * FROM ord¦ers'}]}", "orders: node"),
        (NODE + "  transform: {steps: [{function: doub¦led}]}", "doubled(df, rate: float = 2.0)\ntest_meaning.py\n\nTwice"),
        (NODE + "  transform: {steps: [{function: doubled, params: {ra¦te: 1}}]}", "doubled(df, rate"),
        ("# eng¦ine", None),
        ("engine: auto\nnope¦: 1", None),
    ],
)  # fmt: skip
def test_in_a_cell(text: str, said: str | None, asker: Asker) -> None:
    @transform
    def doubled(df, rate: float = 2.0):  # type: ignore[no-untyped-def]
        """Twice as much."""
        return df

    found = meaning_in_cell(text.replace("¦", ""), text.index("¦"), "pipeline", asker)
    assert (found or "").startswith(said or "") and bool(found) == bool(said), found


def test_every_key_of_a_text_has_a_meaning(asker: Asker) -> None:
    document = parse(Source(BLOCKS))
    starts = [0]
    for line in BLOCKS.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    told = {
        path: meaning_in_cell(BLOCKS, starts[span.line] + span.column + 1, "pipeline", asker)
        for path, span in document.keys.items()
    }
    named = {"vars", "connections", "environments", "params", "options", "schema", "returns", "columns"}
    silent = [path for path, said in told.items() if not said]
    assert [path for path in silent if path[-2] not in named] == []


def test_on_a_line() -> None:
    vacuum = parser("%odibi_vacuum")
    assert meaning_on_line(vacuum, " clean --reten", "tion-hours 5").startswith(
        "--retention-hours HOURS\n\nonly files"
    )
    assert meaning_on_line(vacuum, " cle", "an").startswith("usage: %odibi_vacuum")
