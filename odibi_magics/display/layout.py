"""Where the boxes of a graph stand: layers by longest path, order by barycentres, places by least squares.

After Sugiyama, Tagawa, Toda: Methods for visual understanding of hierarchical system structures (1981).
An edge over several layers goes through a point in each; edges of one source share these and run together.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# Pixels between boxes of a layer, and between layers.
GAP = 24.0
LAYER_GAP = 44.0

# Sweeps down and up; crossings hardly fall after the first few.
_SWEEPS = 6


@dataclass(frozen=True)
class Box:
    """A box's left upper corner and size, in pixels."""

    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        return self.x + self.width / 2

    @property
    def bottom(self) -> float:
        return self.y + self.height


@dataclass(frozen=True)
class Layout:
    """Boxes by name. ways: for each edge the boxes it goes through, both ends included."""

    boxes: Mapping[str, Box]
    ways: Mapping[tuple[str, str], tuple[Box, ...]]
    width: float
    height: float


# A point in a layer: a node, or where edges of a node pass ("name", layer).
_Point = tuple[str, int]


def layout(sizes: Mapping[str, tuple[float, float]], edges: Sequence[tuple[str, str]]) -> Layout:
    """Lays a graph without cycles out, top down.

    sizes: width and height of each node, in an order in which each comes after those it has edges from.
    edges: (from, to).
    """
    depth = _depths(sizes, edges)
    ways = {edge: _way(edge, depth) for edge in edges}
    layers = _layers(depth, ways)
    near = _neighbours(ways)
    layers = _ordered(layers, near)
    wide = {
        point: sizes[point[0]][0] if depth[point[0]] == point[1] else 0.0
        for layer in layers
        for point in layer
    }
    middles = _placed(layers, near, wide)
    heights = [
        max((sizes[name][1] for name, at in layer if depth[name] == at), default=0.0) for layer in layers
    ]
    return _boxes(layers, middles, wide, heights, ways, depth)


def _depths(names: Mapping[str, object], edges: Sequence[tuple[str, str]]) -> dict[str, int]:
    """The longest path to each node."""
    above: dict[str, list[str]] = {name: [] for name in names}
    for source, target in edges:
        above[target].append(source)
    depth: dict[str, int] = {}
    for name in names:
        depth[name] = max((depth[source] + 1 for source in above[name]), default=0)
    return depth


def _way(edge: tuple[str, str], depth: Mapping[str, int]) -> tuple[_Point, ...]:
    source, target = edge
    return (*((source, at) for at in range(depth[source], depth[target])), (target, depth[target]))


def _layers(
    depth: Mapping[str, int], ways: Mapping[tuple[str, str], tuple[_Point, ...]]
) -> list[list[_Point]]:
    points = dict.fromkeys([*depth.items(), *(point for way in ways.values() for point in way)])
    layers: list[list[_Point]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for point in points:
        layers[point[1]].append(point)
    return layers


@dataclass(frozen=True)
class _Near:
    above: Mapping[_Point, Sequence[_Point]]
    below: Mapping[_Point, Sequence[_Point]]


def _neighbours(ways: Mapping[tuple[str, str], tuple[_Point, ...]]) -> _Near:
    steps = dict.fromkeys(step for way in ways.values() for step in zip(way, way[1:], strict=False))
    above: dict[_Point, list[_Point]] = {}
    below: dict[_Point, list[_Point]] = {}
    for upper, lower in steps:
        above.setdefault(lower, []).append(upper)
        below.setdefault(upper, []).append(lower)
    return _Near(above, below)


def _ordered(layers: list[list[_Point]], near: _Near) -> list[list[_Point]]:
    """The order with the fewest crossings that sweeps of barycentres come by."""
    best, fewest = layers, _crossings(layers, near)
    for sweep in range(_SWEEPS):
        if not fewest:
            break
        layers = _sweep(layers, near.above if sweep % 2 == 0 else near.below, turn=sweep % 2)
        if (crossings := _crossings(layers, near)) < fewest:
            best, fewest = layers, crossings
    return best


def _sweep(
    layers: Sequence[list[_Point]], near: Mapping[_Point, Sequence[_Point]], turn: int
) -> list[list[_Point]]:
    """Sorts each layer by the mean place of its neighbours in the layer before it. turn: 1 for upwards."""
    order = list(reversed(layers)) if turn else list(layers)
    place: dict[_Point, float] = {}
    swept = []
    for layer in order:
        own = {point: i for i, point in enumerate(layer)}
        means = {point: _mean([place[other] for other in near.get(point, ())], own[point]) for point in layer}
        swept.append(sorted(layer, key=lambda point: (means[point], own[point])))
        place.update({point: float(i) for i, point in enumerate(swept[-1])})
    return list(reversed(swept)) if turn else swept


def _mean(values: Sequence[float], default: float) -> float:
    return sum(values) / len(values) if values else default


def _crossings(layers: Sequence[Sequence[_Point]], near: _Near) -> int:
    place = {point: i for layer in layers for i, point in enumerate(layer)}
    total = 0
    for layer in layers:
        seen: list[int] = []
        for point in layer:
            ends = sorted(place[other] for other in near.below.get(point, ()))
            total += sum(len(seen) - bisect_right(seen, end) for end in ends)
            for end in ends:
                insort(seen, end)
    return total


def _placed(
    layers: Sequence[Sequence[_Point]], near: _Near, wide: Mapping[_Point, float]
) -> dict[_Point, float]:
    """The middle of each point: as close to its neighbours' as the order and the gaps allow."""
    middles: dict[_Point, float] = {}
    for layer in layers:
        middles.update(zip(layer, _spread(layer, [0.0] * len(layer), wide), strict=True))
    for sweep in range(_SWEEPS):
        upwards = sweep % 2
        for layer in reversed(layers) if upwards else layers:
            around = near.below if upwards else near.above
            wanted = [
                _mean([middles[other] for other in around.get(point, ())], middles[point]) for point in layer
            ]
            middles.update(zip(layer, _spread(layer, wanted, wide), strict=True))
    return middles


def _spread(layer: Sequence[_Point], wanted: Sequence[float], wide: Mapping[_Point, float]) -> list[float]:
    """The middles nearest to the wanted ones (least squares) that keep the order and the gaps."""
    offsets = [0.0]
    for left, right in zip(layer, layer[1:], strict=False):
        offsets.append(offsets[-1] + (wide[left] + wide[right]) / 2 + GAP)
    level = _isotonic([want - offset for want, offset in zip(wanted, offsets, strict=True)])
    return [value + offset for value, offset in zip(level, offsets, strict=True)]


def _isotonic(values: Sequence[float]) -> list[float]:
    """The nearest sequence that never falls, by pooling adjacent violators."""
    pools: list[tuple[float, int]] = []
    for value in values:
        total, count = value, 1
        while pools and pools[-1][0] / pools[-1][1] > total / count:
            before = pools.pop()
            total, count = total + before[0], count + before[1]
        pools.append((total, count))
    return [total / count for total, count in pools for _ in range(count)]


def _boxes(
    layers: Sequence[Sequence[_Point]],
    middles: Mapping[_Point, float],
    wide: Mapping[_Point, float],
    heights: Sequence[float],
    ways: Mapping[tuple[str, str], tuple[_Point, ...]],
    depth: Mapping[str, int],
) -> Layout:
    left = min((middles[point] - wide[point] / 2 for point in middles), default=0.0)
    tops = [sum(heights[:i]) + i * LAYER_GAP for i in range(len(heights))]
    at = {
        point: Box(middles[point] - wide[point] / 2 - left, tops[i], wide[point], heights[i])
        for i, layer in enumerate(layers)
        for point in layer
    }
    return Layout(
        boxes={name: at[name, layer] for name, layer in depth.items()},
        ways={edge: tuple(at[point] for point in way) for edge, way in ways.items()},
        width=max((box.x + box.width for box in at.values()), default=0.0),
        height=tops[-1] + heights[-1] if heights else 0.0,
    )
