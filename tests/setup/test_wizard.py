"""Steps, what they begin with, and the text they end with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from odibi_magics import Project
from odibi_magics.errors import UsageError
from odibi_magics.session import Session
from odibi_magics.setup.page import Page, still, view
from odibi_magics.setup.wizard import STEPS, Wizard
from tests.setup.conftest import checked, fill, row, until

KEY = "c2VjcmV0c2VjcmV0c2VjcmV0"


def session(text: str) -> Session:
    made = Session()
    made.keep(made.define_connections(text, defined="cell [3]"))
    return made


def section(wizard: Wizard, kind: str) -> Any:
    return next(each for each in view(wizard)["sections"] if each["kind"] == kind)


# What it begins with --------------------------------------------------------------------------------------------------


def test_an_empty_notebook_begins_with_one_to_fill_in(wizard: Wizard) -> None:
    [draft] = wizard.drafts
    assert (draft.name, draft.type, draft.origin) == ("lake", "azure_adls", "")


def test_what_the_session_knows_is_there_with_its_vault(folder: Path) -> None:
    text = """
        bronze: {type: azure_adls, account: account1, secret_name: b, key_vault_name: company-kv}
        silver: {type: azure_adls, account: account2, secret_name: s, hierarchical_namespace: false}
    """
    wizard = Wizard(session(text))
    assert [draft.origin for draft in wizard.drafts] == ["cell [3]", "cell [3]"]
    assert wizard.drafts[1].values["key_vault_name"] == "company-kv", "which it took over from bronze"
    assert yaml.safe_load(wizard.text())["connections"]["silver"] == {
        "type": "azure_adls", "account": "account2", "auth_mode": "key_vault", "key_vault_name": "company-kv",
        "secret_name": "s", "hierarchical_namespace": False,
    }  # fmt: skip


def test_what_stands_in_the_folders_file_is_there_and_none_of_its_code_runs(folder: Path) -> None:
    (folder / "bad.py").write_text("raise SystemExit('it ran')")
    (folder / "etl.odibi.yaml").write_text(
        "functions: [bad.py]\nvars: {where: data}\n"
        "connections: {lake: {type: local, base_path: '{{ where }}'}, other: {type: local, base_path: x}}\n"
    )
    wizard = Wizard(session("other: {type: local, base_path: mine}\n"))
    assert [(draft.name, draft.origin) for draft in wizard.drafts] == [
        ("other", "cell [3]"),
        ("lake", "etl.odibi.yaml"),
    ]
    assert [draft.values["base_path"] for draft in wizard.drafts] == ["mine", "data"], (
        "its variables are filled in"
    )


def test_a_file_that_does_not_check_is_left_out_and_told(folder: Path) -> None:
    (folder / "odibi.yaml").write_text("connections: {lake: {type: nowhere}}\n")
    wizard = Wizard(Session())
    assert wizard.note == "odibi.yaml is left out: 1 problem" and wizard.note in str(view(wizard))


def test_a_secret_in_the_text_stays_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRONZE_KEY", "x" * 20)
    text = f"""
        literal: {{type: azure_adls, account: account1, auth_mode: direct_key, account_key: {KEY}}}
        named: {{type: azure_adls, account: account1, auth_mode: direct_key, account_key: "${{BRONZE_KEY}}",
                storage_options: {{timeout: 60s, account_key: {KEY}}}}}
    """
    wizard = Wizard(session(text))
    literal, named = wizard.drafts
    assert "account_key" not in literal.values and "stands in the text" in literal.notes[0]
    assert named.values["account_key"] == "BRONZE_KEY" and named.kept == {
        "storage_options": {"timeout": "60s"}
    }
    assert KEY not in str(view(wizard)) + wizard.text() + repr(wizard.drafts)


# Steps ----------------------------------------------------------------------------------------------------------------


def test_one_goes_on_only_past_what_is_right_and_back_always(wizard: Wizard) -> None:
    draft = fill(wizard, "1st", secret_name="b")
    wizard.go("result")
    assert view(wizard)["step"] == "connections"
    assert "begins with a letter" in wizard.wrong[(draft.id, "name")]
    assert wizard.said == "1 thing to mend in this step"
    wizard.set(draft.id, "name", "bronze")
    wizard.go("result")
    assert view(wizard)["step"] == "place" and wizard.wrong == {(draft.id, "account"): "is needed"}
    wizard.set(draft.id, "account", "https://account1.blob.core.windows.net")
    wizard.go("check")
    assert (
        view(wizard)["step"] == "place" and "did you mean 'account1'?" in wizard.wrong[(draft.id, "account")]
    )
    wizard.set(draft.id, "account", "account1")
    wizard.go("check")
    assert view(wizard)["step"] == "place" and "which key vault?" in wizard.wrong[(draft.id, "")]
    assert "which key vault?" in section(wizard, "form")["wrong"]
    wizard.go("identity")
    assert (wizard.step, wizard.wrong) == ("identity", {})


def test_names_are_told_apart_and_none_is_too_few(wizard: Wizard) -> None:
    first, second = fill(wizard, "lake", type="local"), fill(wizard, "lake", type="local")
    wizard.go("identity")
    assert set(wizard.wrong) == {(first.id, "name"), (second.id, "name")}
    wizard.remove(first.id)
    wizard.remove(second.id)
    wizard.go("identity")
    assert "Add a connection" in str(view(wizard)["sections"]) and wizard.step == "connections"
    with pytest.raises(UsageError, match="was removed"):
        wizard.set(first.id, "name", "x")


def test_what_is_left_out_is_not_in_the_text(folder: Path) -> None:
    wizard = Wizard(session("a: {type: local, base_path: a}\nb: {type: local, base_path: b}\n"))
    wizard.choose(wizard.drafts[0].id, False)
    assert list(yaml.safe_load(wizard.text())["connections"]) == ["b"]
    assert "left out" in section(wizard, "form")["origin"] and section(wizard, "form")["fields"] == []
    wizard.choose(wizard.drafts[0].id, True)
    assert list(yaml.safe_load(wizard.text())["connections"]) == ["a", "b"]


def test_a_choice_takes_nothing_else(wizard: Wizard) -> None:
    [draft] = wizard.drafts
    for key, text in (("type", "ftp"), ("auth_mode", "password"), ("hierarchical_namespace", "yes")):
        wizard.set(draft.id, key, text)
        assert text not in str(draft.written())


def test_every_step_has_labels_for_all_it_shows(wizard: Wizard) -> None:
    fill(wizard, "lake", type="local")
    for step in STEPS:
        wizard.go(step)
        shown = view(wizard)
        assert (
            shown["step"] == step
            and shown["title"]
            and [each["state"] for each in shown["steps"]].count("now") == 1
        )
        fields = [field for each in shown["sections"] for field in each.get("fields", [])]
        assert all(field["label"] and field["help"] for field in fields)
        assert all(each["label"] for part in shown["sections"] for each in part.get("actions", []))


# Check and result -----------------------------------------------------------------------------------------------------


def test_rows_stay_while_nothing_of_them_changes(wizard: Wizard) -> None:
    fill(wizard, "here", type="local", base_path=".")
    there = fill(wizard, "there", type="local", base_path="no/such")
    wizard.go("check")
    assert checked(wizard) == {"here": "ok", "there": "warning"}
    assert wizard.said == "Checked: 2 connections work"
    before = row(wizard, "here")
    wizard.go("place")
    wizard.set(there.id, "base_path", ".")
    wizard.go("check")
    assert checked(wizard) == {"here": "ok", "there": "ok"}
    assert row(wizard, "here") is before, "it was not looked at again"
    wizard.check("here")
    until(lambda: row(wizard, "here") is not before and wizard.rows.over)


def test_what_only_spark_can_look_at_is_not_called_good(wizard: Wizard) -> None:
    fill(wizard, "here", type="local", base_path=".")
    fill(wizard, "tables", type="unity_catalog", catalog="main", schema="sales")
    wizard.go("check")
    assert checked(wizard) == {"here": "ok", "tables": "skipped"}
    assert wizard.said == "Checked: 1 connection works; not looked at: tables"
    assert "only Spark can open it" in str(view(wizard)["sections"][1]["said"])
    wizard.go("result")
    assert "None fails; not looked at: tables" in section(wizard, "told")["text"]


def test_the_text_is_known_to_the_session_once_it_is_used(wizard: Wizard, folder: Path) -> None:
    lake = fill(wizard, "lake", type="local", base_path="data")
    wizard.go("result")
    assert not wizard.used and not wizard._session.connections()
    wizard.use()
    [info] = wizard._session.connections()
    assert (info.name, info.place, info.defined) == ("lake", "data", "the setup wizard")
    assert wizard.used and section(wizard, "use")["done"] == "✓ This session knows them"
    wizard.set(lake.id, "base_path", "other")
    assert not wizard.used


def test_a_file_is_written_and_never_over_another(wizard: Wizard, folder: Path) -> None:
    fill(wizard, "lake", type="local", base_path="data")
    assert wizard.file == "connections.odibi.yaml"
    wizard.write(wizard.file)
    written = folder / "connections.odibi.yaml"
    assert not wizard.file_failed and [each.name for each in Project.from_file(written).connections()] == [
        "lake"
    ]
    written.write_text("mine")
    wizard.write("connections.odibi.yaml")
    assert wizard.file_failed and "was left as it is" in wizard.file_said and written.read_text() == "mine"
    assert wizard.file == "connections-2.odibi.yaml"
    wizard.write(wizard.file)
    assert not wizard.file_failed and (folder / "connections-2.odibi.yaml").exists()


def test_a_file_elsewhere_leads_to_the_same_folder(wizard: Wizard, folder: Path) -> None:
    fill(wizard, "lake", type="local", base_path="data")
    (folder / "deep").mkdir()
    wizard.write("deep/etl.odibi.yaml")
    [info] = Project.from_file(folder / "deep/etl.odibi.yaml").connections()
    assert info.place == "../data"


@pytest.mark.parametrize(
    ("name", "words"),
    [("", "ends in .odibi.yaml"), ("etl.txt", "ends in"), ("none/etl.odibi.yaml", "no folder")],
)
def test_a_name_that_is_none_for_a_file(wizard: Wizard, folder: Path, name: str, words: str) -> None:
    fill(wizard, "lake", type="local")
    wizard.write(name)
    assert wizard.file_failed and words in wizard.file_said and not list(folder.iterdir())


def test_what_needs_the_notebook_is_no_file_alone(folder: Path) -> None:
    made = session("lake: {type: local, base_path: x}\n")
    wizard = Wizard(made, lambda: {"where": "data"})
    wizard.set(wizard.drafts[0].id, "base_path", "{{ where }}")
    assert wizard.ready
    wizard.write("etl.odibi.yaml")
    assert (folder / "etl.odibi.yaml").read_text().startswith("vars: {where: data}"), (
        "its variable goes with it"
    )


def test_what_is_saved_tells_the_result_once_there_is_one(wizard: Wizard) -> None:
    fill(wizard, "lake", type="local")
    assert "%odibi_doctor" in str(still(wizard)) and "lake" not in str(still(wizard))
    wizard.go("check")
    checked(wizard)
    assert "lake: {type: local, base_path: .}" in str(still(wizard)) and "✓ ok" in str(still(wizard))


def test_the_pages_questions_do_what_they_say(wizard: Wizard) -> None:
    page = Page(wizard)
    [draft] = wizard.drafts
    for question in (
        {"ask": "set", "of": draft.id, "key": "type", "text": "local"},
        {"ask": "add"}, {"ask": "remove", "of": "c2"}, {"ask": "choose", "of": draft.id, "chosen": True},
        {"ask": "go", "to": "check"}, {"ask": "check", "name": ""}, {"ask": "go", "to": "result"},
        {"ask": "write", "name": "x.odibi.yaml"}, {"ask": "use"}, {"ask": "view"},
    ):  # fmt: skip
        page.answer(question)
    assert checked(wizard) == {"lake": "ok"} and wizard.used and page.view()["step"] == "result"
