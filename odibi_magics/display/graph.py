"""The pipeline as a picture: inline SVG, drawn here, and the same as text where SVG is stripped."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import htpy as h

from odibi_magics.display.document import Line, Table, without_empty
from odibi_magics.display.html import ROOM, fitting_text, framed
from odibi_magics.display.layout import Box, Layout, layout
from odibi_magics.display.plan import after, at, why, write_words
from odibi_magics.display.report import state_cell
from odibi_magics.display.text import blocks_text, width
from odibi_magics.display.units import count, plural
from odibi_magics.display.values import cut, line
from odibi_magics.pipeline.plan import Edge, Plan, PlannedNode

# Nodes of one picture; with more, nobody finds anything, and the first ones are shown.
NODES = 120

# Pixels of a character, a line and the room around them, at 12 px sans-serif; a little too much does no harm.
_CHAR, _LINE, _PADDING = 6.8, 16, 10
_WIDEST = 38


def graph_svg(plan: Plan, states: Mapping[str, str] | None = None) -> str:
    """The plan as a picture, coloured by the state of each node, and as text behind a triangle below it.

    Code hosts and notebooks that are not trusted strip style sheets and SVG, and leave its words, run together: there
    the text stands in its place. They keep `display: none`, which the style sheet takes back.
    """
    text = fitting_text(graph_text(plan, states), ROOM // 4)
    states = states or {}
    told = h.details[h.summary["as text"], h.pre(".text.table")[text]]
    shown = list(plan.nodes[:NODES])
    while True:
        picture = Picture.of(shown, {name: [state] for name, state in states.items()}).svg(states)
        if len(str(picture).encode()) <= ROOM // 2 or len(shown) <= 1:
            break
        shown = shown[: len(shown) * 2 // 3]
    left_out = len(plan.nodes) - len(shown)
    more = h.p[f"and {count(left_out)} more nodes"] if left_out else None
    drawn = h.div(".drawn", style="display:none")[h.div(".picture")[picture], more, told]
    return framed(h.pre(".unstyled")[text], drawn)


def graph_text(plan: Plan, states: Mapping[str, str] | None = None) -> str:
    """The same as a table: each node, what it comes after and why, what it reads and writes."""
    rows = [
        (node.name, state_cell(states[node.name]) if states and node.name in states else "",
         after(node.edges), _reads(node), _writes(node), "" if node.runs else node.defined)
        for node in plan.nodes
    ]  # fmt: skip
    kept, cells = without_empty(("node", "state", "after", "reads", "writes", "defined in"), rows)
    if not cells:
        return "no nodes"
    return blocks_text([Line(plural(len(plan.nodes), "node")), Table(kept, cells)])


def _reads(node: PlannedNode) -> str:
    return at(node.source.place.address, node.source.version) if node.source else ""


def _writes(node: PlannedNode) -> str:
    return write_words(node, node.sink.place.address) if node.sink else ""


def _earlier(node: PlannedNode) -> str:
    return "" if node.runs else f"of {node.defined}" if node.defined else "of an earlier cell"


def _lines(node: PlannedNode, state: str | None) -> list[str]:
    """What stands in a node's box."""
    name = f"{node.name}  {state_cell(state).text}" if state else node.name
    reads = f"reads {_reads(node)}" if node.source else ""
    writes = f"{node.action or node.sink.mode} {node.sink.place.address}" if node.sink else ""
    return [cut(line(text), _WIDEST) for text in (name, reads, writes, _earlier(node)) if text]


@dataclass(frozen=True)
class Picture:
    """Nodes laid out once, to be drawn in one state after the other: no box moves.

    drawn: where they are. edges: between them, by the names of both ends.
    """

    nodes: tuple[PlannedNode, ...]
    drawn: Layout
    edges: Mapping[tuple[str, str], Edge]

    @classmethod
    def of(cls, nodes: Sequence[PlannedNode], states: Mapping[str, Collection[str]]) -> Picture:
        """states: those that a node may come to be in, for which its box has room."""
        there = {node.name for node in nodes}
        edges = {
            (edge.source, node.name): edge for node in nodes for edge in node.edges if edge.source in there
        }
        sizes = {
            node.name: _size([_lines(node, state) for state in states.get(node.name) or (None,)])
            for node in nodes
        }
        return cls(tuple(nodes), layout(sizes, list(edges)), edges)

    def svg(self, states: Mapping[str, str]) -> h.Element:
        """The picture, coloured by the state of each node."""
        wide, high = round(self.drawn.width) + 4, round(self.drawn.height) + 4
        names = ", ".join(line(node.name) for node in self.nodes)
        return h.svg(
            role="img",
            aria_label=f"{plural(len(self.nodes), 'node')}: {names}",
            xmlns="http://www.w3.org/2000/svg",
            width=wide,
            height=high,
            viewBox=f"-2 -2 {wide} {high}",
            font_family="system-ui, sans-serif",
            font_size=12,
            fill="currentColor",
        )[
            h.g(fill="none", stroke="currentColor", stroke_opacity=".55")[
                [_edge(ends, edge, self.drawn) for ends, edge in self.edges.items()]
            ],
            [
                _node(
                    node,
                    _lines(node, states.get(node.name)),
                    self.drawn.boxes[node.name],
                    states.get(node.name),
                )
                for node in self.nodes
            ],
        ]


def _size(ways: Sequence[Sequence[str]]) -> tuple[float, float]:
    """Of a box that has room for each of these texts, which have as many lines."""
    widest = max(width(text) for texts in ways for text in texts)
    return widest * _CHAR + 2 * _PADDING, len(ways[0]) * _LINE + _PADDING


def _edge(ends: tuple[str, str], edge: Edge, drawn: Layout) -> h.Element:
    dashes = None if edge.carries else "4 3"
    told = h.title[line(f"{ends[1]} comes after {ends[0]}: {why(edge)}")]
    return h.g(stroke_dasharray=dashes)[told, h.path(d=_path(drawn.ways[ends]))]


def _path(way: Sequence[Box]) -> str:
    """Curves from box to box, straight through layers in between, and an arrowhead."""
    parts = [f"M{way[0].middle:.0f} {way[0].bottom:.0f}"]
    for upper, lower in zip(way, way[1:], strict=False):
        half = (upper.bottom + lower.y) / 2
        start, end = f"{upper.middle:.0f}", f"{lower.middle:.0f}"
        parts += [f"C{start} {half:.0f} {end} {half:.0f} {end} {lower.y:.0f}", f"V{lower.bottom:.0f}"]
    return "".join(parts[:-1]) + "m-4 -7l4 7l4 -7"


def _node(node: PlannedNode, texts: Sequence[str], box: Box, state: str | None) -> h.Element:
    frame = h.rect(
        x=f"{box.x:.0f}", y=f"{box.y:.0f}", width=f"{box.width:.0f}", height=f"{box.height:.0f}", rx=5,
        fill="currentColor", fill_opacity=".07", stroke="currentColor",
        stroke_width="1.5" if node.runs else "1", stroke_dasharray=None if node.runs else "2 3",
    )  # fmt: skip
    said = [
        h.text(
            x=f"{box.x + _PADDING:.0f}",
            y=f"{box.y + _PADDING / 2 + _LINE * (i + 0.75):.0f}",
            font_weight="600" if i == 0 else None,
            fill_opacity=None if i == 0 else ".75",
        )[text]
        for i, text in enumerate(texts)
    ]
    return h.g[h.title[_told(node)], h.g(class_=state)[frame], said]


def _told(node: PlannedNode) -> str:
    """All of a node, for hovering over it."""
    places = [f"reads {node.source.place.url}"] if node.source else []
    places += [write_words(node, node.sink.place.url)] if node.sink else []
    return cut("; ".join(map(line, [node.name, *places])), 600)
