"""The picture of a pipeline."""

from __future__ import annotations

import re
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from odibi_magics.display.graph import graph_svg, graph_text
from odibi_magics.display.layout import GAP, LAYER_GAP, layout
from odibi_magics.pipeline.plan import Plan
from tests.display.samples import PLAN, read, texts

GOLDEN = """\
4 nodes

flights
  reads  lake:raw/flights/*.csv
weather
  reads       lake:clean/weather
  defined in  cell [2]
clean
  state   ✓ done
  after   flights (named in SQL), weather (depends_on)
  writes  overwrite silver:clean/flights (partition_by: day)
daily
  after   clean (the node before it), flights (writes what it reads; order only)
  writes  create silver:gold/daily (mode: merge; keys: day)"""


@st.composite
def graphs(draw: st.DrawFn) -> tuple[dict[str, tuple[float, float]], list[tuple[str, str]]]:
    number = draw(st.integers(1, 14))
    names = [f"n{i}" for i in range(number)]
    sides = st.tuples(st.floats(10, 300), st.floats(10, 80))
    pairs = list(combinations(names, 2))
    edges = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=30)) if pairs else []
    return {name: draw(sides) for name in names}, edges


@settings(max_examples=150, deadline=None)
@given(graphs())
def test_boxes_stand_apart_and_every_edge_goes_down(
    graph: tuple[dict[str, tuple[float, float]], list[tuple[str, str]]],
) -> None:
    sizes, edges = graph
    drawn = layout(sizes, edges)
    assert list(drawn.boxes) == list(sizes)
    for one, other in combinations(drawn.boxes.values(), 2):
        beside = one.x + one.width + GAP - 1e-6 <= other.x or other.x + other.width + GAP - 1e-6 <= one.x
        below = one.bottom < other.y or other.bottom < one.y
        assert beside or below
    for (source, target), way in drawn.ways.items():
        assert (way[0], way[-1]) == (drawn.boxes[source], drawn.boxes[target])
        for upper, lower in zip(way, way[1:], strict=False):
            assert abs(upper.bottom + LAYER_GAP - lower.y) < 1e-6


@settings(max_examples=150, deadline=None)
@given(graphs())
def test_edges_pass_no_box_and_the_picture_holds_all(
    graph: tuple[dict[str, tuple[float, float]], list[tuple[str, str]]],
) -> None:
    drawn = layout(*graph)
    for (source, target), way in drawn.ways.items():
        for name, box in drawn.boxes.items():
            if name not in (source, target):
                assert not any(box.y == at.y and box.x < at.middle < box.x + box.width for at in way)
    for box in (*drawn.boxes.values(), *(box for way in drawn.ways.values() for box in way)):
        assert box.x >= -1e-6 and box.y >= 0
        assert box.x + box.width <= drawn.width + 1e-6 and box.bottom <= drawn.height + 1e-6


def test_a_ladder_is_drawn_without_crossings() -> None:
    sizes = dict.fromkeys(("a", "b", "c", "d", "e", "f"), (40.0, 20.0))
    boxes = layout(sizes, [("a", "f"), ("b", "e"), ("c", "d")]).boxes
    assert (boxes["a"].x < boxes["b"].x) == (boxes["f"].x < boxes["e"].x)
    assert (boxes["b"].x < boxes["c"].x) == (boxes["e"].x < boxes["d"].x)


def test_a_chain_is_straight() -> None:
    boxes = layout({"a": (40, 20), "b": (90, 20), "c": (60, 20)}, [("a", "b"), ("b", "c")]).boxes
    assert {round(box.middle) for box in boxes.values()} == {45}


def test_the_picture_says_why_and_what() -> None:
    titles = texts(graph_svg(PLAN), "title")
    assert "clean comes after flights: named in SQL" in titles
    assert "daily comes after flights: writes what it reads; order only" in titles
    assert any(
        title.startswith("clean; overwrite abfss://clean@silver.dfs.core.windows.net/") for title in titles
    )
    assert texts(graph_svg(PLAN), "text") == [
        "flights", "reads lake:raw/flights/*.csv", "weather", "reads lake:clean/weather", "of cell [2]",
        "clean", "overwrite silver:clean/flights", "daily", "create silver:gold/daily",
    ]  # fmt: skip


def test_states_are_words_and_colours() -> None:
    html = graph_svg(PLAN, {"clean": "failed"})
    assert "clean ✗ failed" in re.sub(r"\s+", " ", " ".join(texts(html, "text")))
    assert [e.name for e in read(html) if e.attributes.get("class") == "failed"] == ["g"]


def test_the_text_stands_beside_the_picture() -> None:
    assert texts(graph_svg(PLAN), "pre") == [graph_text(PLAN)] * 2
    assert graph_text(PLAN, {"clean": "done"}) == GOLDEN


def test_the_text_stands_in_the_place_of_the_picture_where_styles_are_stripped() -> None:
    """The picture's words would run together there."""
    html = re.sub(r"<style>.*?</style>", "", graph_svg(PLAN), flags=re.DOTALL)
    seen, _, hidden = html.partition('<div class="drawn" style="display:none">')
    assert texts(f"{seen}</div>", "pre") == [graph_text(PLAN)]
    assert "<svg" in hidden and hidden.endswith("</details></div></div>")
    assert re.search(r"\.unstyled\{display:none\}\n.*\.drawn\{display:block!important\}", graph_svg(PLAN))


def test_no_nodes() -> None:
    empty = Plan((), "pandas", "pandas engine")
    assert graph_text(empty) == "no nodes"
    read(graph_svg(empty))


def test_where_only_the_order_counts_the_edge_is_dashed() -> None:
    dashed = [e for e in read(graph_svg(PLAN)) if e.name == "g" and e.attributes.get("stroke-dasharray")]
    assert [e.text for e in dashed] == ["daily comes after flights: writes what it reads; order only"]
