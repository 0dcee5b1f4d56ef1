"""A notebook's project as a file that runs without the notebook."""

from __future__ import annotations

import ast
import builtins
import inspect
import os
import types
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from odibi_magics.config.check import nodes_of
from odibi_magics.config.models import FunctionStep
from odibi_magics.config.source import Source as Text
from odibi_magics.errors import ConfigErrors, UsageError
from odibi_magics.pipeline.definitions import DefinedConnection, Definitions
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


def save(definitions: Definitions, path: Path) -> tuple[Path, ...]:
    """Writes the project to `path`, and the notebook functions it uses to `<stem>_functions.py` beside it.

    Saving the same again is harmless. Raises UsageError where another text is there already, a function cannot stand
    alone, or the result does not check.
    """
    if not definitions.nodes and not definitions.connections:
        raise UsageError("there is nothing to save: no connections and no nodes are defined yet")
    functions = _notebook_functions(definitions)
    beside = path.with_name(f"{path.name.split('.')[0]}_functions.py")
    text = to_yaml(definitions, [beside.name] if functions else [], path.resolve().parent)
    files = {path: text, **({beside: _module(functions)} if functions else {})}
    for file, content in files.items():
        _refuse_another(file, content)
    _check(text, path)
    for file, content in files.items():
        file.write_text(content, encoding="utf-8")
    return tuple(files)


def _refuse_another(file: Path, content: str) -> None:
    if file.exists() and file.read_text(encoding="utf-8", errors="replace") != content:
        raise UsageError(
            f"'{file}' is there already, with another text: choose another name, or remove it first"
        )


def to_yaml(definitions: Definitions, functions: Iterable[str] = (), folder: Path | None = None) -> str:
    """The project as YAML, as its authors wrote each part: variables and `${NAME}` are kept, not filled in.

    folder: where it will stand; relative base_paths lead from there to where they led before.
    """
    whole: dict[str, Any] = {}
    for config in definitions.configs:
        whole.update({key: config.tree.value[key] for key in _ORDER if key in config.tree.value})
    whole["vars"] = _variables(definitions)
    whole["functions"] = list(dict.fromkeys([*_functions(definitions), *functions]))
    whole["connections"] = {
        name: _moved(found, folder or found.config.source.folder)
        for name, found in definitions.connections.items()
    }
    whole["environments"] = {
        name: over
        for config in definitions.configs
        if isinstance(config.tree.document.value, dict)
        for name, over in config.tree.document.value.get("environments", {}).items()
    }
    whole["pipelines"] = _pipelines(definitions)
    ordered = {
        key: whole[key] for key in (*_ORDER, "connections", "pipelines", "environments") if whole.get(key)
    }
    return yaml.dump(ordered, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)


def _moved(found: DefinedConnection, folder: Path) -> dict[str, Any]:
    written: dict[str, Any] = found.config.tree.value["connections"][found.name]
    base = written.get("base_path", ".")
    movable = found.model.type == "local" and "{" not in base and not os.path.isabs(Path(base).expanduser())
    if not movable or folder == found.config.source.folder:
        return written
    return {**written, "base_path": os.path.relpath(found.config.source.folder / base, folder)}


def _variables(definitions: Definitions) -> dict[str, Any]:
    """`vars`, and the notebook's variables that some text uses: the file has no notebook."""
    used = {
        name: variable.value
        for config in definitions.configs
        for name, variable in config.values.used.items()
        if variable.origin == "notebook"
    }
    return {**used, **definitions.variables}


def _functions(definitions: Definitions) -> Iterable[str]:
    return (name for config in definitions.configs for name in config.model.functions)


def _pipelines(definitions: Definitions) -> list[dict[str, Any]]:
    pipelines: dict[str, dict[str, Any]] = {}
    for config in definitions.configs:
        for path, name, node in nodes_of(config):
            kept = definitions.nodes.get(node.name)
            if kept is None or kept.config is not config:
                continue
            written = config.tree.at(path[:2])
            described = {key: value for key, value in written.items() if key != "nodes"}
            entry = pipelines.setdefault(name, {**described, "nodes": []})
            entry["nodes"].append(config.tree.at(path))
    return list(pipelines.values())


class _Dumper(yaml.SafeDumper):
    """SQL of several lines as a block, everything else as PyYAML writes it."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def _check(text: str, path: Path) -> None:
    """The saved text must check alone; functions that are saved with it are registered in this process already."""
    from odibi_magics.config.load import load

    try:
        load(Text(text, str(path), path.resolve().parent))
    except ConfigErrors as error:
        raise UsageError(f"the notebook's project does not check as one file:\n{error}") from None


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
