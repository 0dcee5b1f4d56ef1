"""No excerpt, message or repr shows a secret, however its YAML is written, well-formed or not."""

from __future__ import annotations

import base64
import textwrap
from pathlib import Path

import pytest

from odibi_magics import ConfigErrors, Project
from odibi_magics.config.cover import cover
from odibi_magics.config.load import load
from odibi_magics.config.source import Source
from odibi_magics.errors import Problem

HEAD = "connections:\n  b:\n    type: azure_adls\n    account: a\n    auth_mode: direct_key\n"


def said(text: str) -> str:
    with pytest.raises(ConfigErrors) as caught:
        load(Source(textwrap.dedent(text)))
    return str(caught.value) + repr(caught.value) + repr(caught.value.problems)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        # the value is not what stands in the text
        (HEAD + "    account_key: 'Hid''den1'\n    x: 1\n", "unknown key 'x'"),
        (HEAD + '    account_key: "Hid\\x64en1"\n    x: 1\n', "unknown key 'x'"),
        (HEAD + "    account_key: >\n      Hidden1\n      Hidden2\n    x: 1\n", "unknown key 'x'"),
        (HEAD + "    account_key: |\n      Hidden1\n    x: 1\n", "unknown key 'x'"),
        (HEAD + "    account_key:\n      Hidden1\n    x: 1\n", "unknown key 'x'"),
        (HEAD + "    account_key: Hidden1\n      Hidden2\n    x: 1\n", "unknown key 'x'"),
        (HEAD + '    "account\\x5fkey": Hidden1\n    x: 1\n', "unknown key 'x'"),
        (HEAD + "    ? account_key\n    : Hidden1\n    x: 1\n", "unknown key 'x'"),
        ("x: &k 'Hid''den1'\n" + HEAD + "    account_key: *k\n", "unknown key 'x'"),
        # the value is not one
        (HEAD + "    account_key: [Hidden1, Hidden2]\n", "account_key: expected text"),
        (HEAD + "    account_key: {a: Hidden1,\n      b: Hidden2}\n    x: 1\n", "unknown key 'x'"),
        (HEAD + "    account_key: !Hidden1 'Hid''den2'\n", "YAML tags are not allowed"),
        (HEAD + "    account_key: Hidden1\n    account_key: 'Hid''den2'\n", "duplicate key 'account_key'"),
        # the key is not one
        (HEAD + "    acount_kye: Hidden1\n", "did you mean 'account_key'?"),
        ("connections: {b: {type: azure_adls, account_key:Hidden1}}\n", "a space belongs behind the ':'"),
        ("connections: {b: {type: azure_adls, account_key: a,Hidden1==}}\n", "a comma ends the value: put quotes round"),
        (HEAD + "    storage_options: {azure_storage_account_key: Hidden1, sas: Hidden2}\n    x: 1\n", "unknown key 'x'"),
        # the YAML is none
        (HEAD + '    account_key: "Hidden1\n    x: Hidden2\n', "a quote is not closed"),
        (HEAD + "    account_key: |\n    Hidden1\n    x: 1\n", "malformed YAML"),
        (HEAD + "    account_key:Hidden1\n    x: 1\n", "a key without ': ' behind it"),
        (HEAD + "    account_key: Hidden1: Hidden2\n", "a ':' where none can stand"),
        ("connections: {b: {account_key: {a: Hidden1, b: Hidden2\n", "a '{' is not closed"),
        ("connections: {b: {account_key: Hidden1,\n  type: x\n", "a '{' is not closed"),
        ("connections: {b: {account_key:\n  Hidden1\n", "a '{' is not closed"),
        ("client_secret: @Hidden1\n", "no text begins with"),
        (HEAD + "    account_key: 'Hid'den1'\n", "something follows a closed quote"),
        (HEAD + '    account_key: "a"@Hidden1"\n', "malformed YAML"),
        ("connections: {b: {account_key: 'a'Hidden1', type: x}}\n", "something follows a closed quote"),
        ("connections: {b: {account_key: 'a',Hidden1', type: azure_adls}}\n", "a comma ends the value"),
        ("connections: {b: {account_key 'Hidden1', type: azure_adls}}\n", "unknown key 'account_key *"),
        (HEAD + "    account_key Hidden1\n    x: 1\n", "malformed YAML"),
        (HEAD + "    account_key = Hidden1\n    x: 1\n", "malformed YAML"),
        (HEAD + '    "account_key"@: Hidden1\n', "malformed YAML"),
        (HEAD + "    pasword: Hidden1\n", "unknown key 'pasword'"),
        ("password: *Hidden1\n", "an alias"),
    ],
)  # fmt: skip
def test_no_problem_shows_a_secret(text: str, words: str) -> None:
    told = said(text)
    assert words in told
    assert "idden1" not in told and "den1" not in told
    assert "idden2" not in told and "den2" not in told


def test_the_end_of_a_long_secret_is_not_shown_where_a_line_is_cut() -> None:
    told = said(
        f"connections: {{b: {{type: azure_adls, account: accounta, sas_token: 'sv={'Hidden1' * 50}', zzz: 1}}}}\n"
    )
    assert "unknown key 'zzz'" in told
    assert "Hidden" not in told


def test_what_is_covered_keeps_its_width_and_its_lines() -> None:
    text = "a: 1\naccount_key: >\n  one\n  two\nb: {sas_token: 'x''y', c: 2}\n"
    shown = cover(text)
    assert [len(line) for line in shown.splitlines()] == [len(line) for line in text.splitlines()]
    assert shown == "a: 1\naccount_key: *\n*****\n*****\nb: {sas_token: ******, c: 2}\n"


@pytest.mark.parametrize(
    "line",
    [
        "secret_name: bronze-key", "key_vault_name: kv", "secret_key: name", "keys: [id]", "client_id: abc",
        "account_name: x", "account_key: '${KEY}'", "connection: lake",
    ],
)  # fmt: skip
def test_names_stay_readable(line: str) -> None:
    assert cover(line) == line


def test_reprs_show_keys_and_no_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HIDDEN", "ResolvedHidden1")
    project = Project.from_yaml(
        "vars: {v: ${HIDDEN}}\n"
        f"connections:\n  lake: {{type: local, base_path: '{tmp_path}/${{HIDDEN}}'}}\n"
        "  b: {type: azure_adls, account: accounta, auth_mode: direct_key, account_key: Literal1Key,\n"
        "      storage_options: {token: ${HIDDEN}, other: Option1Value}}\n"
        "nodes: [{name: a, read: {connection: lake, path: '{{ v }}.csv'}}]\n"
    )
    config = project.definitions.configs[0]
    shown = "".join(map(repr, [project, project.definitions, project.definitions.known, config, config.tree]))
    shown += str(config.model) + repr(config.tree.document) + repr(config.values)
    for value in ("ResolvedHidden1", "Literal1Key", "Option1Value"):
        assert value not in shown
    assert "Node('name', 'read')" in shown
    assert project.definitions.nodes["a"].node.read.path == "ResolvedHidden1.csv"  # type: ignore[union-attr]


def test_variables_are_kept_as_they_were_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HIDDEN", "ResolvedHidden1")
    project = Project.from_yaml("vars: {v: ${HIDDEN}}\n")
    assert project.definitions.variables == {"v": "${HIDDEN}"}


def test_an_account_key_is_hidden_wherever_it_stands() -> None:
    key = base64.b64encode(bytes(range(64))).decode()
    assert key not in said(f"connections: {{b: {{type: azure_adls, account: accounta, auth_mode: {key}}}}}\n")


def test_a_problem_shows_itself_redacted() -> None:
    from odibi_magics.secret import Secret

    Secret("never-to-be-seen")
    assert repr(Problem("there is no never-to-be-seen", "a")) == "Problem('a: there is no [hidden]')"
