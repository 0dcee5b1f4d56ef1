"""The schema in the server that VS Code's YAML extension is made of: what it offers, marks and tells at a place."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from odibi_magics.caches import cache_folder
from odibi_magics.config.schema import language_schema
from tests.editor.language_server import Server, serve

ROOT = Path(__file__).parents[2]
SETTINGS = {
    "yaml": {
        "schemas": {".vscode/odibi.schema.json": "*.odibi.yaml"},
        "schemaStore": {"enable": False}, "validate": True, "completion": True, "hover": True,
    }
}  # fmt: skip
NODE = "connections:\n  lake: {type: local}\npipelines:\n  - pipeline: etl\n    nodes:\n      - name: clean\n        "


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("workspace")
    (folder / ".vscode").mkdir()
    (folder / ".vscode" / "odibi.schema.json").write_text(json.dumps(language_schema()))
    with serve(cache_folder(), folder, SETTINGS) as started:
        yield started


@pytest.mark.parametrize("file", sorted(ROOT.glob("examples/*/*.odibi.yaml")), ids=lambda file: file.stem)
def test_the_examples_have_no_problems(server: Server, file: Path) -> None:
    assert server.problems(file.name, file.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (NODE + "write: {connection: lake, path: x, moode: append}", 7, "Property moode is not allowed."),
        (NODE + "write: {connection: lake, path: x, mode: apend}", 7, 'Valid values: "overwrite", "overwrite_partitions", "append"'),
        (NODE + "write: {connection: lake}", 7, 'Missing property "path".'),
        (NODE + "validation: {range: {min: 1}}", 7, 'Missing property "column".'),
        (NODE + "transform: {steps: [{function: f, parms: {}}]}", 7, "Property parms is not allowed."),
        ("connections:\n  a: {type: azrue}", 2, 'Valid values: "local", "azure_adls", "unity_catalog"'),
        ("connections:\n  a: {type: azure_adls, account: x, auth_mode: sas_token}", 2, 'Missing property "sas_token".'),
        ("- name: a\n  reed: {}", 2, "Property reed is not allowed."),
        ("enginee: pandas", 1, "Property enginee is not allowed."),
    ],
)  # fmt: skip
def test_a_mistake_is_marked_on_its_line(server: Server, text: str, line: int, words: str) -> None:
    found = server.problems("wrong.odibi.yaml", text)
    assert any(at == line and words in said for at, said in found), found


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        ("¦", {"connections", "pipelines", "nodes", "engine"}),
        (NODE + "¦", {"read", "transform", "validation", "write", "depends_on"}),
        (NODE + "write:\n          mode: ¦", {"append", "append_once", "merge"}),
        (NODE + "transform:\n          steps:\n            - ¦", {"sql", "function"}),
        (NODE + "validation:\n          ¦", {"no_nulls", "row_count"}),
        (NODE + "read:\n          schema:\n            id: ¦", {"bigint", "timestamp"}),
        ("connections:\n  a:\n    type: ¦", {"local", "azure_adls", "unity_catalog"}),
        ("connections:\n  a:\n    type: azure_adls\n    ¦", {"account", "auth_mode", "secret_name"}),
        ("- name: a\n  ¦", {"read", "write"}),
    ],
)
def test_tab_offers_what_may_come(server: Server, text: str, offered: set[str]) -> None:
    assert offered <= set(server.completions("half.odibi.yaml", text))


def test_a_key_is_explained(server: Server) -> None:
    told = server.at(
        "hover", "hover.odibi.yaml", NODE + "write:\n          path: x\n          me¦rge_schema: true"
    )
    assert "New columns are added to the table." in told["contents"]["value"]


def test_a_comment_names_the_schema(server: Server) -> None:
    """As in a file that no setting is about."""
    text = "# yaml-language-server: $schema=.vscode/odibi.schema.json\nenginee: pandas"
    assert server.problems("other.yml", text) == [(2, "Property enginee is not allowed.")]
    assert server.problems("another.yml", "enginee: pandas") == []
