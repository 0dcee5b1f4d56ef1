"""Running a cell again, resume and undo in a real shell."""

from __future__ import annotations

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from odibi_magics import NodeFailed
from tests.magics.conftest import ORDERS, Notebook

CELL = """\
%%odibi_pipeline {options}
connections:
  lake: {{type: local, base_path: .}}
pipelines:
  - pipeline: etl
    nodes:
      - name: orders
        read: {{connection: lake, path: orders.csv}}
      - name: clean
        transform: {{steps: [{{sql: "SELECT id, qty FROM orders WHERE qty > {least}"}}]}}
        write: {{connection: lake, path: clean, mode: append}}
      - name: daily
        transform: {{steps: [{{sql: "SELECT count(*) AS n FROM clean"}}]}}
        {check}
        write: {{connection: lake, path: daily, mode: append}}
"""


def cell(options: str = "", *, least: int = 0, rows: int = 0) -> str:
    check = f"validation: {{expression: [{{sql: n > {rows}}}]}}"
    return CELL.format(options=options, least=least, check=check)


def count(notebook: Notebook, table: str) -> int:
    return int(DeltaTable(str(notebook.folder / table)).to_pyarrow_table().num_rows)


def command(text: str, begins: str) -> str:
    """A line that is to be pasted."""
    return next(line.strip() for line in text.splitlines() if line.strip().startswith(begins))


def test_a_cell_run_ten_times_does_no_harm(notebook: Notebook) -> None:
    notebook.good(cell())
    for _ in range(9):
        said = notebook.bad(cell())
        assert "lake:clean holds what node 'clean' would append: same 1 file as version 0" in said
    assert (count(notebook, "clean"), count(notebook, "daily")) == (2, 1)
    assert "append-held" not in notebook.good(cell("--preview")).text[-1]
    plan = notebook.good(cell("--plan"))
    assert "a run is refused" in plan.text[-1] and "a run is refused" in plan.html[-1]


def test_again_and_replace(notebook: Notebook) -> None:
    notebook.good(cell())
    notebook.good(cell("--again"))
    assert count(notebook, "clean") == 4
    plan = notebook.good(cell("--plan --replace")).text[-1]
    assert plan.count("--replace would undo run 20") == 2 and "2 rows go" in plan
    assert count(notebook, "clean") == 4
    notebook.good(cell("--replace"))
    assert (count(notebook, "clean"), count(notebook, "daily")) == (2, 1)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("--again --replace", "--again and --replace exclude each other"),
        ("--replace --resume", "--replace and --resume exclude each other"),
        ("--plan --resume", "--resume does not go with --plan"),
        ("--preview --again", "--again does not go with a preview"),
        ("--sample 5 --replace", "--replace does not go with a preview"),
    ],
)
def test_what_does_not_go_together(notebook: Notebook, options: str, words: str) -> None:
    assert words in notebook.bad(cell(options))


def test_a_failed_report_ends_with_resume_and_undo(notebook: Notebook) -> None:
    ran = notebook.run(
        cell("--set 'x=a b'", rows=5).replace(
            "qty FROM", "'{{{{ x }}}}' AS x, qty FROM".replace("{{{{", "{{").replace("}}}}", "}}")
        )
    )
    assert isinstance(ran.error, NodeFailed)
    run = notebook["odibi_result"].run_id
    resume = command(ran.text[-1], "%%odibi_pipeline")
    assert resume == f"%%odibi_pipeline --set 'x=a b' --resume --run-id {run}"
    assert f"The same cell, with this as its first line:\n  {resume}\n" in ran.text[-1]
    assert ran.text[-1].rstrip().endswith(f"%odibi_undo {run} lake:clean")
    assert f"%odibi_undo {run} lake:clean" in ran.html[-1] and "--resume --run-id" in ran.html[-1]


def test_resume_is_of_the_last_failed_run(notebook: Notebook) -> None:
    notebook.run(cell(rows=5))
    failed = notebook["odibi_result"].run_id
    ran = notebook.good(cell("--resume"))
    assert "written before by this run, version 0" in ran.text[-1]
    assert notebook["odibi_result"].run_id == failed
    assert (count(notebook, "clean"), count(notebook, "daily")) == (2, 1)
    assert "wrote all of them" in notebook.bad(cell("--resume"))


def test_resume_in_another_session(notebook: Notebook) -> None:
    notebook.run(cell(rows=5))
    failed = notebook["odibi_result"].run_id
    notebook.shell.run_line_magic("unload_ext", "odibi_magics")
    notebook.shell.run_line_magic("load_ext", "odibi_magics")
    notebook.good(cell("--resume"))
    assert notebook["odibi_result"].run_id == failed


def test_resume_refuses_another_text(notebook: Notebook) -> None:
    notebook.run(cell(rows=5))
    assert "node 'clean': its text" in notebook.bad(cell("--resume", least=5))


def test_resume_says_which_variable_differs(notebook: Notebook) -> None:
    text = cell("{options}", rows=5).replace(
        "qty > 0", "qty > {{{{ part }}}}".replace("{{{{", "{{").replace("}}}}", "}}")
    )
    text = text.replace("connections:", "vars: {part: 1}\nconnections:", 1)
    notebook.run(text.replace("{options}", "--set part=2"))
    run = notebook["odibi_result"].run_id
    said = notebook.bad(text.replace("{options}", f"--resume --run-id {run}"))
    assert "node 'clean': its text" in said and "\n  variable part: 2 then, 1 now\n" in said
    assert said.rstrip().endswith(f"%odibi_undo {run} lake:clean")
    notebook.shell.run_line_magic("unload_ext", "odibi_magics")
    notebook.shell.run_line_magic("load_ext", "odibi_magics")
    said = notebook.bad(text.replace("{options}", f"--resume --run-id {run}"))
    assert "its variables now are part: 1 (vars); those of that run are not known here" in said


def test_undo_previews_then_acts_with_the_versions_it_saw(notebook: Notebook) -> None:
    notebook.good(cell())
    first = notebook["odibi_result"].run_id
    (notebook.folder / "orders.csv").write_text(ORDERS + "4,4,2026-01-03\n")
    notebook.good(cell())
    run = notebook["odibi_result"].run_id
    shown = notebook.good("%odibi_undo")
    assert "a preview, no table was touched" in shown.text[-1] and "as version 0" in shown.html[-1]
    assert count(notebook, "clean") == 5
    typed = command(shown.text[-1], "%odibi_undo")
    assert typed == f"%odibi_undo {run} --at lake:clean=1 --at lake:daily=1"
    done = notebook.good(typed)
    assert f"Run {run} was undone" in done.text[-1]
    assert (count(notebook, "clean"), count(notebook, "daily")) == (2, 1)
    again = notebook.good(f"%odibi_undo {run}")
    assert "there is nothing to do" in again.text[-1] and "undone already" in again.text[-1]
    undid = command(done.text[-1], "%odibi_undo")
    assert "by undo" in again.text[-1] and command(again.text[-1], "%odibi_undo") == undid
    back = command(done.text[-1], "%odibi_undo")
    notebook.good(command(notebook.good(back).text[-1], "%odibi_undo"))
    assert count(notebook, "clean") == 5, "the undo was undone"
    assert f"Undo of run {run}" in notebook.good("%odibi_undo lake:daily").text[-1]
    assert f"Undo of run {run}" in notebook.good("%odibi_undo clean").text[-1], "a node's name is a TABLE"
    refused = notebook.good(f"%odibi_undo {first}").text[-1]
    assert "a later run wrote to it: version" in refused
    assert (
        f"To undo run {run} first, which is the newest of them\n  %odibi_undo {run} lake:daily\n" in refused
    )


def test_run_all_on_monday_undoes_nothing(notebook: Notebook) -> None:
    """The pasted command stays in the notebook; the table has moved on."""
    notebook.good(cell())
    typed = command(notebook.good("%odibi_undo").text[-1], "%odibi_undo")
    write_deltalake(notebook.folder / "clean", pa.table({"id": [9], "qty": [9]}), mode="append")
    said = notebook.bad(typed)
    assert "no table was touched" in said and "it was changed after version 0" in said
    assert "To look again\n  %odibi_undo " in said
    assert count(notebook, "clean") == 3


def test_later_data_needs_force(notebook: Notebook) -> None:
    notebook.good(cell())
    write_deltalake(notebook.folder / "clean", pa.table({"id": [9], "qty": [9]}), mode="append")
    shown = notebook.good("%odibi_undo").text[-1]
    assert (
        "others wrote to it behind the run" in shown
        and "lake:clean@1" in shown
        and "--at" not in command(shown, "%odibi_undo")
    )
    assert "To undo run" not in shown, "no run of ours"
    force = command(shown, "%odibi_undo")
    assert force.endswith(" lake:clean lake:daily --force")
    typed = command(notebook.good(force).text[-1], "%odibi_undo")
    assert typed.endswith("--at lake:clean=1 --at lake:daily=0 --force")
    notebook.good(typed)
    assert count(notebook, "clean") == 0


def test_a_refused_replace_names_the_undo_that_does_it(notebook: Notebook) -> None:
    notebook.good(cell())
    run = notebook["odibi_result"].run_id
    write_deltalake(notebook.folder / "clean", pa.table({"id": [9], "qty": [9]}), mode="append")
    said = notebook.bad(cell("--replace"))
    assert (
        f"run {run} was not undone, no table was touched, nothing was run:\n  lake:clean: others wrote"
        in said
    )
    typed = command(said, "%odibi_undo")
    assert typed == f"%odibi_undo {run} lake:clean lake:daily --force"
    notebook.good(command(notebook.good(typed).text[-1], "%odibi_undo"))
    assert count(notebook, "clean") == 0


def test_nothing_is_offered_where_no_command_helps(notebook: Notebook) -> None:
    notebook.good(cell().replace("mode: append", "mode: overwrite"))
    (notebook.folder / "orders.csv").write_text(ORDERS + "4,4,2026-01-03\n")
    notebook.good(cell().replace("mode: append", "mode: overwrite"))
    DeltaTable(str(notebook.folder / "clean")).vacuum(0, dry_run=False, enforce_retention_duration=False)
    shown = notebook.good("%odibi_undo").text[-1]
    assert "refused" in shown and "%odibi_undo" not in shown


def test_a_file_that_was_run_here_is_undone_here(notebook: Notebook) -> None:
    body = cell().split("\n", 1)[1]
    (notebook.folder / "etl.yaml").write_text(body)
    notebook.good("%odibi_run etl.yaml")
    shown = notebook.good("%odibi_undo").text[-1]
    assert "to undo" in shown
    notebook.good(command(shown, "%odibi_undo"))
    assert count(notebook, "clean") == 0


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("%odibi_undo --at clean", "--at takes TABLE=VERSION"),
        ("%odibi_undo nightly", "name a TABLE that run 'nightly' wrote, behind its id"),
        ("%odibi_undo lake:nowhere", "there is no Delta table at lake:nowhere"),
        ("%odibi_undo a b", "b"),
    ],
)
def test_mistakes(notebook: Notebook, line: str, words: str) -> None:
    notebook.good("%%odibi_connections\nlake: {type: local, base_path: .}")
    assert words in notebook.bad(line)


def test_names_from_a_table_are_text(notebook: Notebook) -> None:
    """What others say of their commits is shown, never run."""
    from deltalake import CommitProperties

    notebook.good(cell())
    evil = CommitProperties(custom_metadata={"userName": "<script>alert(1)</script>\x1b[31m"})
    write_deltalake(
        notebook.folder / "clean", pa.table({"id": [9], "qty": [9]}), mode="append", commit_properties=evil
    )
    shown = notebook.good("%odibi_undo")
    assert "<script>" not in shown.html[-1] and "&lt;script&gt;" in shown.html[-1]
    assert "\x1b" not in shown.text[-1]


def restart(notebook: Notebook) -> None:
    """As a kernel that is started again: nothing is defined, and nothing was run."""
    notebook.shell.run_line_magic("unload_ext", "odibi_magics")
    notebook.shell.run_line_magic("load_ext", "odibi_magics")


@pytest.mark.parametrize("connection", [False, True], ids=["paths", "connection"])
def test_what_is_printed_works_in_a_fresh_session(notebook: Notebook, connection: bool) -> None:
    notebook.run(cell(rows=5))
    run = notebook["odibi_result"].run_id
    define = "%%odibi_connections\nlake: {type: local, base_path: .}"
    table = "lake:clean" if connection else "./clean"

    def fresh() -> None:
        restart(notebook)
        if connection:
            notebook.good(define)

    fresh()
    assert f"name a TABLE that run '{run}' wrote, behind its id" in notebook.bad(f"%odibi_undo {run}")
    look = notebook.good(f"%odibi_undo {run} {table}").text[-1]
    assert f"Undo of run {run}" in look
    fresh()
    done = notebook.good(command(look, "%odibi_undo")).text[-1]
    assert count(notebook, "clean") == 0
    fresh()
    back = notebook.good(command(done, "%odibi_undo")).text[-1]
    fresh()
    notebook.good(command(back, "%odibi_undo"))
    assert count(notebook, "clean") == 2, "the undo was taken back"
