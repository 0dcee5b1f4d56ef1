"""The JSON Schema refuses what the models refuse, and nothing that the language takes."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jsonschema import Draft7Validator
from pydantic import ValidationError

from odibi_magics.config.load import Known, load
from odibi_magics.config.marks import parse
from odibi_magics.config.models import ProjectConfig
from odibi_magics.config.schema import language_schema
from odibi_magics.config.source import Source
from odibi_magics.errors import ConfigErrors
from tests.roadmap import CONNECTIONS, PIPELINES

ROOT = Path(__file__).parents[2]
SCHEMA = Draft7Validator(language_schema())


def refused(value: Any) -> list[str]:
    """What the schema says against a text's values."""
    return [f"{error.json_path}: {error.message[:200]}" for error in SCHEMA.iter_errors(value)]


def values(text: str) -> Any:
    document = parse(Source(text))
    assert not document.problems
    return document.value


def test_it_is_a_schema_of_draft_7() -> None:
    Draft7Validator.check_schema(SCHEMA.schema)
    assert SCHEMA.schema["$schema"] == "http://json-schema.org/draft-07/schema#"
    loose = [
        ref
        for ref in re.findall(r'"#/definitions/(\w+)"', json.dumps(SCHEMA.schema))
        if ref not in SCHEMA.schema["definitions"]
    ]
    assert loose == []


def test_every_key_has_its_words() -> None:
    for name, part in SCHEMA.schema["definitions"].items():
        told = [
            key
            for key, value in part["properties"].items()
            if value is False or re.search("description|[$]ref", str(value))
        ]
        assert set(told) == set(part["properties"]), name


# Accepted texts -------------------------------------------------------------------------------------------------------


def blocks() -> Iterator[tuple[str, str]]:
    """Every YAML that people are shown, and where."""
    yield "roadmap", CONNECTIONS + PIPELINES
    for file in sorted(ROOT.glob("examples/*/*.odibi.yaml")):
        yield file.name, file.read_text(encoding="utf-8")
    for file in sorted([*ROOT.glob("docs/**/*.md"), ROOT / "README.md"]):
        text = file.read_text(encoding="utf-8")
        for number, found in enumerate(re.findall(r"```\w*\n(.*?)```", text, re.S)):
            yield f"{file.name}-{number}", re.sub(r"\A%%odibi_pipeline.*\n", "", found)
    for file in sorted(ROOT.glob("notebooks/*.ipynb")):
        for number, cell in enumerate(nbformat.read(file, as_version=4).cells):
            if cell.source.startswith(("%%odibi_pipeline", "%%odibi_connections")):
                yield f"{file.name}-{number}", cell.source.partition("\n")[2]


WRAPPED = (
    "{}",
    "nodes:\n- name: one\n{}",
    "nodes:\n- name: one\n  depends_on: [two]\n{}",
    "connections:\n{}",
)


def accepted(text: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The text, or the project around it, that the language takes; "" where it is something else."""
    names = frozenset(re.findall(r"connection: (\w+)", text))
    nodes = frozenset([*re.findall(r"depends_on: \[(\w+)", text), "two"])
    for name in re.findall(r"\$\{(\w+)\}", text):
        monkeypatch.setenv(name, "x")
    notebook = dict.fromkeys(re.findall(r"\{\{ *(\w+) *\}\}", text), "x")
    for wrap in WRAPPED:
        whole = wrap.format("".join(f"  {line}" for line in text.splitlines(True)) if wrap != "{}" else text)
        try:
            load(Source(whole), notebook=notebook, known=Known(names, nodes, frozenset({"kv"})))
        except ConfigErrors:
            continue
        return whole
    return ""


def test_what_people_are_shown_and_the_language_takes_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = [(place, accepted(text, monkeypatch)) for place, text in blocks()]
    wrong = {place: refused(values(text)) for place, text in taken if text}
    assert {place: said for place, said in wrong.items() if said} == {}
    assert len(wrong) > 30
    assert {re.sub(r"-\d+$", "", place) for place in wrong} >= {
        "guide.md", "azure.md", "README.md", "01_quickstart.ipynb", "02_azure.ipynb", "medallion.odibi.yaml",
    }  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "- {name: a, read: {connection: lake, path: x}}",
        "pipeline: etl\nowner: me\nnodes: [{name: a, read: {connection: lake, path: x}}]",
        "nodes: [{name: a, read: {connection: lake, path: x}}]\nvars: {n: 1, l: [a, null]}",
        "- {name: 'a_{{ n }}', read: {connection: lake, path: x, version: {{ n }}, columns: '{{ l }}', format: '${F}', infer: '{{ n }}'}}",
        "- {name: a, read: {connection: lake, path: x.csv, options: {header: '{{ n }}'}, schema: {id: ' Decimal(10,2)', b: 'STRUCT<a:int>'}}}",
        "- {name: a, read: {connection: lake, path: x, newer_than: d, lag: 2 h}, validation: {no_nulls: true, range: {column: c, max: '{{ n }}'}}}",
        "- {name: a, read: {connection: lake, path: null, table: t}, write: null}",
        "connections: {a: {type: azure_adls, account: a, secret_name: s}}",
        "connections: {a: {type: azure_adls, account: a, auth_mode: managed_identity}}",
        "environments: {prod: {engine: spark, story: {path: x}, connections: {lake: {base_path: y}, b: {type: azure_adls, account: c}}}}",
    ],
)  # fmt: skip
def test_every_shape_and_templates_fit(text: str) -> None:
    assert refused(values(text)) == []


# Refused texts --------------------------------------------------------------------------------------------------------

# Every key of the language once.
WHOLE: dict[str, Any] = {
    "project": "p", "engine": "auto", "sql_dialect": "spark", "key_vault_name": "vault", "vars": {"n": 1, "l": ["a"]},
    "functions": ["f.py"], "story": {"connection": "lake", "path": "s"}, "secrets": {"timeout": 20},
    "retry": {"max_attempts": 2, "backoff": "constant"},
    "connections": {
        "lake": {"type": "local", "base_path": "."},
        "a": {"type": "azure_adls", "account": "acc", "container": "raw", "path_prefix": "p", "auth_mode": "key_vault",
              "key_vault_name": "vault", "secret_name": "s", "hierarchical_namespace": True, "storage_options": {"a": "b"}},
        "b": {"type": "azure_adls", "account": "acc", "auth_mode": "service_principal", "tenant_id": "t", "client_id": "c",
              "client_secret": "${S}"},
        "c": {"type": "azure_adls", "account": "acc", "auth_mode": "direct_key", "account_key": "${S}"},
        "d": {"type": "azure_adls", "account": "acc", "auth_mode": "sas_token", "sas_token": "${S}"},
        "e": {"type": "azure_adls", "account": "acc", "auth_mode": "connection_string", "connection_string": "${S}"},
        "f": {"type": "azure_adls", "account": "acc", "auth_mode": "databricks_secret", "secret_scope": "s",
              "secret_key": "k"},
        "u": {"type": "unity_catalog", "catalog": "c", "schema": "s"},
    },
    "pipelines": [{
        "pipeline": "etl", "description": "d", "tags": ["t"], "layer": "gold", "owner": "o",
        "nodes": [
            {"name": "raw", "read": {
                "connection": "lake", "path": "x.csv", "format": "csv", "options": {"header": True, "delimiter": ";"},
                "columns": ["id"], "filter": "id > 1", "schema": {"id": "bigint"}, "infer": True}},
            {"name": "old", "read": {"connection": "lake", "path": "t", "version": 1}},
            {"name": "then", "read": {"connection": "lake", "path": "t", "timestamp": "2026-01-01T00:00Z"}},
            {"name": "new", "read": {"connection": "lake", "path": "t", "newer_than": "d", "lag": "2h"},
             "write": {"connection": "lake", "path": "n", "mode": "append"}},
            {"name": "cat", "read": {"connection": "u", "table": "t"}},
            {"name": "made", "description": "d", "tags": ["t"], "layer": "l", "owner": "o", "depends_on": ["raw"],
             "transform": {"steps": [{"sql": "SELECT id FROM raw"},
                                     {"function": "f", "params": {"a": 1}, "returns": {"id": "bigint"}}]},
             "validation": {
                 "not_empty": True, "no_nulls": {"columns": ["id"], "on_fail": "warn"}, "unique": [{"columns": ["id"]}],
                 "accepted_values": {"column": "id", "values": [1, 2]}, "range": [{"column": "id", "min": 1, "max": 2}],
                 "row_count": {"min": 1, "max": 9}, "schema": {"columns": {"id": "bigint"}, "exact": True},
                 "expression": {"sql": "id > 0"}},
             "write": {"connection": "lake", "path": "x", "format": "delta", "mode": "merge", "keys": ["id"],
                       "partition_by": ["id"], "merge_schema": True}},
            {"name": "part", "depends_on": ["raw"], "write": {
                "connection": "lake", "path": "y", "replace_where": "id = 1", "overwrite_schema": False, "options": {}}},
        ],
    }],
    "environments": {"prod": {"vars": {"n": 2}}},
}  # fmt: skip

WRONG: tuple[Any, ...] = ({}, [], [{}], 7, -1, 1.5, True, "zzz zzz", None)

Where = tuple[str | int, ...]


def paths(value: Any, here: Where = ()) -> Iterator[Where]:
    yield here
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from paths(one, (*here, key))


def changed(where: Where, change: Any) -> Any:
    """The whole text with another value there; a function changes the one that is there."""
    whole = copy.deepcopy(WHOLE)
    holder: Any = whole
    for part in where[:-1]:
        holder = holder[part]
    if callable(change):
        change(holder[where[-1]] if where else whole)
    else:
        holder[where[-1]] = change
    return whole


def part_of(whole: Any, where: Where) -> Any:
    """The top key that a place is under, with the connection or node that it is in alone: the whole takes long."""
    if not where or where[0] not in whole:
        return whole
    inner = whole[where[0]]
    if where[0] == "connections" and len(where) > 1 and where[1] in inner:
        inner = {where[1]: inner[where[1]]}
    elif where[:3] == ("pipelines", 0, "nodes") and len(where) > 3:
        inner = [{**inner[0], "nodes": [inner[0]["nodes"][where[3]]]}]
    return {where[0]: inner}


def mutations() -> Iterator[tuple[str, Where, Any]]:
    for where in paths(WHOLE):
        at: Any = WHOLE
        for part in where:
            at = at[part]
        if isinstance(at, dict):
            yield f"{where}: a key too many", where, changed(where, lambda there: there.update(oddd=1))
            for key in at:
                yield f"{where}: no {key}", where, changed(where, lambda there, key=key: there.pop(key))
        for wrong in WRONG if where else ():
            yield f"{where} = {wrong!r}", where, changed(where, copy.deepcopy(wrong))


def models_refuse(value: Any) -> bool:
    try:
        ProjectConfig.model_validate(value)
    except ValidationError:
        return True
    return False


def language_refuses(value: Any) -> bool:
    """With the environment or without: what one holds is looked at when it is chosen."""
    try:
        for environment in (None, "prod"):
            load(Source(json.dumps(value)), environment=environment, known=Known(nodes=frozenset({"raw"})))
    except ConfigErrors:
        return True
    return False


# Read as a number all the same, so that `${NAME}` may stand there.
LENIENT = "('secrets', 'timeout') = "


def test_it_refuses_what_the_models_refuse_and_only_what_the_language_refuses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("S", "x")
    assert (models_refuse(WHOLE), language_refuses(WHOLE), refused(WHOLE)) == (False, False, [])
    tried = 0
    for told, where, value in mutations():
        tried += 1
        part = part_of(value, where)
        said = not SCHEMA.is_valid(part)
        if models_refuse(part):
            assert said, f"{told}: only the models refuse it"
        elif said and not told.startswith(LENIENT):
            assert language_refuses(value), f"{told}: only the schema refuses it: {refused(part)}"
    assert tried > 1500


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("engine: polars", "$.engine"),
        ("nodes: [{name: a}]\npipelines: []", "$"),
        ("pipeline: etl", "$"),
        ("- {name: a b}", "$[0].name"),
        ("[]", "$"),
        ("just words", "$"),
        ("connections: {a: {type: locl}}", "$.connections.a.type"),
        ("connections: {a: {base_path: x}}", "$.connections.a"),
        ("connections: {a: {type: azure_adls, account: a, auth_mode: sas_token}}", "$.connections.a"),
        ("connections: {a: {type: azure_adls, account: a, secret_name: s, sas_token: x}}", "$.connections.a"),
        ("environments: {prod: {enginee: spark}}", "$.environments.prod"),
        ("environments: {prod: {connections: {a: {acount: x}}}}", "$.environments.prod.connections.a"),
        ("environments: {prod: {retry: {backoff: slow}}}", "$.environments.prod.retry.backoff"),
    ],
)  # fmt: skip
def test_it_refuses_and_says_where(text: str, where: str) -> None:
    assert where in [said.partition(":")[0] for said in refused(values(text))]


# What docs/vscode.md says that only the language sees.
UNSEEN = {
    "names": "- {name: a, depends_on: [b], read: {connection: lake, path: x}}",
    "two nodes of one name": "- &n {name: a, read: {connection: lake, path: x}}\n- *n",
    "keys of a mode": "- {name: a, read: {connection: lake, path: x}, write: {connection: lake, path: y, mode: merge}}",
    "what goes with a format": "- {name: a, read: {connection: lake, path: x.csv, version: 1}}",
    "what a node is for": "- {name: a}",
    "missing variables": "- {name: '{{ nobody }}', read: {connection: lake, path: x}}",
    "a time without its zone": "- {name: a, read: {connection: lake, path: x, timestamp: noon}}",
    "whole numbers with a point": "retry: {max_attempts: 2.0}",
    "types inside of types": "- {name: a, read: {connection: lake, path: x.csv, schema: {a: array<nothing>}}}",
    "secrets in an odd place": "connections: {a: {type: azure_adls, account: Not_A_Name, secret_name: s, key_vault_name: kv}}",
    "an order of bounds": "- {name: a, read: {connection: lake, path: x}, validation: {row_count: {min: 2, max: 1}}}",
}  # fmt: skip


@pytest.mark.parametrize("text", UNSEEN.values(), ids=UNSEEN)
def test_what_only_the_language_sees(text: str) -> None:
    """Else docs/vscode.md promises too little."""
    assert refused(values(text)) == []
    with pytest.raises(ConfigErrors):
        load(Source(text), known=Known(frozenset({"lake"})))
