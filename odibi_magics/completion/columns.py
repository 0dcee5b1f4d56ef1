"""Columns of half-typed nodes, described without running anything: of sources cheaply, of SQL by its own rules.

What goes before the cursor is planned as any text is, in a thread, and by the pandas engine alone: a Spark job is not
cheap.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from odibi_magics.completion.facts import Facts, node_at, nodes_of
from odibi_magics.completion.layout import Typed
from odibi_magics.completion.places import checked
from odibi_magics.completion.waiting import Answers, Patience
from odibi_magics.config.marks import Path
from odibi_magics.config.types import Column
from odibi_magics.connections.base import Connection
from odibi_magics.connections.listing import at_hand
from odibi_magics.engines.registry import choose_engine
from odibi_magics.pipeline.build import Builder
from odibi_magics.pipeline.definitions import definitions

Tables = Mapping[str, tuple[Column, ...]]

_PROJECT_KEYS = ("connections", "vars", "key_vault_name", "sql_dialect")
_WORD = re.compile(r"\w+")


class Describes:
    """Columns for one completion. answers: kept from one to the next."""

    def __init__(self, facts: Facts, answers: Answers, patience: Patience) -> None:
        self.facts, self.answers, self.patience = facts, answers, patience

    def columns(self, typed: Typed, path: Path) -> tuple[Column, ...]:
        """Those that a part of a node may name: of `read:` the source's, of all else what comes out of its steps."""
        node = node_at(typed, path)
        if node is None:
            return ()
        if "steps" in path:
            return ()  # of what a function returns nothing is known
        of_source = path[4:5] == ("read",)
        return self.tables(typed, node, 0 if of_source else None, whole=of_source).get("df", ())

    def tables(self, typed: Typed, node: Path, steps: int | None, *, whole: bool = False) -> Tables:
        """The tables that a node's step number `steps` (from 0; None: behind the last) may name, with their columns.

        whole: of a source all columns, not those that `read:` chooses.
        """
        pruned = upstream(typed, node, steps, self.facts.definitions.nodes, whole=whole)
        if not pruned:
            return {}
        project = {key: typed.project[key] for key in _PROJECT_KEYS if key in typed.project}
        project["pipelines"] = [{"pipeline": "_", "nodes": pruned}]
        text = json.dumps(project, default=str, sort_keys=True)
        load_engine()
        key = ("tables", text, id(self.facts.definitions))
        found = self.answers.get(key, lambda: _described(project, self.facts), self.patience) or {}
        own = str(pruned[-1]["name"])
        return {**{name: one for name, one in found.items() if name != own}, "df": found.get(own, ())}


def upstream(
    typed: Typed, path: Path, steps: int | None, earlier: Collection[str], *, whole: bool = False
) -> list[dict[str, Any]]:
    """What a node may take, and the node itself, as far as its columns depend on it: nothing is written or validated.

    earlier: names of nodes of earlier cells; what the node may take of them stands in nodes of its own.
    """
    nodes = list(nodes_of(typed.project))
    by_name = {str(node.get("name")): i for i, (_, node) in enumerate(nodes)}
    at = next((i for i, (there, _) in enumerate(nodes) if there == path), None)
    if at is None:
        return []
    needed: set[int] = set()
    stack = [at]
    while stack:
        i = stack.pop()
        if i in needed:
            continue
        needed.add(i)
        stack.extend(by_name[name] for name in _taken(nodes[i][1]) if name in by_name)
        if i and nodes[i - 1][0][:2] == nodes[i][0][:2] and "read" not in nodes[i][1]:
            stack.append(i - 1)  # which it takes where it names no other
    found = [_pruned(nodes[i][1], None) for i in sorted(needed) if i != at]
    of_earlier = [name for name in _taken(nodes[at][1]) if name in earlier and name not in by_name]
    asked = [{"name": f"_{i}", "depends_on": [name]} for i, name in enumerate(of_earlier)]
    return [*found, *asked, {"name": "_", **_pruned(nodes[at][1], steps, whole=whole)}]


def _taken(node: Mapping[str, Any]) -> list[str]:
    """Names of nodes in `depends_on` and in the SQL of steps."""
    depends = node.get("depends_on")
    words = [word for word in depends if isinstance(word, str)] if isinstance(depends, list) else []
    for step in _steps(node):
        if isinstance(step, dict) and isinstance(step.get("sql"), str):
            words += _WORD.findall(step["sql"])
    return [word for word in dict.fromkeys(words) if word != node.get("name")]


def _steps(node: Mapping[str, Any]) -> list[Any]:
    transform = node.get("transform")
    steps = transform.get("steps") if isinstance(transform, dict) else None
    return steps if isinstance(steps, list) else []


def _pruned(node: Mapping[str, Any], steps: int | None, *, whole: bool = False) -> dict[str, Any]:
    kept = {key: node[key] for key in ("name", "depends_on", "read") if node.get(key)}
    read = kept.get("read")
    if isinstance(read, dict):
        kept["read"] = {
            key: value for key, value in read.items() if key not in ("filter", "newer_than", "lag")
        }
        if whole:
            kept["read"].pop("columns", None)
    before = _steps(node)[:steps]
    if before:
        kept["transform"] = {"steps": before}
    return kept


def _described(project: dict[str, Any], facts: Facts) -> Tables:
    config = checked(project, facts)
    if config is None:
        return {}
    new = definitions(config)
    builder = Builder(facts.definitions.add(new), list(new.nodes), choose_engine("pandas"), _closed)
    return {node.name: node.columns for node in builder.build() if node.columns is not None}


def _closed(connections: Sequence[Connection]) -> Mapping[str, None]:
    """The connections that cannot be opened without fetching anything: no vault is asked while somebody types."""
    return {one.name: None for one in connections if not at_hand(one)}


def load_engine() -> None:
    """Imports, in the calling thread, what describing will need: native code that is cut off in its import when the
    interpreter ends crashes it."""
    import deltalake  # noqa: F401

    import odibi_magics.engines.pandas.planning  # noqa: F401
