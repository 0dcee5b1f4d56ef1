"""%odibi, %odibi_save, %odibi_graph, %odibi_connections and %odibi_preview in a real shell."""

from __future__ import annotations

import pytest

from odibi_magics.errors import ConfigErrors, ConnectionFailed, UsageError
from tests.magics.conftest import Notebook, orders_cell

LAKE = "%%odibi_connections\nlake: {type: local, base_path: .}\n"


def test_what_an_empty_notebook_knows(notebook: Notebook) -> None:
    text = "\n".join(notebook.good("%odibi").text)
    assert "No connections" in text and "No nodes" in text and "Nothing was run" in text
    assert "%odibi_preview TABLE" in text


def test_what_a_notebook_knows(notebook: Notebook) -> None:
    notebook.good(orders_cell())
    text = "\n".join(notebook.good("%odibi").text)
    for word in (
        "lake",
        "clean",
        "lake:clean/orders",
        "lake:orders.csv",
        "cell [",
        notebook["odibi_result"].run_id,
    ):
        assert word in text


def test_a_failed_run_is_the_last_run(notebook: Notebook) -> None:
    notebook.run(orders_cell().replace("write:", "validation: {row_count: {min: 9}}\n        write:"))
    assert "failed" in "\n".join(notebook.good("%odibi").text)


def test_connections_are_defined_and_listed(notebook: Notebook) -> None:
    assert "lake" in notebook.good(LAKE).text[0]
    ran = notebook.good("%odibi_connections")
    assert "lake" in ran.text[0] and "ok" in ran.text[0]


def test_a_literal_secret_of_a_connection_warns(notebook: Notebook) -> None:
    account = "b: {type: azure_adls, account: acct, auth_mode: direct_key, account_key: c2VjcmV0}\n"
    ran = notebook.good(LAKE + account)
    assert "b: the account_key stands in the text" in ran.text[1] and "c2VjcmV0" not in "".join(ran.text)
    assert len(notebook.good(LAKE).text) == 1


def test_no_connections(notebook: Notebook) -> None:
    assert "%%odibi_connections" in notebook.good("%odibi_connections").text[0]


def test_a_connection_that_does_not_answer_fails_the_cell_after_the_list(notebook: Notebook) -> None:
    notebook.good(LAKE + "gone: {type: local, base_path: ./orders.csv}\n")
    ran = notebook.run("%odibi_connections")
    assert isinstance(ran.error, ConnectionFailed)
    assert "gone" in str(ran.error) and "lake" not in str(ran.error)
    assert "ok" in ran.text[0] and "failed" in ran.text[0]


def test_a_folder_that_a_run_would_make_is_no_failure(notebook: Notebook) -> None:
    notebook.good(LAKE + "out: {type: local, base_path: ./out}\n")
    assert "will be made" in notebook.good("%odibi_connections").text[0]
    notebook.good("%%odibi_pipeline --plan\n- {name: a, read: {connection: lake, path: orders.csv}}\n"
                  "- {name: b, depends_on: [a], write: {connection: out, path: b}}\n")  # fmt: skip
    assert "will be made" in notebook.good("%odibi_connections").text[0]


def test_a_node_is_forgotten(notebook: Notebook) -> None:
    notebook.good(orders_cell("--plan"))
    assert "clean" not in notebook.good("%odibi --forget clean").text[0].split("The magics")[0]
    assert "did you mean 'orders'?" in notebook.bad("%odibi --forget ordres")


def test_what_a_notebook_knows_says_how_each_node_went(notebook: Notebook) -> None:
    notebook.run(orders_cell().replace("write:", "validation: {row_count: {min: 9}}\n        write:"))
    text = notebook.good("%odibi").text[0]
    assert "✗ failed" in text and "· not evaluated" not in text
    assert "clean, which failed when last run" in notebook.good("%odibi_save all.odibi.yaml").text[0]


def test_a_wrong_connection_has_the_cells_line(notebook: Notebook) -> None:
    ran = notebook.run("%%odibi_connections\nlake: {type: locall}\n")
    assert isinstance(ran.error, ConfigErrors)
    assert "line 2 " in str(ran.error)
    assert "No connections" in notebook.good("%odibi").text[0]


@pytest.mark.parametrize("table", ["lake:orders.csv", "lake orders.csv", "orders.csv", "./orders.csv"])
def test_preview_a_file(notebook: Notebook, table: str) -> None:
    notebook.good(LAKE)
    ran = notebook.good(f"%odibi_preview {table}")
    assert "2026-01-02" in ran.text[0] and "2026-01-02" in ran.html[0]


@pytest.mark.parametrize(
    "table", ["clean", "clean@0", "lake:clean/orders@0", "lake clean/orders@0", "clean/orders"]
)
def test_preview_a_table(notebook: Notebook, table: str) -> None:
    notebook.good(orders_cell())
    assert "qty" in notebook.good(f"%odibi_preview {table}").text[0]


def test_preview_a_node_that_writes_no_table(notebook: Notebook) -> None:
    notebook.good(orders_cell("--plan"))
    assert "2026-01-02" in notebook.good("%odibi_preview orders").text[0]
    assert not (notebook.folder / "clean").exists()
    assert "node 'orders' writes no table" in notebook.bad("%odibi_history orders")


def test_a_preview_of_python_is_a_table_in_a_terminal_too(notebook: Notebook) -> None:
    notebook.good(orders_cell())
    notebook.good("rows = get_ipython().display_formatter.format(odibi_result['clean'].preview(1))[0]")
    rows = notebook["rows"]
    assert "bigint" in rows["text/plain"] and "Preview(" not in rows["text/plain"] and "text/html" in rows


def test_preview_so_many_rows(notebook: Notebook) -> None:
    notebook.good("%config OdibiMagics.keep_rows = 2")
    assert "2026-01-02" not in notebook.good("%odibi_preview orders.csv").text[0]
    assert "2026-01-02" in notebook.good("%odibi_preview orders.csv --rows 3").text[0]
    notebook.good("%config OdibiMagics.keep_rows = 0")
    assert "2026-01-0" not in notebook.good("%odibi_preview orders.csv --rows 3").text[0]


def test_preview_an_older_version(notebook: Notebook) -> None:
    notebook.good(orders_cell())
    notebook.good(orders_cell().replace("qty > 0", "qty > 6"))
    assert "5" in notebook.good("%odibi_preview lake:clean/orders@0").text[0]
    assert "5" not in notebook.good("%odibi_preview lake:clean/orders").text[0]


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("", "required: TABLE"),
        ("laek:orders.csv", "did you mean 'lake'?"),
        (
            "lake a b",
            "TABLE is one word, conn:path@5, or two, CONN PATH@5; not 3. One with a space in it stands in quotes",
        ),
        ("lake:my table", "lake:my table: a TABLE with a space in it stands in quotes: 'lake:my table'"),
        ("lake:t@2026-11-26 05:42:24", "stands in quotes: 'lake:t@2026-11-26 05:42:24'"),
        ("lake t@2026-11-26 05:42Z", "t@2026-11-26 05:42Z: a TABLE with a space in it stands in quotes"),
        ("'lake:t@2026-11-26 05:42:24'", "'@2026-11-26 05:42:24' is neither a version (@5) nor a time"),
        ("nope", "nope"),
        ("--rows 0 orders.csv", "a number of rows, at least 1, is wanted, not '0'"),
        ("orders@3", "node 'orders' writes no table, so it has no versions"),
    ],
)
def test_a_table_that_is_none(notebook: Notebook, table: str, words: str) -> None:
    notebook.good(orders_cell("--plan"))
    ran = notebook.run(f"%odibi_preview {table}")
    assert isinstance(ran.error, UsageError)
    assert words in str(ran.error)


def test_graph(notebook: Notebook) -> None:
    notebook.good(orders_cell("--plan"))
    ran = notebook.good("%odibi_graph")
    assert "<svg" in ran.html[0] and "clean" in ran.html[0] and "clean" in ran.text[0]


def test_graph_of_a_file(notebook: Notebook) -> None:
    (notebook.folder / "etl.odibi.yaml").write_text(orders_cell().partition("\n")[2])
    assert "<svg" in notebook.good("%odibi_graph etl.odibi.yaml").html[0]


def test_graph_of_nothing(notebook: Notebook) -> None:
    assert "no nodes are defined" in notebook.bad("%odibi_graph")


def test_save(notebook: Notebook) -> None:
    notebook.good(orders_cell("--plan"))
    assert notebook.good("%odibi_save etl.odibi.yaml").text == ("Saved etl.odibi.yaml",)
    notebook.good("%odibi_run etl.odibi.yaml --as x")
    assert len(notebook["x"]) == 2


def test_save_tells_what_it_lacks(notebook: Notebook) -> None:
    notebook.good("%%odibi_connections\nlake: {type: local, base_path: .}\n")
    assert notebook.good("%odibi_save etl.yaml").text == (
        "Saved etl.yaml; it defines connections, and no nodes yet; as etl.odibi.yaml the command line, %odibi_setup and "
        "editors would find it by themselves",
    )


def test_save_again(notebook: Notebook) -> None:
    notebook.good(orders_cell("--plan"))
    notebook.good("%odibi_save etl.odibi.yaml")
    notebook.good(orders_cell("--plan").replace("qty > 0", "qty > 5"))
    notebook.good("%odibi_save etl.odibi.yaml")
    file = notebook.folder / "etl.odibi.yaml"
    assert "qty > 5" in file.read_text()
    file.write_text(file.read_text().replace("qty > 5", "qty > 6"))
    assert "--force" in notebook.bad("%odibi_save etl.odibi.yaml")
    notebook.good("%odibi_save etl.odibi.yaml --force")
    assert "qty > 5" in file.read_text()


PART = """\
%%odibi_pipeline --plan {options}
connections: {{lake: {{type: local, base_path: .}}}}
{head}
pipelines: [{{pipeline: {name}, nodes: [{{name: {name}, read: {{connection: lake, path: "{{{{ part }}}}.csv"}}}}]}}]
"""


def test_save_takes_the_values_of_set_along(notebook: Notebook) -> None:
    notebook.good(PART.format(options="--set part=orders", head="", name="a"))
    notebook.good("%odibi_save etl.odibi.yaml")
    assert "vars: {part: orders}" in (notebook.folder / "etl.odibi.yaml").read_text()
    notebook.good("%odibi_run etl.odibi.yaml --plan")


def test_save_keeps_vars_that_set_gave_another_value_for(notebook: Notebook) -> None:
    notebook.good(PART.format(options="--set part=orders", head="vars: {part: more}", name="a"))
    said = notebook.good("%odibi_save etl.odibi.yaml").text[-1]
    assert "it keeps the values of vars:, for those of this notebook run it with --set part=orders" in said
    assert "vars: {part: more}" in (notebook.folder / "etl.odibi.yaml").read_text()


@pytest.mark.parametrize(
    ("head", "words"),
    [
        ("", "variable 'part' is more in one cell and orders in another, and a file has one value for it"),
        ("vars: {part: orders}", "Variables: part is orders here (--set), more there"),
    ],
)
def test_save_names_a_variable_of_several_values(notebook: Notebook, head: str, words: str) -> None:
    (notebook.folder / "more.csv").write_text("id\n1\n")
    notebook.good(PART.format(options="--set part=more", head=head, name="a"))
    notebook.good(PART.format(options="--set part=orders", head=head, name="b"))
    said = notebook.bad("%odibi_save etl.odibi.yaml")
    assert words in said and "depends_on" not in said


def test_save_nothing(notebook: Notebook) -> None:
    assert "nothing to save" in notebook.bad("%odibi_save etl.odibi.yaml")


@pytest.mark.parametrize(
    "magic", ["odibi", "odibi_run", "odibi_save", "odibi_connections", "odibi_preview", "odibi_graph"]
)
def test_each_magic_has_help_and_refuses_unknown_options(notebook: Notebook, magic: str) -> None:
    assert f"usage: %{magic}" in notebook.good(f"%{magic} --help").text[0]
    assert "unknown option '--helm' (did you mean '--help'?)" in notebook.bad(f"%{magic} --helm")
