"""A half-typed text as one project, whichever of the language's shapes it has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from odibi_magics.completion.reader import read
from odibi_magics.completion.spot import Spot
from odibi_magics.config.marks import Document, Path
from odibi_magics.config.source import Source
from odibi_magics.config.tree import NotAProject, connections_tree, item_at, project_tree

Kind = Literal["pipeline", "connections"]


@dataclass(frozen=True)
class Typed:
    """A text that is being typed.

    written: its value in its own shape. project: the same as one project, as far as it can be told. path: the spot's in
    the project; below an environment that of what it overlays. environment: the one the spot is in.
    """

    kind: Kind
    written: Any
    project: dict[str, Any]
    spot: Spot | None
    path: Path
    environment: str | None = None

    def at(self, path: Path) -> Any:
        """What stands at a path of the project: in the spot's environment, else in the project itself."""
        if self.environment is not None:
            over = item_at(self.project, ("environments", self.environment, *path))
            base = item_at(self.project, path)
            if isinstance(over, dict) and isinstance(base, dict):
                return {**base, **over}
            return base if over is None else over
        return item_at(self.project, path)

    @property
    def there(self) -> Any:
        """The mapping of the text that a key is typed in, or the list that a value is typed in."""
        assert self.spot is not None
        inner = item_at(self.written, self.spot.path)
        is_key = self.spot.role == "key" or isinstance(inner, dict)
        return inner if is_key else item_at(self.written, self.spot.path[:-1])


def typed(text: str, at: int, kind: Kind = "pipeline") -> Typed:
    """What is typed in a cell of this kind, and what stands at offset `at`."""
    found = read(text, at)
    tree_of = project_tree if kind == "pipeline" else connections_tree
    document = Document(Source(""), found.value)
    try:
        tree = tree_of(document)
    except NotAProject:
        document.value = {}
        tree = tree_of(document)
    project = tree.value
    path = _in_project(found.spot.path, tree.origin) if found.spot else ()
    environment = None
    if len(path) > 1 and path[0] == "environments":
        environment, path = str(path[1]), path[2:]
    return Typed(kind, found.value, project, found.spot, path, environment)


def _in_project(path: Path, origin: dict[Path, Path]) -> Path:
    """A path of the text as one of the project: the inverse of `Tree.written`."""
    fitting = [(start, there) for there, start in origin.items() if path[: len(start)] == start]
    start, there = max(fitting, key=lambda pair: (len(pair[0]), len(pair[1])))
    return there + path[len(start) :]
