"""What comes after what: any order that the edges allow, the text's where they leave a choice."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from odibi_magics.pipeline.edges import downstream, ordered, place_edges, upstream
from odibi_magics.pipeline.plan import Edge

Graph = dict[str, tuple[Edge, ...]]


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[str], Graph]:
    """Names in the text's order, and edges that make no circle: each from a smaller number to a larger one."""
    count = draw(st.integers(1, 12))
    numbers = list(range(count))
    text = draw(st.permutations(numbers))
    edges: Graph = {}
    for n in numbers:
        before = draw(st.sets(st.integers(0, n - 1), max_size=3)) if n else set()
        edges[f"n{n}"] = tuple(Edge(f"n{m}", "depends_on") for m in sorted(before))
    return [f"n{n}" for n in text], edges


@given(graphs())
def test_every_node_comes_once_and_after_what_it_takes(graph: tuple[list[str], Graph]) -> None:
    names, edges = graph
    order, cycle = ordered(edges, names)
    assert not cycle
    assert sorted(order) == sorted(names)
    place = {name: i for i, name in enumerate(order)}
    assert all(place[edge.source] < place[name] for name in names for edge in edges[name])


@given(st.permutations(["a", "b", "c", "d"]))
def test_where_nothing_binds_them_the_text_decides(names: list[str]) -> None:
    assert ordered({}, names) == (list(names), [])


@given(graphs())
def test_upstream_and_downstream_are_each_others_mirror(graph: tuple[list[str], Graph]) -> None:
    names, edges = graph
    for name in names:
        assert all(name in downstream(edges, [other]) for other in upstream(edges, [name]))


def test_a_circle_is_named() -> None:
    edges = {"a": (Edge("b", "depends_on"),), "b": (Edge("a", "depends_on"),)}
    order, cycle = ordered(edges, ["a", "b"])
    assert order == []
    assert set(cycle) == {"a", "b"}


def test_nodes_that_share_a_place_wait_for_each_other_in_the_texts_order() -> None:
    found = place_edges(
        reads={"early": "file:///t", "late": "file:///t/"},
        writes={"writer": "file:///t", "second": "file:///t"},
        order=["early", "writer", "second", "late"],
    )
    assert found["writer"] == (Edge("early", "writes what it reads", carries=False),)
    assert Edge("second", "reads what it writes", carries=False) in found["late"]
    assert Edge("writer", "writes the same table", carries=False) in found["second"]
    assert "early" not in found


def test_a_node_that_reads_its_own_table_waits_for_no_one() -> None:
    assert place_edges({"a": "x"}, {"a": "x"}, ["a"]) == {}
