"""Where in the text a node of the tree stands."""

from __future__ import annotations

from sqlglot import exp


def place(node: exp.Expr) -> tuple[int, int]:
    """Start and end of a node's word, or of the first of its parts that knows, or of what it stands in.

    (-1, -1) where none does.
    """
    for part in node.walk(bfs=False):
        if "start" in part.meta:
            return part.meta["start"], part.meta["end"] + 1
    return place(node.parent) if isinstance(node.parent, (exp.Table, exp.Alias)) else (-1, -1)


def span(node: exp.Expr) -> tuple[int, int]:
    """Start and end of all words of a node that know where they stand; as `place` where none does."""
    found = [(part.meta["start"], part.meta["end"] + 1) for part in node.walk() if "start" in part.meta]
    return (min(start for start, _ in found), max(end for _, end in found)) if found else place(node)
