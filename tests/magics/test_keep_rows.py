"""With keep_rows = 0 no data is in a saved notebook, whatever goes wrong with it."""

from __future__ import annotations

import pytest

from odibi_magics.errors import ConfigErrors, NodeFailed, OdibiError
from tests.magics.conftest import Notebook, Ran

# Each row holds a word and a number that stand nowhere else.
SALES = "id,city,qty\n4711,Zanzibar,-4711\n4711,Zanzibar,-4711\n1,Oslo,5\n"
FUNCTIONS = """\
from odibi_magics import transform
@transform
def lookup(df):
    return {}[df["city"][1]]
@transform
def leave(df):
    raise SystemExit(df["city"][1])
@transform
def mixed(df):
    return df.assign(city=[1, "Zanzibar", None])
"""


@pytest.fixture
def private(notebook: Notebook) -> Notebook:
    (notebook.folder / "sales.csv").write_text(SALES)
    (notebook.folder / "lines.jsonl").write_text('{"city": "Oslo"}\nZanzibar 4711\n')
    (notebook.folder / "typed.jsonl").write_text('{"qty": 1}\n{"qty": "Zanzibar 4711"}\n')
    notebook.good("%config OdibiMagics.keep_rows = 0")
    notebook.good(FUNCTIONS)
    notebook.good("%%odibi_connections\nlake: {type: local, base_path: .}\n")
    return notebook


def said(ran: Ran) -> str:
    return "\n".join([*ran.html, *ran.text, ran.printed, str(ran.error)])


def assert_private(text: str) -> None:
    assert "Zanzibar" not in text and "4711" not in text


READ = "read: {connection: lake, path: sales.csv}"
WRITE = "write: {connection: lake, path: out}"


def cell(node: str, options: str = "") -> str:
    return f"%%odibi_pipeline {options}\n- {{name: bad, {node}}}\n"


def sql(text: str) -> str:
    return f'{READ}, transform: {{steps: [{{sql: "{text}"}}]}}, {WRITE}'


CHECKS = {
    "range": "range: {column: qty, min: 0}",
    "unique": "unique: {columns: [id]}",
    "accepted_values": "accepted_values: {column: city, values: [Oslo]}",
    "expression": "expression: {sql: qty > 0}",
    "no_nulls": "no_nulls: {columns: [gone]}",
}
FAILING = {
    **{
        name: f"{READ}, validation: {{{check}}}, {WRITE}"
        for name, check in CHECKS.items()
        if name != "no_nulls"
    },
    "no_nulls": f"{sql('SELECT *, CAST(NULL AS int) AS gone FROM df')}, validation: {{{CHECKS['no_nulls']}}}",
    "repeated keys": f"{READ}, write: {{connection: lake, path: out, mode: merge, keys: [id]}}",
    "null keys": f"{sql('SELECT *, nullif(id, 4712 - 1) AS k FROM df')[:-1]}, mode: merge, keys: [k, city]}}",
    "csv value": f"read: {{connection: lake, path: sales.csv, schema: {{id: int, city: int, qty: int}}}}, {WRITE}",
    "json value": f"read: {{connection: lake, path: typed.jsonl, schema: {{qty: int}}}}, {WRITE}",
    "sql": sql("SELECT CAST(city AS int) AS n FROM df"),
    "replace_where": f"{READ}, write: {{connection: lake, path: out, replace_where: 'id = 1'}}",
    "function": f"{READ}, transform: {{steps: [{{function: lookup}}]}}, {WRITE}",
    "exit": f"{READ}, transform: {{steps: [{{function: leave}}]}}, {WRITE}",
    "mixed": f"{READ}, transform: {{steps: [{{function: mixed}}]}}, {WRITE}",
}


@pytest.mark.parametrize("name", FAILING)
def test_no_error_of_a_run_holds_data(private: Notebook, name: str) -> None:
    ran = private.run(cell(FAILING[name]))
    assert isinstance(ran.error, NodeFailed), said(ran)
    assert_private(said(ran))
    assert "[data]" in ran.text[0] and "✗ failed" in ran.text[0] and "[data]" in ran.printed
    assert_private(said(private.good("display(odibi_result)")))
    whole = private["odibi_result"].node("bad").error
    assert "Zanzibar" in whole or "4711" in whole, "who asks for it, gets it"


@pytest.mark.parametrize("name", [*CHECKS, "sql", "function", "csv value"])
def test_no_error_of_a_preview_holds_data(private: Notebook, name: str) -> None:
    ran = private.run(cell(FAILING[name], "--preview"))
    assert isinstance(ran.error, NodeFailed), said(ran)
    assert_private(said(ran))


@pytest.mark.parametrize("name", CHECKS)
def test_no_warning_of_a_check_holds_data(private: Notebook, name: str) -> None:
    warned = CHECKS[name].replace("}", ", on_fail: warn}")
    ran = private.run(cell(FAILING[name].replace(CHECKS[name], warned)))
    assert ran.error is None, said(ran)
    assert "⚠" in ran.text[0]
    assert_private(said(ran))


def test_no_warning_of_a_write_holds_data(private: Notebook) -> None:
    parted = f"{READ}, write: {{connection: lake, path: out, partition_by: [city]}}"
    private.good(cell(parted))
    ran = private.good(cell(parted.replace("sales.csv", "sales.csv, filter: id > 1")))
    assert "replaced all 2 partitions" in ran.text[0]
    assert_private(said(ran))


def test_no_problem_of_a_text_holds_data(private: Notebook) -> None:
    ran = private.run(cell(f"read: {{connection: lake, path: lines.jsonl}}, {WRITE}"))
    assert isinstance(ran.error, ConfigErrors) and "is no JSON object" in str(ran.error)
    assert_private(said(ran))


def test_no_other_magic_tells_data(private: Notebook) -> None:
    private.run(cell(FAILING["sql"].removesuffix(f", {WRITE}")))
    for line in ("%odibi_preview bad", "%odibi_preview sales.csv", "%odibi", "odibi_result['bad']"):
        assert_private(said(private.run(line)))


def test_no_unforeseen_error_tells_data(private: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    from odibi_magics.session import Session

    def broken(session: Session) -> None:
        raise RuntimeError("Zanzibar")

    monkeypatch.setattr(Session, "nodes", broken)
    ran = private.run("%odibi")
    assert isinstance(ran.error, OdibiError) and "RuntimeError" in str(ran.error)
    assert_private(said(ran))
