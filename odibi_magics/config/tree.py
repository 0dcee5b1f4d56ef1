"""The user's shape made whole: whatever was written becomes one project, and every path still finds its line."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from odibi_magics.config.marks import Document, Path
from odibi_magics.config.source import Place

DEFAULT_PIPELINE = "main"

PIPELINE_KEYS = frozenset({"pipeline", "description", "tags", "layer", "owner", "nodes"})


@dataclass
class Tree:
    """A project's plain values; `origin` says which path of the document each came from, nearest prefix first."""

    document: Document
    value: dict[str, Any] = field(repr=False)
    origin: dict[Path, Path] = field(default_factory=lambda: {(): ()})

    def written(self, path: Path) -> Path:
        """Where a path of the project stands in the user's own text."""
        for length in range(len(path), -1, -1):
            start = self.origin.get(path[:length])
            if start is not None:
                return start + path[length:]
        return path

    def key_place(self, path: Path) -> Place | None:
        return self.document.key_place(self.written(path))

    def value_place(self, path: Path) -> Place | None:
        return self.document.value_place(self.written(path))

    def place_in(self, path: Path, text: str, start: int, end: int) -> Place | None:
        return self.document.place_in(self.written(path), text, start, end)

    def joined(self, path: Path, text: str, start: int, end: int) -> bool:
        return self.document.joined(self.written(path), text, start, end)

    def is_empty(self, path: Path) -> bool:
        """Whether nothing at all is written behind a key."""
        span = self.document.values.get(self.written(path))
        return span is not None and (span.line, span.column) == (span.end_line, span.end_column)

    def at(self, path: Path) -> Any:
        """The value at a path, None where there is none."""
        return item_at(self.value, path)


def item_at(value: Any, path: Path) -> Any:
    """What stands in a value at a path, None where there is nothing."""
    for part in path:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return None
    return value


class NotAProject(ValueError):
    """The text is neither a mapping nor a list."""


def project_tree(document: Document) -> Tree:
    """A whole project out of a project, `pipelines:` alone, one pipeline's `nodes:`, or a bare list of nodes.

    Raises NotAProject.
    """
    value = document.value
    if isinstance(value, list):
        pipeline = {"pipeline": DEFAULT_PIPELINE, "nodes": value}
        return Tree(document, {"pipelines": [pipeline]}, {(): (), ("pipelines", 0, "nodes"): ()})
    if not isinstance(value, dict):
        raise NotAProject("expected a project, a pipeline's `nodes:` or a list of nodes")
    return (
        _with_nodes(document, value)
        if "nodes" in value and "pipelines" not in value
        else Tree(document, value)
    )


def _with_nodes(document: Document, value: dict[str, Any]) -> Tree:
    pipeline = {key: value[key] for key in value if key in PIPELINE_KEYS}
    rest = {key: value[key] for key in value if key not in PIPELINE_KEYS}
    pipeline.setdefault("pipeline", DEFAULT_PIPELINE)
    origin: dict[Path, Path] = {(): (), **{("pipelines", 0, key): (key,) for key in pipeline}}
    return Tree(document, {**rest, "pipelines": [pipeline]}, origin)


def connections_tree(document: Document) -> Tree:
    """A project of connections alone, written under `connections:` or bare. Raises NotAProject."""
    value = document.value
    if not isinstance(value, dict):
        raise NotAProject("expected connections by name, as `lake: {type: local, base_path: ./data}`")
    whole = set(value) <= {"connections", "key_vault_name", "secrets", "vars"}
    if whole:
        return Tree(document, value)
    return Tree(document, {"connections": value}, {(): (), ("connections",): ()})


def overlay(tree: Tree, environment: str) -> None:
    """Lays `environments.<environment>` over the project: mappings merge by key, lists are replaced, and a mapping
    whose `type` changes is replaced whole."""
    over = tree.value["environments"][environment]
    written = tree.written(("environments", environment))
    rest = {key: value for key, value in tree.value.items() if key != "environments"}
    tree.value = _merge(rest, over, (), written, tree.origin)


def _merge(
    base: dict[str, Any], over: dict[str, Any], path: Path, written: Path, origin: dict[Path, Path]
) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        here, there = (*path, key), (*written, key)
        if _merges(base.get(key), value):
            merged[key] = _merge(base[key], value, here, there, origin)
        else:
            merged[key] = value
            _forget(here, origin)
            origin[here] = there
    return merged


def _merges(base: Any, over: Any) -> bool:
    if not (isinstance(base, dict) and isinstance(over, dict)):
        return False
    return "type" not in over or over["type"] == base.get("type")


def _forget(path: Path, origin: dict[Path, Path]) -> None:
    for known in [known for known in origin if known[: len(path)] == path and known]:
        del origin[known]
