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
from tests.roadmap import CONNECTIONS, PIPELINES

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


def test_the_promised_yaml_checks_as_written() -> None:
    nodes = checked(CONNECTIONS + PIPELINES).model.pipelines[0].nodes
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
        (node("{name: a, write: {connection: lake, path: ../x}}"), 4, "the path leaves the folder of connection 'lake': ../x"),
        (node("{name: a, read: {connection: lake, path: /etc/passwd}}"), 4, "use a path inside it, or another connection"),
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
        ("pipelines: []\n", 1, "pipelines: must not be empty"),
        (node("{name: a, validation: {not_empty: yes}}"), 4, "not_empty:"),
        (node("{name: a, validation: {range: {column: a}}}"), 4, "range needs min, max or both"),
        (node("{name: a, validation: {range: {column: a, min: 5, max: 1}}}"), 4, "min 5 is above max 1"),
        (node("{name: a, validation: {unique: {colums: [a]}}}"), 4, "did you mean 'columns'?"),
        (node("{name: a, validation: {range: {column: a, min: .inf}}}"), 4, "min is no number to compare with"),
        (node("{name: a, validation: {range: {column: a, min: 1, max: x}}}"), 4, "min and max are not of one kind"),
        (node("{name: a, validation: {accepted_values: {column: a, values: [x, null]}}}"), 4, "every row would pass"),
        (node("{name: a, validation: {accepted_values: {column: a, values: [.nan]}}}"), 4, "no number to compare with"),
        (node("{name: a, depends_on: [start, START]}"), 4, "depends_on[1]: 'START' stands here twice"),
        (node("{name: a, read: {connection: lake, path: x, columns: [c, C]}}"), 4,
         "read.columns[1]: column 'C' stands here twice"),
        (node("{name: a, read: {connection: lake, path: x.csv, schema: {c: int, C: int}}}"), 4,
         "column 'C' stands here twice"),
        (node("{name: a, validation: {unique: {columns: [c, c]}}}"), 4, "unique.columns[1]: column 'c' stands here twice"),
        (node("{name: a, validation: {no_nulls: [{columns: [c, c]}]}}"), 4, "no_nulls[0].columns[1]: column 'c' stands"),
        (node("{name: a, write: {connection: lake, path: x, mode: merge, keys: [c, c]}}"), 4, "keys[1]: column 'c' stands"),
        (node("{name: a, write: {connection: lake, path: x, partition_by: [c, c]}}"), 4, "partition_by[1]: column 'c' stands"),
        (node("{name: a, transform: {steps: [{function: f, returns: {c: int, C: int}}]}}"), 4, "'C' stands here twice"),
        (node("{name: a, read: {connection: lake, path: x, timestamp: yesterday}}"), 4, "write 2026-11-20T18:00Z, or"),
        (node("{name: a, read: {connection: lake, path: x, timestamp: 2026-01-01}}"), 4, "write 2026-01-01T00:00Z for UTC"),
        (node("{name: a, read: {connection: lake, path: x.csv, schema: {id: int64}}}"), 4, "is not a type (types are boolean"),
        (node("{name: a, read: {connection: lake, path: x.csv, schema: {id: struct<a>}}}"), 4, "write struct<name:type"),
        (node("{name: a, write: {connection: lake, path:x}}"), 4, "a space belongs behind the ':' of a key"),
        (node("{name: a, write: {conection: lake, path: x}}"), 4, "unknown key 'conection'"),
        ("nods: []", 1, "did you mean 'nodes'?"),
        ("nodes: {name: a}", 1, "write nodes: [{name: NAME, ...}]"),
        ("connections: {lake: ./data}", 1, "write lake: {type: local, base_path: ./data}"),
        ("connections: {lake: {type: adls}}", 1, "did you mean 'azure_adls'?"),
        ("retry: 3", 1, "write retry: {max_attempts: 3}"),
        (node("{name: a, read: 'lake:x'}"), 4, "write read: {connection: NAME, path: PATH}"),
        (node("{name: a, transform: SELECT 1}"), 4, "write transform: {steps: [{sql: SELECT ...}]}"),
        (node("{name: a, transform: {steps: SELECT 1}}"), 4, "write steps: [{sql: SELECT ...}]"),
        (node("{name: a, transform: {sql: SELECT 1}}"), 4, "it stands under steps:"),
        (node("{name: a, sql: SELECT 1}"), 4, "it stands under transform: steps: or validation: expression:"),
        (node("{name: a, read: , connection: lake, path: x}"), 4, "it stands under read: or write:"),
        (node("{name: a, transformer: scd2}"), 4, "write transform: {steps: [{function: NAME"),
        (node("{name: a, pattern: {type: fact}}"), 4, "not kept here: write its steps in SQL"),
        ("system: {connection: lake}", 1, "not kept here: each table's commits tell"),
        (node("{name: a, validation: {unique: [id]}}"), 4, "write unique: {columns: [id]}"),
        (node("{name: a, validation: {expression: a > 0}}"), 4, "write expression: {sql: a > 0}"),
        (node("{name: a, validation: {not_empty: on}}"), 4, "write not_empty: true"),
        (node("{name: a, validation: {not_empty: false}}"), 4, "expected true, a mapping or a list of mappings"),
        (node("{name: a, write: {connection: lake, table: x}}"), 4, "table: goes only with a unity_catalog connection"),
        (node("{name: a, validation: {schema: [id]}}"), 4, "write schema: {columns: {id: long}}"),
        (node("{name: a, read: {connection: lake, path: x.csv, schema: [id]}}"), 4, "write schema: {id: long}"),
        (node("{name: a, read: {connection: lake, path: x.csv, infer: no}}"), 4, "write false"),
        (node("{name: a, read: {connection: lake, path: x.csv, options: {header: no}}}"), 4, "write false"),
        (node("{name: a, read: {connection: lake, path: x.csv, options: {delimiter: 1}}}"), 4, "put it in quotes"),
        (node("{name: a, read: {connection: lake, path: 2026}}"), 4, "put it in quotes"),
        (node("{name: a, read: {connection: lake, path: '{{ x | upper }}'}}"), 4, "{{ name }} takes a name alone"),
        (node("{name: a, read: {connection: lake, path: {{ x.y }}}}"), 4, "'{{ x.y }}' is not filled in"),
        (node("{name: a, read: {connection: lake, path: '${X:-y}'}}"), 4, "'${X:-y}' is not filled in"),
        (node("{name: a, transform: {steps: [{sql: 'SELECT {{ x | y }}'}]}}"), 4, "'{{ x | y }}' is not filled in"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line(text: str, line: int, words: str) -> None:
    said = problems(text)
    assert words in said
    assert f"  line {line}  " in said


def test_a_misspelt_key_is_not_told_as_missing_too() -> None:
    said = problems(node("{name: a, write: {conection: lake, path: x}}"))
    assert said.startswith("1 problem ")


@pytest.mark.parametrize(
    "text",
    [
        "{name: a, transform: {steps: SELECT 1}}", "{name: a, transform: {sql: SELECT 1}}", "{name: !!str a, read: {connection: lake, path: x}}",
        "{name: a, transform: {steps: [{sql: SELECT a, b FROM start}]}}", "{name: a, validation: {no_nulls: id}}",
        "{name: a, sql: SELECT 1}", "{name: a, transformer: deduplicate}", "{name: a, write: {connection: lake, table: x}}",
        "{name: a, write: {connection: lake, path: x.csv, mode: merge, keys: [id]}}",
        "{name: a, validation: {schema: {columns: {id: strng}}}}",
    ],
)  # fmt: skip
def test_one_mistake_is_one_problem(text: str) -> None:
    assert problems(node(text)).startswith("1 problem ")


def test_keys_that_a_merge_brings_are_not_told_as_missing() -> None:
    said = problems(LAKE + "vars: &v {a: 1}\nsecrets: &s {timeout: 3}\nretry: {<<: *s}\n")
    assert "merge keys ('<<') are not allowed" in said


def test_a_wrong_value_hides_nothing_of_its_node() -> None:
    said = problems(
        LAKE
        + """nodes:
  - name: a
    read: {connection: lak, path: x.csv, format: cvs, lag: 2h}
    depends_on: [nothing]
    validation: {row_count: {min: 5, max: 1}, unique: {columns: [c, c]}, range: {column: [x]}}
    write: {connection: lake, path: ../x/*, mode: mrge, keys: id, partition_by: 7, tags: x}
"""
    )
    for words in (
        "unknown connection 'lak'", "did you mean 'csv'?", "lag goes only", "the path leaves", "unknown node 'nothing'",
        "min 5 is above max 1", "column 'c' stands here twice", "range.column: expected text",
        "a sink's path cannot be a pattern", "did you mean 'merge'?", "write [id]", "partition_by: expected a list",
        "unknown key 'tags'",
    ):  # fmt: skip
        assert words in said, words
    assert said.startswith("13 problems ")


def test_a_misspelt_key_hides_nothing_of_what_is_in_it() -> None:
    said = problems(
        """conections:
  lake: {type: locl, base_pth: x}
nodes:
  - name: a
    read: {connection: lake, path: x}
    wrte:
      connection: lak
      path: y
      moode: mrge
"""
    )
    for words in (
        "line 1  unknown key 'conections'", "line 2  conections.lake: this type is not allowed",
        "line 2  conections.lake: unknown key 'base_pth'", "line 6  nodes[0]: unknown key 'wrte'",
        "line 7  nodes[0].wrte.connection: unknown connection 'lak'", "line 9  nodes[0].wrte: unknown key 'moode'",
        "line 9  nodes[0].wrte.moode: this value is not allowed", "mode merge needs keys",
    ):  # fmt: skip
        assert words in said, words
    assert said.startswith("8 problems ")


def test_what_is_guessed_is_not_spoken_of() -> None:
    said = problems(
        LAKE
        + """nodes:
  - {name: a b, read: {path: x.csv}}
  - {name: 7, write: {connection: lake, path: t, mode: zzz, keys: [id]}}
  - {name: c, transform: {steps: [{sql: [1]}, {sql: SELECT * FROM df}]}, read: {connection: lake, path: 5}}
  - {name: d, depends_on: [a b], validation: {range: {min: 1}, accepted_values: {column: x}}}
  - 5
"""
    )
    assert said.startswith("9 problems "), said
    for words in ("_0", "needs keys", "takes no keys", "does nothing", "stands before", "unknown node"):
        assert words not in said


def test_all_problems_come_at_once_in_the_order_of_their_lines() -> None:
    said = problems(
        """
        enginee: pandas
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
        ("container: raw", "auth_mode key_vault, the default, needs the key 'secret_name'"),
        ("auth_mode: account_key", "did you mean 'direct_key'?"),
    ],
)
def test_each_way_of_opening_an_account_has_its_keys(
    keys: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("T", "sv=1&sig=abc")
    assert words in problems(f"connections: {{b: {{type: azure_adls, account: accounta, {keys}}}}}")


def test_two_vaults_leave_a_connection_without_one() -> None:
    said = problems(
        """
        connections:
          a: {type: azure_adls, account: accounta, key_vault_name: kv1, secret_name: x}
          b: {type: azure_adls, account: accountb, key_vault_name: kv2, secret_name: x}
          c: {type: azure_adls, account: accountc, secret_name: x}
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


@pytest.mark.parametrize(
    "where",
    ["read: {connection: lake, path: '{{ who }}'}", "transform: {steps: [{sql: SELECT {{ who }} AS x}]}"],
)
def test_an_unknown_variable_is_one_problem(where: str) -> None:
    said = problems(
        LAKE + f"vars: {{minqty: 1, top: 2}}\nnodes: [{{name: a, {where}}}]\n",
        variables={"top": 3},
        notebook={"top": 4},
    )
    assert "unknown variable 'who'" in said
    assert "allowed: minqty, top\n" in said + "\n"
    assert "--set top: the text uses no {{ top }}" in said
    assert said.startswith("2 problems ")


def test_a_variable_that_was_set_by_a_misspelt_name() -> None:
    text = LAKE + "nodes: [{name: a, read: {connection: lake, path: '{{ part }}'}}]\n"
    said = problems(text, variables={"prt": 2})
    assert "--set says 'prt': did you mean --set part=...?" in said and "mean 'prt'" not in said
    assert "--set prt: the text uses no {{ prt }}" in said
    assert "did you mean 'parts'?" in problems("vars: {parts: 1}\n" + text, variables={"parts": 2})


def test_thousands_of_unknown_variables_are_told_in_no_time() -> None:
    text = LAKE + f"project: '{''.join(f'{{{{ v{i} }}}}' for i in range(50_000))}'"
    with pytest.raises(ConfigErrors) as caught:
        checked(text)
    assert len(caught.value.problems) == 100
    assert "unknown variable 'v0'" in str(caught.value)


def test_problems_that_nobody_reads_are_counted() -> None:
    said = problems("\n".join(f"key{i}: 1" for i in range(250)))
    assert said.startswith("250 problems in this cell")
    assert said.count("unknown key") == 100
    assert said.endswith("  ... and 150 more")


def test_a_variable_of_the_environment_is_filled_in_where_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAY", "2026-01-01")
    config = checked(
        LAKE + "vars: {d: ${DAY}, l: ['${DAY}']}\n"
        "nodes: [{name: a, read: {connection: lake, path: {{ d }}, filter: day = {{ d }} OR day IN ({{ l }})}}]"
    )
    assert config.model.pipelines[0].nodes[0].read.path == "2026-01-01"
    assert config.values.in_sql()["d"] == "2026-01-01"
    assert config.values.in_sql()["l"] == ["2026-01-01"]
    assert config.values.used["d"].value == "${DAY}"


def test_what_a_value_holds_is_not_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAY", "never")
    notebook = {"r": "${DAY}{{ s }}"}
    assert path_of(variable("vars: {s: 1}"), notebook=notebook) == "x/${DAY}{{ s }}.csv"


def test_the_environment_is_not_filled_into_sql(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAY", "2026-01-01")
    said = problems(
        LAKE + "nodes: [{name: a, read: {connection: lake, path: x, filter: \"day = '${DAY}' -- ${DAY}\"}}]"
    )
    assert said.startswith("1 problem ")
    assert "${DAY} is not filled in inside SQL" in said
    assert "say vars: {x: ${DAY}}, and {{ x }} here" in said


def test_a_comment_of_sql_and_a_functions_parameter_are_no_sql() -> None:
    text = (
        LAKE
        + "vars: {v: 1}\nnodes: [{name: a, transform: {steps: [{sql: 'SELECT 1 AS x -- {{ gone }}'}, %s]}}]"
    )
    step = (
        checked(text % "{function: f, params: {filter: '{{ v }}'}}")
        .model.pipelines[0]
        .nodes[0]
        .transform.steps[1]
    )
    assert step.params == {"filter": 1}


def test_half_a_character_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    said = problems(variable("vars: {}"), notebook={"r": "\udcff"})
    assert "the value of 'r' holds half a character" in said


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


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"A=gr\xf6\xdfe\n", "the .env beside the text is not UTF-8"),
        (b"B=1\nA='open\n", "the .env beside the text: line 2 cannot be read as NAME=value"),
    ],
)
def test_a_dotenv_that_cannot_be_read_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, words: str
) -> None:
    monkeypatch.delenv("A", raising=False)
    (tmp_path / ".env").write_bytes(content)
    with pytest.raises(ConfigErrors) as caught:
        load(Source("project: ${A}", "p.odibi.yaml", tmp_path))
    assert words in str(caught.value)


def test_an_empty_environment_value_is_told_as_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTHING", "")
    assert "${NOTHING} is empty" in problems("project: ${NOTHING}")


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
"""
BROKEN = (
    OVERLAID
    + """  broken:
    connections:
      other: {base_pth: elsewhere}
"""
)


def test_an_environment_merges_by_key_and_replaces_a_mapping_whose_type_changes() -> None:
    model = checked(OVERLAID, environment="prod").model
    assert model.engine == "spark"
    assert model.connections["lake"].account == "prodlake"
    assert model.connections["other"].base_path == "elsewhere"
    assert checked(OVERLAID).model.connections["lake"].base_path == "data"


@pytest.mark.parametrize("environment", ["broken", "prod", None])
def test_a_mistake_in_an_environment_has_its_own_line(environment: str | None) -> None:
    said = problems(BROKEN, environment=environment)
    assert said.startswith("1 problem ")
    assert "line 14  environments.broken.connections.other: unknown key 'base_pth'" in said
    assert "did you mean 'base_path'?" in said


def test_values_of_an_environment_may_need_variables_that_only_its_runs_have() -> None:
    text = "retry: {max_attempts: 3}\nenvironments: {prod: {retry: {max_attempts: {{ many }}}}}"
    assert checked(text).model.retry.max_attempts == 3
    assert "unknown variable 'many'" in problems(text, environment="prod")


@pytest.mark.parametrize("value", ["", "[a]", "x"])
@pytest.mark.parametrize("environment", ["prod", None])
def test_an_environment_is_a_mapping(value: str, environment: str | None) -> None:
    said = problems(f"environments: {{prod: {value}}}", environment=environment)
    assert said.startswith("1 problem ")
    assert "environments.prod: expected a mapping" in said


@pytest.mark.parametrize("value", ["prod", "[prod]", "5"])
def test_environments_are_a_mapping(value: str) -> None:
    said = problems(f"environments: {value}")
    assert "line 1  environments: expected a mapping" in said and "environments: {prod: {vars: " in said


def test_a_variable_has_a_name_that_can_be_used() -> None:
    said = problems(
        "vars: {a b: 1, 5: 3, ok: 2}\nproject: '{{ ok }}'\nenvironments: {prod: {vars: {c-d: 1}}}"
    )
    for name in ("'a b' is no variable's name", "'5' is no variable's name", "'c-d' is no variable's name"):
        assert name in said


def test_a_variable_without_a_value_is_no_null() -> None:
    assert "vars.low: expected a value" in problems("vars:\n  low:\nproject: 'x{{ low }}'")
    assert checked("vars: {low: '', none: null}\nproject: 'x{{ low }}'").model.project == "x"


def test_a_misspelt_variable_of_an_environment_is_told_whichever_is_chosen() -> None:
    text = "vars: {minqty: 1}\nproject: '{{ minqty }}{{ other }}'\nenvironments: {prod: {vars: {minqtyy: 3, other: a}}}"
    for environment in (None, "prod"):
        said = problems(text, environment=environment, notebook={"other": "b"})
        assert "line 3  environments.prod.vars: unknown variable 'minqtyy'" in said
        assert "did you mean 'minqty'?" in said
        assert said.startswith("1 problem ")
    known = Known(vars={"minqtyy": 1})
    assert checked(text, known=known, notebook={"other": "b"}).model.project == "1b"


def test_an_unknown_environment_names_the_nearest() -> None:
    assert "unknown environment 'prd'" in problems(OVERLAID, environment="prd")
    assert "did you mean 'prod'?" in problems(OVERLAID, environment="prd")


# Secrets -----------------------------------------------------------------------------------------------------------


def test_a_literal_secret_is_noted_and_refused_in_production(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "connections: {b: {type: azure_adls, account: accounta, auth_mode: direct_key, account_key: SuperSecretKey123}}"
    config = checked(text)
    assert config.literal_secrets == (("connections", "b", "account_key"),)
    assert "SuperSecretKey123" not in repr(config.model)
    monkeypatch.setenv("ODIBI_ENV", "production")
    said = problems(text)
    assert "a literal account_key is refused with ODIBI_ENV=production" in said
    assert "SuperSecretKey123" not in said


def test_a_secret_of_the_wrong_type_is_not_echoed() -> None:
    said = problems(
        "connections: {b: {type: azure_adls, account: accounta, auth_mode: direct_key, account_key: [PrivateThing9]}}"
    )
    assert "connections.b.account_key: expected text" in said.replace("\n", " ")
