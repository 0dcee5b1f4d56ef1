"""What one key alone cannot tell: references, names, and keys that need or exclude each other."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from odibi_magics.config.azure import check_account
from odibi_magics.config.formats import FILE_MODES, FLAGS, READ_OPTIONS, WRITE_OPTIONS, infer_format
from odibi_magics.config.hints import boolean_hint
from odibi_magics.config.load import Config, Known
from odibi_magics.config.marks import Path
from odibi_magics.config.models import (
    AcceptedValues,
    AdlsConnection,
    FunctionStep,
    LocalConnection,
    Node,
    Range,
    Read,
    RowCount,
    UnityConnection,
    Validation,
    Write,
)
from odibi_magics.config.times import NotAnInstant, instant
from odibi_magics.config.tree import item_at
from odibi_magics.errors import Problem, suggest


def check(config: Config, known: Known) -> list[Problem]:
    """Every problem of a project whose keys and types are right."""
    return [
        *_connections(config, known),
        *_names(config),
        *_references(config, known),
        *_nodes(config),
    ]


def nodes_of(config: Config) -> Iterator[tuple[Path, str, Node]]:
    """Each node with its path in the project and its pipeline's name, in order."""
    for i, pipeline in enumerate(config.model.pipelines):
        for j, node in enumerate(pipeline.nodes):
            yield ("pipelines", i, "nodes", j), pipeline.pipeline, node


def _connections(config: Config, known: Known) -> Iterator[Problem]:
    for name, connection in config.model.connections.items():
        if isinstance(connection, AdlsConnection) and config.sure(("connections", name)):
            yield from check_account(config, ("connections", name), connection, known)
    if os.environ.get("ODIBI_ENV", "").lower() == "production":
        for path in config.literal_secrets:
            yield config.key_problem(
                path, f"a literal {path[-1]} is refused with ODIBI_ENV=production", "write ${NAME}"
            )


def _names(config: Config) -> Iterator[Problem]:
    lines: dict[str, int | None] = {}
    for path, _, node in nodes_of(config):
        if not config.sure((*path, "name")):
            continue
        place = config.tree.value_place((*path, "name"))
        lowered = node.name.lower()
        if lowered == "df":
            yield config.problem(
                (*path, "name"), "a node cannot be called 'df': in SQL that is the step before"
            )
        elif lowered in lines:
            yield config.problem(
                (*path, "name"), f"a second node '{node.name}', first on line {lines[lowered]}"
            )
        lines.setdefault(lowered, place.line if place else None)
    pipelines = [pipeline.pipeline for pipeline in config.model.pipelines]
    for i, name in enumerate(pipelines):
        if name in pipelines[:i] and config.sure(("pipelines", i, "pipeline")):
            yield config.problem(("pipelines", i, "pipeline"), f"a second pipeline '{name}'")


def _references(config: Config, known: Known) -> Iterator[Problem]:
    nodes = {node.name: None for path, _, node in nodes_of(config) if config.sure((*path, "name"))}
    nodes.update(dict.fromkeys(known.nodes))
    for path, _, node in nodes_of(config):
        for key, part in (("read", node.read), ("write", node.write)):
            if part is not None:
                yield from _connection(config, (*path, key, "connection"), part.connection, known)
        yield from _inputs(config, (*path, "depends_on"), node, nodes)
    if config.model.story is not None:
        yield from _connection(config, ("story", "connection"), config.model.story.connection, known)


def _connection(config: Config, path: Path, name: str, known: Known) -> Iterator[Problem]:
    there = [*config.model.connections, *known.connections]
    if name not in there and config.sure(path):
        yield _unknown(config, path, "connection", name, there)


def _inputs(config: Config, path: Path, node: Node, names: Mapping[str, None]) -> Iterator[Problem]:
    for i, name in enumerate(node.depends_on):
        if not config.sure((*path, i)):
            continue
        if name.lower() in map(str.lower, node.depends_on[:i]):
            yield config.problem((*path, i), f"'{name}' stands here twice")
        elif name == node.name:
            yield config.problem((*path, i), f"node '{name}' depends on itself")
        elif name not in names:
            yield _unknown(config, (*path, i), "node", name, [one for one in names if one != node.name])


def _unknown(config: Config, path: Path, kind: str, name: str, names: Iterable[str]) -> Problem:
    hint = (
        suggest(name, list(names)) or f"no {kind}s are defined; a notebook knows those of cells that have run"
    )
    return config.problem(path, f"unknown {kind} '{name}'", hint)


def _nodes(config: Config) -> Iterator[Problem]:
    for path, _, node in nodes_of(config):
        if config.sure(path):
            yield from _purpose(config, path, node)
        if node.read:
            yield from _part(config, (*path, "read"), node.read)
            yield from _read(config, (*path, "read"), node.read)
        if node.write:
            yield from _part(config, (*path, "write"), node.write)
            yield from _write(config, (*path, "write"), node.write)
        if node.validation:
            yield from _validation(config, (*path, "validation"), node.validation)
        for i, step in enumerate(node.transform.steps if node.transform else ()):
            if isinstance(step, FunctionStep):
                yield from _once(config, (*path, "transform", "steps", i, "returns"), step.returns)


def _purpose(config: Config, path: Path, node: Node) -> Iterator[Problem]:
    written = item_at(config.tree.document.value, config.tree.written(path))
    if isinstance(written, dict) and written.keys() - Node.model_fields.keys():
        return  # what it does may stand under a key that nobody knows, as was told
    if not (node.read or node.transform or node.validation or node.write):
        said, hint = f"node '{node.name}' does nothing", "give it a read, transform or write"
        yield config.problem((*path, "name"), said, hint)
    elif path[-1] == 0 and not (node.read or node.depends_on or node.transform):
        said = f"node '{node.name}' has no read, and no node stands before it"
        yield config.problem((*path, "name"), said)


def _once(config: Config, path: Path, names: Iterable[str] | None) -> Iterator[Problem]:
    """Columns that a list, or the keys of a mapping, name a second time; case does not matter."""
    seen: set[str] = set()
    for i, name in enumerate(names or ()):
        mapping = isinstance(config.tree.at(path), dict)
        here = (*path, name if mapping else i)
        if name.lower() in seen and config.sure(here):
            told = config.key_problem if mapping else config.problem
            yield told(here, f"column '{name}' stands here twice")
        seen.add(name.lower())


def _part(config: Config, path: Path, part: Read | Write) -> Iterator[Problem]:
    """What read and write have in common, each as far as its own keys are right."""
    if config.sure(*((*path, key) for key in ("connection", "path", "table"))):
        yield from _place(config, path, part)
    if config.sure(*((*path, key) for key in ("options", "format", "path"))):
        format_ = part.format or infer_format(part.path or "")
        allowed = READ_OPTIONS if isinstance(part, Read) else WRITE_OPTIONS
        yield from _options(config, path, part.options, allowed[format_], format_)
    for key in ("columns", "schema_", "keys", "partition_by"):
        yield from _once(config, (*path, key.rstrip("_")), getattr(part, key, None))


def _place(config: Config, path: Path, part: Read | Write) -> Iterator[Problem]:
    connection = config.model.connections.get(part.connection)
    if isinstance(connection, UnityConnection):
        if part.table is None or part.path is not None:
            yield config.key_problem((*path, "path"), "a unity_catalog connection takes table:, not path:")
    elif part.table is not None:
        yield config.key_problem(
            (*path, "table"), "table: goes only with a unity_catalog connection; use path:"
        )
    elif part.path is None:
        yield config.key_problem(path, "missing key 'path'")
    if isinstance(connection, LocalConnection) and part.path is not None and leaves(part.path):
        said = f"the path leaves the folder of connection '{part.connection}': {part.path}"
        yield config.problem((*path, "path"), said, "use a path inside it, or another connection")
    if isinstance(connection, AdlsConnection) and part.path is not None and leaves(part.path):
        yield config.problem((*path, "path"), f"'..' is not allowed in a path: {part.path}")


def leaves(path: str) -> bool:
    """Whether a path goes above its connection's root, or is absolute."""
    depth = 0
    for part in path.replace("\\", "/").split("/"):
        depth += -1 if part == ".." else 0 if part in ("", ".") else 1
        if depth < 0:
            return True
    return os.path.isabs(path)


def _read(config: Config, path: Path, read: Read) -> Iterator[Problem]:
    if read.timestamp is not None and config.sure((*path, "timestamp")):
        yield from _zoned(config, (*path, "timestamp"), read.timestamp)
    if not config.sure(path):
        return
    format_ = read.format or infer_format(read.path or "")
    if format_ != "delta":
        for key in ("version", "timestamp"):
            if getattr(read, key) is not None:
                yield config.key_problem((*path, key), f"{key} reads Delta tables, and this is {format_}")
    if read.version is not None and read.timestamp is not None:
        yield config.key_problem((*path, "timestamp"), "version and timestamp exclude each other")
    if read.lag is not None and read.newer_than is None:
        yield config.key_problem((*path, "lag"), "lag goes only with newer_than")
    if read.schema_ is not None and format_ in ("delta", "parquet"):
        yield config.key_problem((*path, "schema"), f"{format_} carries its own schema; cast in SQL instead")
    if not read.infer and format_ != "csv":
        yield config.key_problem((*path, "infer"), f"infer is for csv, and this is {format_}")


def _zoned(config: Config, path: Path, text: str) -> Iterator[Problem]:
    try:
        instant(text)
    except NotAnInstant as error:
        yield config.problem(path, error.words, error.remedy)


def _options(
    config: Config, path: Path, options: Mapping[str, object], allowed: frozenset[str], format_: str
) -> Iterator[Problem]:
    for key, value in options.items():
        if key not in allowed:
            hint = suggest(key, sorted(allowed)) or f"{format_} has no options"
            yield config.key_problem((*path, "options", key), f"unknown option '{key}' of {format_}", hint)
        elif key in FLAGS and not isinstance(value, bool):
            yield config.problem((*path, "options", key), "expected true or false", boolean_hint(value))
        elif key not in FLAGS and not isinstance(value, str):
            yield config.problem((*path, "options", key), "expected text", "put it in quotes")


def _write(config: Config, path: Path, write: Write) -> Iterator[Problem]:
    if write.path is not None and any(char in write.path for char in "*?["):
        yield config.problem((*path, "path"), "a sink's path cannot be a pattern")
    if not config.sure(path):
        return
    format_ = write.format or infer_format(write.path or "")
    if format_ == "delta":
        yield from _delta_write(config, path, write)
    else:
        yield from _file_write(config, path, write, format_)


def _delta_write(config: Config, path: Path, write: Write) -> Iterator[Problem]:
    keyed = write.mode in ("merge", "upsert", "append_once")
    if keyed and write.keys is None:
        yield config.problem((*path, "mode"), f"mode {write.mode} needs keys", "add keys: [id]")
    if not keyed and write.keys is not None:
        yield config.key_problem(
            (*path, "keys"), f"mode {write.mode} takes no keys", "merge and append_once do"
        )
    if write.replace_where is not None and write.mode != "overwrite":
        yield config.key_problem((*path, "replace_where"), "replace_where goes only with mode: overwrite")
    if write.overwrite_schema and write.mode != "overwrite":
        yield config.key_problem(
            (*path, "overwrite_schema"), "overwrite_schema goes only with mode: overwrite"
        )
    if write.overwrite_schema and (write.merge_schema or write.replace_where):
        other = "merge_schema" if write.merge_schema else "replace_where"
        yield config.key_problem(
            (*path, "overwrite_schema"), f"overwrite_schema and {other} exclude each other"
        )


def _file_write(config: Config, path: Path, write: Write, format_: str) -> Iterator[Problem]:
    if write.mode not in FILE_MODES:
        hint = f"{format_} takes {', '.join(sorted(FILE_MODES))}; format: delta takes them all"
        yield config.problem(
            (*path, "mode"), f"{format_} files cannot be written with mode {write.mode}", hint
        )
    for key in ("keys", "partition_by", "replace_where", "merge_schema", "overwrite_schema"):
        belongs = key == "keys" and write.mode not in FILE_MODES  # to the mode, which was told
        if getattr(write, key) and not belongs:
            yield config.key_problem(
                (*path, key), f"{key} goes only with format: delta, and this is {format_}"
            )


def _validation(config: Config, path: Path, validation: Validation) -> Iterator[Problem]:
    for name, field in Validation.model_fields.items():
        kind, checks = field.alias or name, getattr(validation, name)
        listed = isinstance(config.tree.at((*path, kind)), list)
        for i, one in enumerate(checks):
            here = (*path, kind, i) if listed else (*path, kind)
            if config.sure(here):
                yield from _one_check(config, here, kind, one)


def _one_check(config: Config, path: Path, kind: str, check: Any) -> Iterator[Problem]:
    if kind in ("no_nulls", "unique", "schema"):
        yield from _once(config, (*path, "columns"), check.columns)
    if kind in ("range", "row_count"):
        yield from _bounds(config, path, kind, check)
    if kind == "accepted_values":
        yield from _values(config, path, check)


def _bounds(config: Config, path: Path, kind: str, check: Range | RowCount) -> Iterator[Problem]:
    if check.min is None and check.max is None:
        yield config.key_problem(path, f"{kind} needs min, max or both")
    endless = [key for key in ("min", "max") if _endless(getattr(check, key))]
    for key in endless:
        yield config.problem((*path, key), f"{key} is no number to compare with", f"leave {key} out")
    if endless or check.min is None or check.max is None:
        return
    numbers = [isinstance(side, int | float) for side in (check.min, check.max)]
    if numbers[0] != numbers[1]:
        yield config.problem(
            (*path, "max"), "min and max are not of one kind: one is text, the other a number"
        )
    elif check.min > check.max:  # type: ignore[operator]
        yield config.key_problem(path, f"min {check.min} is above max {check.max}")


def _values(config: Config, path: Path, check: AcceptedValues) -> Iterator[Problem]:
    for i, value in enumerate(check.values):
        here = (*path, "values", i)
        if value is None:
            said = "with null among the values every row would pass; NULL passes without it"
            yield config.problem(here, said, "leave it out; no_nulls: refuses NULL")
        elif _endless(value):
            yield config.problem(here, "no number to compare with")


def _endless(value: Any) -> bool:
    return isinstance(value, float) and not math.isfinite(value)
