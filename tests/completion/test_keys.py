"""Keys: the models accept each that is offered, and each that the models know is offered."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from odibi_magics.completion.cell import Asker, complete_cell
from odibi_magics.completion.facts import Facts
from odibi_magics.completion.waiting import Answers
from odibi_magics.config.load import Known, load
from odibi_magics.config.marks import parse
from odibi_magics.config.source import Source
from odibi_magics.errors import ConfigErrors
from tests.completion.conftest import Complete, words
from tests.completion.texts import BLOCKS, FLOW, NODES, PIPELINE, PROJECTS

KNOWN = Known(connections=frozenset({"lake"}))


def unknown(text: str) -> set[str]:
    """What the language says of keys that it does not know."""
    try:
        load(Source(text), known=KNOWN)
    except ConfigErrors as error:
        return {
            problem.message
            for problem in error.problems
            if problem.message.startswith(("unknown key", "duplicate"))
        }
    return set()


def entries(text: str) -> list[tuple[int, int, str]]:
    """Each key of a text: where it begins, where its line of text ends, the key."""
    document = parse(Source(text))
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    return [
        (starts[span.line] + span.column, starts[span.end_line] + span.end_column, str(path[-1]))
        for path, span in document.keys.items()
    ]


ENTRIES = [(text, *one) for text in PROJECTS for one in entries(text)]
# Names that people make up, and what no model knows.
FREE = {"region", "days", "lake", "bronze", "other", "prod", "id", "qty", "margin", "rate"}


@pytest.mark.parametrize("text", PROJECTS)
def test_the_texts_hold_no_unknown_key(text: str) -> None:
    assert unknown(text) == set()


@given(st.sampled_from([one for one in ENTRIES if one[3] not in FREE]), st.data())
@settings(max_examples=200, deadline=None)
def test_a_key_that_stands_there_is_offered_when_it_is_typed_anew(
    entry: tuple[str, int, int, str], data: st.DataObject
) -> None:
    text, start, end, key = entry
    first = text[:start].rpartition("\n")[2].strip(" ") == ""
    typed = data.draw(st.integers(0 if first else 1, len(key)))
    below = ["\n" + text[end:].partition("\n")[2]] if first else []
    behind = data.draw(st.sampled_from([text[end:], "", *below]))
    asker = Asker(Facts(), Answers())
    offered = complete_cell(text[:start] + key[:typed] + behind, start + typed, "pipeline", asker)
    assert key in {one.text.strip(" -{:") for one in offered.offers}


PLACES = [
    BLOCKS.replace("engine: auto\n", "¦\nengine: auto\n"),
    BLOCKS.replace("    base_path: ./lake\n", "    ¦\n"),
    BLOCKS.replace("    container: raw\n", "    ¦\n"),
    BLOCKS.replace("        format: csv\n", "        ¦\n"),
    BLOCKS.replace("      depends_on:\n        - orders\n", "      ¦\n"),
    BLOCKS.replace("      write:\n", "      ¦\n      write:\n"),
    BLOCKS.replace("        mode: merge\n", "        ¦\n        mode: merge\n"),
    BLOCKS.replace("          header: true\n", "          ¦\n"),
    BLOCKS.replace("            on_fail: warn\n", "            ¦\n"),
    BLOCKS.replace("        not_empty: true\n", "        ¦\n"),
    BLOCKS.replace("            returns: {id: long, margin: double}\n", "            ¦\n"),
    BLOCKS.replace("    engine: spark\n", "    ¦\n"),
    FLOW.replace("{connection: lake, path: out", "{¦, connection: lake, path: out"),
    FLOW.replace("columns: [id, 'x y']", "¦"),
    FLOW.replace("[{sql: ", "[{¦}, {sql: "),
    NODES.replace("- name: clean\n", "- name: clean\n  ¦\n"),
    NODES.replace("    - sql: SELECT", "    - ¦\n    - sql: SELECT"),
    PIPELINE.replace("owner: sales\n", "¦\n"),
    PIPELINE.replace("    read:\n", "    ¦\n    read:\n"),
]


@pytest.mark.parametrize("text", PLACES)
def test_every_key_that_is_offered_is_known(text: str, asker: Asker) -> None:
    at = text.index("¦")
    plain = text.replace("¦", "")
    found = complete_cell(plain, at, "pipeline", asker)
    assert found.offers
    for offer in found.offers:
        closing = " 1" if offer.text.endswith((": ", ":")) else ""
        typed = plain[: at - len(found.replaced)] + offer.text.rstrip() + closing + plain[at:]
        assert unknown(typed) == set(), offer


@given(st.sampled_from(PROJECTS), st.data())
@settings(max_examples=300, deadline=None)
def test_whatever_is_typed_up_to_wherever_nothing_is_raised(text: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(text)))
    behind = data.draw(st.sampled_from([text[at:], "", "}\n", "\n" + NODES]))
    asker = Asker(Facts(folder=Path("/nonexistent")), Answers())
    for kind in ("pipeline", "connections"):
        found = complete_cell(text[:at] + behind, at, kind, asker)
        assert text[:at].endswith(found.replaced)


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        ("connections:\n  lake: {¦", "type: "),
        ("connections:\n  lake: {type: local, ¦}", "base_path: "),
        ("- name: a\n  transform:\n    steps:\n      ¦", "- sql: "),
        ("- name: a\n  transform: {steps: [¦", "{sql: "),
        ("- name: a\n  validation:\n    unique:\n      ¦", "columns: "),
        ("- name: a\n  read: {format: csv, options: {de¦", "delimiter: "),
        ("- name: a\n  write: {format: csv, options: {de¦", "delimiter: "),
        ("- name: a\n  wri¦:\n    connection: x", "write"),
        ("pipelines:\n  - pipeline: a\n    ¦", "nodes:"),
        ("pipelines:\n  ¦", "- pipeline: "),
        ("vars: {a: 1}\nenvironments:\n  prod:\n    vars: {¦", "a: "),
        ("connections: {lake: {type: local}}\nenvironments: {prod: {connections: {¦", "lake:"),
        ("connections: {lake: {type: local}}\nenvironments: {prod: {connections: {lake: {¦", "base_path: "),
    ],
)
def test_offered(text: str, offered: str, complete: Complete) -> None:
    assert offered in words(complete(text))


@pytest.mark.parametrize(
    ("text", "left_out"),
    [
        ("connections:\n  lake: {type: local, ¦}", "account: "),
        ("- name: a\n  transform:\n    steps:\n      - sql: SELECT 1\n        ¦", "params: "),
        ("- name: a\n  read: {connection: x}\n  ¦", "read:"),
        ("- name: a\n  ¦\n  write: {mode: append}", "write:"),
        ("- name: a\n  write: {format: csv, options: {¦", "date_format: "),
        ("pipelines: []\n¦", "nodes:"),
    ],
)
def test_not_offered(text: str, left_out: str, complete: Complete) -> None:
    assert left_out not in words(complete(text))


def test_every_key_of_the_language_has_something_to_say_for_itself(complete: Complete) -> None:
    found: Any = complete("- name: a\n  write: {¦")
    assert all(re.fullmatch(r".{10,60}", one.about) for one in found.offers)
