"""A notebook's project as a file that runs without the notebook."""

from __future__ import annotations

import ast
import builtins
import inspect
import os
import types
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from odibi_magics.config.dump import as_yaml
from odibi_magics.config.load import Config, load
from odibi_magics.config.marks import Path as Marks
from odibi_magics.config.models import FunctionStep
from odibi_magics.config.source import Source as Text
from odibi_magics.config.tree import Tree, project_tree
from odibi_magics.errors import ConfigErrors, UsageError
from odibi_magics.pipeline.definitions import DefinedNode, Definitions
from odibi_magics.pipeline.definitions import definitions as defined_by
from odibi_magics.pipeline.edges import data_edges
from odibi_magics.pipeline.plan import Edge, Plan, PlannedNode
from odibi_magics.pipeline.steps import check_node
from odibi_magics.project import Project
from odibi_magics.secret import redact
from odibi_magics.sql.functions import Function, registered

_ORDER = (
    "project",
    "engine",
    "sql_dialect",
    "key_vault_name",
    "vars",
    "functions",
    "story",
    "secrets",
    "retry",
)


def save(definitions: Definitions, path: Path, *, force: bool = False) -> tuple[Path, ...]:
    """Writes the project to `path`, and the notebook functions it uses to `<stem>_functions.py` beside it.

    Replaces files that it wrote itself and nobody has changed since; `force` replaces others too. Raises UsageError
    where it may not, a function cannot stand alone, or the whole does not check or would not do what the cells do.
    """
    if not definitions.nodes and not definitions.connections:
        raise UsageError("there is nothing to save: no connections and no nodes are defined yet")
    if path.suffix not in (".yaml", ".yml"):
        raise UsageError(f"a project is saved as .yaml: %odibi_save {path.name}.odibi.yaml")
    functions = _notebook_functions(definitions)
    beside = path.with_name(f"{path.name.split('.')[0]}_functions.py")
    text = to_yaml(definitions, [beside.name] if functions else [], path.resolve().parent)
    _check(text, path, definitions)
    files = {path: _signed(text), **({beside: _signed(_module(functions))} if functions else {})}
    for file in files:
        if not force:
            _refuse_another(file)
    for file, content in files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
    return tuple(files)


# The first line of a saved file: what follows it, as a fingerprint, tells whether somebody has changed it since.
_SIGNED = "# Saved by %odibi_save, sha256 {}: saving again replaces this file unless it was edited.\n"


def _signed(text: str) -> str:
    return _SIGNED.format(sha256(text.encode()).hexdigest()) + text


def _refuse_another(file: Path) -> None:
    if not file.exists():
        return
    there = file.read_text(encoding="utf-8", errors="replace")
    if there != _signed(there.partition("\n")[2]):
        raise UsageError(
            f"'{file}' is there already, and was not saved from a notebook or was edited since: "
            "choose another name, or replace it with --force"
        )


def to_yaml(definitions: Definitions, functions: Iterable[str] = (), folder: Path | None = None) -> str:
    """The project as YAML, as its authors wrote each part: variables and `${NAME}` are kept, not filled in, and
    environments stand beside it, also one that was laid over a cell.

    folder: where it will stand; relative paths lead from there to where they led before. Raises UsageError.
    """
    whole: dict[str, Any] = {}
    for config in definitions.configs:
        whole.update({key: value for key, value in _base(config).value.items() if key in _ORDER})
    whole["vars"] = _variables(definitions)
    whole["functions"] = list(dict.fromkeys([*_functions(definitions, folder), *functions]))
    whole["connections"] = dict(_connections(definitions, folder))
    whole["pipelines"] = _pipelines(definitions)
    whole["environments"] = _environments(definitions, folder)
    ordered = {
        key: whole[key] for key in (*_ORDER, "connections", "pipelines", "environments") if whole.get(key)
    }
    return as_yaml(ordered)


def _base(config: Config) -> Tree:
    """The text without an environment over it."""
    return config.tree if config.environment is None else project_tree(config.tree.document)


def _connections(definitions: Definitions, folder: Path | None) -> Iterator[tuple[str, Any]]:
    for name, found in definitions.connections.items():
        written = _base(found.config).at(("connections", name))
        if written is not None:  # else an environment adds it
            yield name, _moved(written, found.config.source.folder, folder, f"connection '{name}'")


def _moved(written: Any, start: Path, folder: Path | None, what: str) -> Any:
    """A connection whose relative base_path, from `start`, leads there from `folder`. Raises UsageError."""
    if not isinstance(written, dict) or written.get("type", "local") != "local":
        return written
    if "base_path" not in written and "type" not in written:  # of an environment, which sets other keys
        return written
    base = str(written.get("base_path", "."))
    if folder is None or folder == start or base.startswith(("/", "~")) or Path(base).is_absolute():
        return written
    if "{" in base:
        raise UsageError(
            f"{what}: base_path: {base} may be relative to {start}; save the file there, or begin it with a /"
        )
    return {**written, "base_path": os.path.relpath(start / base, folder)}


def _variables(definitions: Definitions) -> dict[str, Any]:
    """`vars`, and variables of the notebook and of --set that some text uses: the file has neither.

    Raises UsageError where one of them has several values.
    """
    own = {name: value for config in definitions.configs for name, value in _vars(config).items()}
    used: dict[str, Any] = {}
    for config in definitions.configs:
        for name, variable in config.values.used.items():
            if name in own or variable.origin not in ("notebook", "--set"):
                continue
            if used.setdefault(name, variable.value) != variable.value:
                raise UsageError(
                    f"variable '{name}' is {used[name]} in one cell and {variable.value} in another, and a file has "
                    "one value for it: run the cells again with the same one"
                )
    return {**used, **own}


def overridden(definitions: Definitions) -> dict[str, Any]:
    """The variables of `vars` that --set gave another value for, with that value: the file keeps the one of `vars`."""
    own = {name: value for config in definitions.configs for name, value in _vars(config).items()}
    return {
        name: variable.value
        for config in definitions.configs
        for name, variable in config.values.used.items()
        if name in own and variable.origin == "--set" and variable.value != own[name]
    }


def _vars(config: Config) -> dict[str, Any]:
    return dict(_base(config).value.get("vars") or {})


def _functions(definitions: Definitions, folder: Path | None) -> Iterator[str]:
    for config in definitions.configs:
        for name in config.model.functions:
            start = config.source.folder
            moves = name.endswith(".py") and folder not in (None, start) and not Path(name).is_absolute()
            yield os.path.relpath(start / name, folder) if moves else name


def _environments(definitions: Definitions, folder: Path | None) -> dict[str, Any]:
    """Those of all texts; of one that several texts have, each key's entries together."""
    merged: dict[str, dict[str, Any]] = {}
    for config in definitions.configs:
        document = config.tree.document.value
        found = document.get("environments", {}) if isinstance(document, dict) else {}
        for name, over in found.items():
            entry = merged.setdefault(name, {})
            for key, value in over.items():
                _refuse_pipelines(key, name, definitions)
                value = _moved_all(value, config, folder, name) if key == "connections" else value
                entry[key] = {**entry.get(key, {}), **value} if isinstance(value, dict) else value
    return merged


def _moved_all(connections: Any, config: Config, folder: Path | None, environment: str) -> Any:
    return {
        name: _moved(
            written, config.source.folder, folder, f"environment '{environment}', connection '{name}'"
        )
        for name, written in connections.items()
    }


def _refuse_pipelines(key: str, environment: str, definitions: Definitions) -> None:
    """A list is replaced whole: in one file it would take the place of what other cells define."""
    if key == "pipelines" and len({id(node.config) for node in definitions.nodes.values()}) > 1:
        raise UsageError(
            f"environment '{environment}' replaces the pipelines of its cell; in one file it would replace those of "
            "other cells too. Keep that cell's project in a file of its own"
        )


def _pipelines(definitions: Definitions) -> list[dict[str, Any]]:
    pipelines: dict[str, dict[str, Any]] = {}
    names = {name.lower(): name for name in definitions.nodes}
    for found in definitions.nodes.values():
        base = _base(found.config)
        path = _path(base, found)
        if path is None:  # an environment adds it
            continue
        described = {key: value for key, value in base.at(path[:2]).items() if key != "nodes"}
        entry = pipelines.setdefault(found.pipeline, {})
        nodes = entry.get("nodes", [])
        before = nodes[-1]["name"] if nodes else None
        node = _with_input(base.at(path), data_edges(check_node(found, names)), before)
        kept = {**entry, **described, "pipeline": found.pipeline}
        pipelines[found.pipeline] = {**kept, "nodes": [*nodes, node]}
    return list(pipelines.values())


def _path(base: Tree, found: DefinedNode) -> Marks | None:
    """Where a node stands in its text without the environment."""
    if found.config.environment is None:
        return found.path
    for i, pipeline in enumerate(base.value.get("pipelines", [])):
        for j, node in enumerate(pipeline["nodes"]):
            if node["name"] == found.name:
                return ("pipelines", i, "nodes", j)
    return None


def _with_input(written: dict[str, Any], edges: Sequence[Edge], before: str | None) -> dict[str, Any]:
    """A node that takes the one before it, where another one stands before it in the file, says which it takes."""
    taken = [edge.source for edge in edges if edge.why == "the node before it" and edge.source != before]
    return {"name": written["name"], "depends_on": taken, **written} if taken else written


def _check(text: str, path: Path, notebook: Definitions) -> None:
    """The saved text must check alone and do what the cells do; functions saved with it are registered already.

    Raises UsageError.
    """
    _refuse_secrets(text, notebook)
    source = Text(text, str(path), path.resolve().parent)
    laid_over = {config.environment for config in notebook.configs if config.environment}
    try:
        for environment in sorted(laid_over):
            load(source, environment=environment)
        again = defined_by(load(source, variables=overridden(notebook)))
        saved = Project(again, list(again.nodes), source).plan()
    except ConfigErrors as error:
        raise UsageError(f"the notebook's project does not check as one file:\n{error}") from None
    if not laid_over:
        _compare(Project(notebook, list(notebook.nodes), source).plan(), saved, notebook)


def _refuse_secrets(text: str, notebook: Definitions) -> None:
    literal = [path for config in notebook.configs for path in config.literal_secrets]
    if literal or redact(text) != text:
        where = ".".join(map(str, literal[0])) if literal else "a variable or a text"
        raise UsageError(
            f"the file would hold a secret ({where}): write ${{NAME}}, and set NAME in the environment or in .env"
        )


def _compare(cells: Plan, saved: Plan, notebook: Definitions) -> None:
    """Raises UsageError where a node of the file would take or touch something else than that of the cells."""
    for node in saved.nodes:
        here = cells[node.name]
        if _does(node) != _does(here):
            differ = list(_other_values(notebook.nodes[node.name], saved))
            why = f". Variables: {', '.join(differ)}" if differ else ""
            named = ". Name its inputs with depends_on" if sorted(node.inputs) != sorted(here.inputs) else ""
            raise UsageError(
                f"node '{node.name}' would not do in the file what it does in the notebook: there {_does(node)}; "
                f"here {_does(here)}{why}{named}"
            )


def _other_values(node: DefinedNode, saved: Plan) -> Iterator[str]:
    """The variables of a node's text that have another value in the file."""
    there = {used.name: used.value for used in saved.variables}
    for name, used in node.config.values.used.items():
        if name in there and there[name] != used.value:
            yield f"{name} is {used.value} here ({used.origin}), {there[name]} there"


def _does(node: PlannedNode) -> str:
    """Its pipeline, inputs and places."""
    parts = [f"in pipeline {node.pipeline}", *(f"takes {name}" for name in sorted(node.inputs))]
    parts += [f"reads {node.source.place.url}"] if node.source else []
    parts += [f"writes {node.sink.place.url}"] if node.sink else []
    return ", ".join(parts)


def _notebook_functions(definitions: Definitions) -> list[Function]:
    """Functions that nodes use and that live in notebook cells."""
    used = {
        step.function
        for found in definitions.nodes.values()
        if found.node.transform
        for step in found.node.transform.steps
        if isinstance(step, FunctionStep)
    }
    known = registered()
    return [
        known[name] for name in sorted(used) if name in known and known[name].call.__module__ == "__main__"
    ]


def _module(functions: Iterable[Function]) -> str:
    imports: set[str] = {"from odibi_magics import transform"}
    bodies = []
    for function in functions:
        source = inspect.cleandoc("\n" + inspect.getsource(function.call))
        imports |= _imports(function, source)
        bodies.append(source.strip())
    return "\n".join(sorted(imports)) + "\n\n\n" + "\n\n\n".join(bodies) + "\n"


def _imports(function: Function, source: str) -> set[str]:
    """The imports a function's globals need. Raises UsageError for a global that no import can bring back."""
    found = set()
    namespace: Mapping[str, Any] = function.call.__globals__
    for name in sorted(_free_names(source)):
        if name in ("transform", function.call.__name__) or hasattr(builtins, name) or name not in namespace:
            continue
        found.add(_import(name, namespace[name], function))
    return found


def _import(name: str, value: Any, function: Function) -> str:
    if isinstance(value, types.ModuleType):
        return f"import {value.__name__}" + (f" as {name}" if value.__name__ != name else "")
    module = getattr(value, "__module__", None)
    if module and module != "__main__" and hasattr(value, "__qualname__"):
        return f"from {module} import {value.__qualname__}" + (
            f" as {name}" if value.__qualname__ != name else ""
        )
    raise UsageError(
        f"function '{function.name}' uses '{name}', which only this notebook has: "
        "make it a parameter, or move the function into a file and name that under functions:"
    )


def _free_names(source: str) -> set[str]:
    tree = ast.parse(source)
    stored = {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    taken = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    loaded = {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    return loaded - stored - taken
