"""The language: shapes, variables, environments, and every mistake with its line and words."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from odibi_magics.config.load import Config, Known, load, load_connections
from odibi_magics.config.source import Source
from odibi_magics.errors import ConfigErrors

LAKE = "connections: {lake: {type: local, base_path: ./data}}\n"


def checked(text: str, **options: Any) -> Config:
    return load(Source(textwrap.dedent(text)), **options)


def problems(text: str, **options: Any) -> str:
    with pytest.raises(ConfigErrors) as caught:
        checked(text, **options)
    return str(caught.value)


def node(text: str) -> str:
    """A project around one node's keys, which begin on line 4."""
    return (
        LAKE
        + "pipelines:\n- {pipeline: etl, nodes: [{name: start, read: {connection: lake, path: a.csv}},\n"
        + text
        + "]}\n"
    )


# Shapes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "pipeline"),
    [
        (LAKE + "pipelines: [{pipeline: etl, nodes: [{name: a, read: {connection: lake, path: x}}]}]", "etl"),
        (LAKE + "pipeline: etl\nnodes: [{name: a, read: {connection: lake, path: x}}]", "etl"),
    ],
)
def test_a_project_or_one_pipelines_nodes(text: str, pipeline: str) -> None:
    model = checked(text).model
    assert [(p.pipeline, [n.name for n in p.nodes]) for p in model.pipelines] == [(pipeline, ["a"])]


def test_a_bare_list_of_nodes_uses_connections_of_earlier_cells() -> None:
    config = checked("- name: a\n  read: {connection: lake, path: x}", known=Known(frozenset({"lake"})))
    assert [n.name for n in config.model.pipelines[0].nodes] == ["a"]


def test_connections_alone_bare_or_under_their_key() -> None:
    for text in (
        "lake: {type: local, base_path: data}",
        "connections: {lake: {type: local, base_path: data}}",
    ):
        assert load_connections(Source(text)).model.connections["lake"].base_path == "data"


def test_text_that_is_no_project_says_what_is_expected() -> None:
    assert "expected a project, a pipeline's `nodes:` or a list of nodes" in problems("just words")


ROADMAP = """
connections:
  bronze:
    type: azure_adls
    account: account1
    auth_mode: key_vault
    key_vault_name: company-kv
    secret_name: bronze-key

  silver:
    type: azure_adls
    account: account2
    auth_mode: key_vault
    secret_name: silver-key

pipelines:
  - pipeline: etl
    nodes:
      - name: read_data
        read:
          connection: bronze
          path: raw/sales.csv
          format: csv

      - name: write_data
        write:
          connection: silver
          path: clean/sales.parquet
          format: parquet

      - name: write_delta
        write:
          connection: silver
          path: clean/sales.delta  # ← Delta table!
          # format: delta (default)
          partition_by: [year, month]
          mode: append
"""


def test_the_promised_yaml_checks_as_written() -> None:
    nodes = checked(ROADMAP).model.pipelines[0].nodes
    assert [n.name for n in nodes] == ["read_data", "write_data", "write_delta"]
    assert nodes[2].write.partition_by == ["year", "month"]


# Mistakes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("enginee: pandas", 1, "unknown key 'enginee'\n     1 | enginee: pandas\n       | ^^^^^^^  did you mean 'engine'?"),
        ("engine: polars", 1, "engine: this value is not allowed"),
        ("secrets: {timeout: soon}", 1, "secrets.timeout: expected a number"),
        ("retry: {max_attempts: 0}", 1, "retry.max_attempts:"),
        ("connections: {lake: {type: locl}}", 1, "did you mean 'local'?"),
        ("connections: {lake: {base_path: x}}", 1, "connections.lake: missing key 'type'"),
        ("vars: {a: {b: 1}}", 1, "vars.a: expected"),
        ("story: {connection: lake}", 1, "story.connection: unknown connection 'lake'"),
        ("vars: {a: 1, b: '{{ a }}'}", 1, "a variable cannot be made of another"),
        (node("{name: a, depends_on: start}"), 4, "nodes[1].depends_on: expected a list\n"),
        (node("{name: a, depends_on: start}"), 4, "write [start]"),
        (node("{name: a, depends_on: [strat]}"), 4, "unknown node 'strat'"),
        (node("{name: a, depends_on: [strat]}"), 4, "did you mean 'start'?"),
        (node("{name: a, depends_on: [a], write: {connection: lake, path: x}}"), 4, "node 'a' depends on itself"),
        (node("{name: start, write: {connection: lake, path: x}}"), 4, "a second node 'start', first on line 3"),
        (node("{name: df, write: {connection: lake, path: x}}"), 4, "a node cannot be called 'df'"),
        (node("{name: a b, write: {connection: lake, path: x}}"), 4, "a name has letters, digits and '_'"),
        (node("{name: a}"), 4, "node 'a' does nothing"),
        (node("{name: a, write: {connection: lak, path: x}}"), 4, "unknown connection 'lak'"),
        (node("{name: a, write: {connection: lake}}"), 4, "write: missing key 'path'"),
        (node("{name: a, write: {connection: lake, path: x, moode: append}}"), 4, "write: unknown key 'moode'"),
        (node("{name: a, write: {connection: lake, path: x, moode: append}}"), 4, "did you mean 'mode'?"),
        (node("{name: a, write: {connection: lake, path: x, mode: apend}}"), 4, "did you mean 'append'?"),
        (node("{name: a, write: {connection: lake, path: x, mode: merge}}"), 4, "mode merge needs keys"),
        (node("{name: a, write: {connection: lake, path: x, keys: [id]}}"), 4, "mode overwrite takes no keys"),
        (node("{name: a, write: {connection: lake, path: x, mode: append, replace_where: a = 1}}"), 4,
         "replace_where goes only with mode: overwrite"),
        (node("{name: a, write: {connection: lake, path: x.csv, mode: merge, keys: [a]}}"), 4,
         "csv files cannot be written with mode merge"),
        (node("{name: a, write: {connection: lake, path: x.csv, partition_by: [a]}}"), 4,
         "partition_by goes only with format: delta"),
        (node("{name: a, write: {connection: lake, path: 'x/*.csv'}}"), 4, "a sink's path cannot be a pattern"),
        (node("{name: a, write: {connection: lake, path: ../x}}"), 4, "the path leaves the connection's folder: ../x"),
        (node("{name: a, read: {connection: lake, path: /etc/passwd}}"), 4, "the path leaves the connection's folder"),
        (node("{name: a, read: {connection: lake, path: x.csv, version: 1}}"), 4, "version reads Delta tables"),
        (node("{name: a, read: {connection: lake, path: x, timestamp: '2026-01-01T00:00'}}"), 4, "a time without a zone"),
        (node("{name: a, read: {connection: lake, path: x, timestamp: noon}}"), 4, "expected a date with a time and a zone"),
        (node("{name: a, read: {connection: lake, path: x.csv, options: {heder: true}}}"), 4,
         "unknown option 'heder' of csv"),
        (node("{name: a, read: {connection: lake, path: x.csv, schema: {id: lnog}}}"), 4, "'lnog' is not a type"),
        (node("{name: a, read: {connection: lake, path: x.csv, lag: 2h}}"), 4, "lag goes only with newer_than"),
        (node("{name: a, read: {connection: lake, path: x, newer_than: d, lag: soon}}"), 4, "expected a duration"),
        (node("{name: a, transform: {steps: [{sql: SELECT 1, function: f}]}}"), 4, "unknown key 'function'"),
        (node("{name: a, transform: {steps: [{sql: SELECT a, b FROM start}]}}"), 4, "put quotes round the SQL"),
        (node("{name: a, transform: {steps: []}}"), 4, "must not be empty"),
        (node("{name: a, validation: {not_empty: yes}}"), 4, "not_empty:"),
        (node("{name: a, validation: {range: {column: a}}}"), 4, "range needs min, max or both"),
        (node("{name: a, validation: {range: {column: a, min: 5, max: 1}}}"), 4, "min 5 is above max 1"),
        (node("{name: a, validation: {unique: {colums: [a]}}}"), 4, "did you mean 'columns'?"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line(text: str, line: int, words: str) -> None:
    said = problems(text)
    assert words in said
    assert f"  line {line}  " in said


def test_all_problems_come_at_once_in_the_order_of_their_lines() -> None:
    said = problems(
        """
        enginee: x
        connections:
          lake: {type: local}
        pipelines:
          - pipeline: etl
            nodes:
              - {name: a, read: {connection: lak, path: x}}
              - {name: b, write: {connection: lake, path: x, mode: bad}}
              - {name: c, depends_on: [b, nowhere], write: {connection: lake, path: y}}
        """
    )
    assert said.startswith("4 problems in this cell, nothing was run")
    found = [int(row.split()[1]) for row in said.splitlines() if row.startswith("  line ")]
    assert found == sorted(found) and len(found) == 4
    assert "unknown node 'b'" not in said  # it is there, though its own text is wrong


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ("auth_mode: direct_key", "auth_mode direct_key needs the key 'account_key'"),
        (
            "auth_mode: sas_token, secret_name: x, sas_token: ${T}",
            "auth_mode sas_token takes no 'secret_name'",
        ),
        ("secret_name: x", "which key vault? No key_vault_name here or in the project"),
        ("auth_mode: identity, path_prefix: x", "path_prefix goes only with container"),
        ("auth_mode: service_principal, tenant_id: a", "needs the key 'client_secret'"),
    ],
)
def test_each_way_of_opening_an_account_has_its_keys(
    keys: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("T", "sv=1&sig=abc")
    assert words in problems(f"connections: {{b: {{type: azure_adls, account: a, {keys}}}}}")


def test_two_vaults_leave_a_connection_without_one() -> None:
    said = problems(
        """
        connections:
          a: {type: azure_adls, account: a, key_vault_name: kv1, secret_name: x}
          b: {type: azure_adls, account: b, key_vault_name: kv2, secret_name: x}
          c: {type: azure_adls, account: c, secret_name: x}
        """
    )
    assert "the connections name 2: kv1, kv2" in said


# Variables ---------------------------------------------------------------------------------------------------------


def path_of(text: str, **options: Any) -> object:
    return checked(text, **options).model.pipelines[0].nodes[0].read.path


def variable(definition: str) -> str:
    return (
        LAKE
        + definition
        + "\npipelines: [{pipeline: p, nodes: [{name: a, read: {connection: lake, path: x/{{ r }}.csv}}]}]"
    )


@pytest.mark.parametrize(
    ("definition", "options", "path"),
    [
        ("vars: {r: EU}", {}, "x/EU.csv"),
        ("vars: {r: EU}", {"notebook": {"r": "NB"}}, "x/EU.csv"),
        ("vars: {}", {"notebook": {"r": "NB"}}, "x/NB.csv"),
        ("vars: {r: EU}\nenvironments: {prod: {vars: {r: PROD}}}", {"environment": "prod"}, "x/PROD.csv"),
        ("vars: {r: EU}\nenvironments: {prod: {vars: {r: PROD}}}", {"environment": "prod", "variables": {"r": "SET"}},
         "x/SET.csv"),
    ],
)  # fmt: skip
def test_set_beats_env_beats_vars_beats_the_notebook(
    definition: str, options: Mapping[str, Any], path: str
) -> None:
    assert path_of(variable(definition), **options) == path


def test_a_variable_alone_keeps_its_type() -> None:
    config = checked("vars: {n: 7}\nretry: {max_attempts: {{ n }}}")
    assert config.model.retry.max_attempts == 7
    assert config.values.used["n"].origin == "vars"


def test_all_missing_names_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOWHERE", raising=False)
    said = problems(
        LAKE + "pipelines:\n- pipeline: p\n  nodes:\n"
        "  - name: a\n    read: {connection: lake, path: {{ one }}/x.csv}\n"
        "    transform: {steps: [{sql: 'SELECT {{ two }} FROM df'}]}\n"
        "    write: {connection: lake, path: ${NOWHERE}/y}\n"
    )
    assert said.startswith("3 problems")
    for words in (
        "line 6  pipelines[0].nodes[0].read.path: unknown variable 'one'",
        "unknown variable 'two'",
        "${NOWHERE} is not set",
    ):
        assert words in said


def test_dotenv_beside_the_file_answers_where_the_environment_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOTH", "from the environment")
    monkeypatch.delenv("ONLY_FILE", raising=False)
    (tmp_path / ".env").write_text("BOTH=from the file\nONLY_FILE=here\n")
    (tmp_path / "p.odibi.yaml").write_text("vars: {a: ${BOTH}, b: ${ONLY_FILE}}")
    assert load(Source.from_file(tmp_path / "p.odibi.yaml")).model.vars == {
        "a": "from the environment",
        "b": "here",
    }


# Environments ------------------------------------------------------------------------------------------------------

OVERLAID = """
engine: pandas
connections:
  lake: {type: local, base_path: data}
  other: {type: local, base_path: other}
environments:
  prod:
    engine: spark
    connections:
      lake: {type: azure_adls, account: prodlake, container: lake, auth_mode: session}
      other: {base_path: elsewhere}
  broken:
    connections:
      other: {base_pth: elsewhere}
"""


def test_an_environment_merges_by_key_and_replaces_a_mapping_whose_type_changes() -> None:
    model = checked(OVERLAID, environment="prod").model
    assert model.engine == "spark"
    assert model.connections["lake"].account == "prodlake"
    assert model.connections["other"].base_path == "elsewhere"
    assert checked(OVERLAID).model.connections["lake"].base_path == "data"


def test_a_mistake_in_an_environment_has_its_own_line() -> None:
    said = problems(OVERLAID, environment="broken")
    assert "line 14  environments.broken.connections.other: unknown key 'base_pth'" in said


def test_an_unknown_environment_names_the_nearest() -> None:
    assert "unknown environment 'prd'" in problems(OVERLAID, environment="prd")
    assert "did you mean 'prod'?" in problems(OVERLAID, environment="prd")


# Secrets -----------------------------------------------------------------------------------------------------------


def test_a_literal_secret_is_noted_and_refused_in_production(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "connections: {b: {type: azure_adls, account: a, auth_mode: direct_key, account_key: SuperSecretKey123}}"
    config = checked(text)
    assert config.literal_secrets == (("connections", "b", "account_key"),)
    assert "SuperSecretKey123" not in repr(config.model)
    monkeypatch.setenv("ODIBI_ENV", "production")
    said = problems(text)
    assert "a literal account_key is refused with ODIBI_ENV=production" in said
    assert "SuperSecretKey123" not in said


def test_a_secret_of_the_wrong_type_is_not_echoed() -> None:
    said = problems(
        "connections: {b: {type: azure_adls, account: a, auth_mode: direct_key, account_key: [PrivateThing9]}}"
    )
    assert "connections.b.account_key: expected text" in said.replace("\n", " ")
