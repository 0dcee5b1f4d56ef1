"""Values, paths and variables."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from odibi_magics.completion import cell, places
from odibi_magics.completion.cell import Asker, complete_cell
from odibi_magics.completion.layout import typed
from odibi_magics.completion.waiting import LIMIT, Answers, Patience
from odibi_magics.connections.listing import Entry, at_hand, listing
from odibi_magics.connections.local import LocalConnection
from tests.completion.conftest import Complete, words

LAKE = "connections:\n  lake: {type: local, base_path: lake}\n"
ORDERS = (
    LAKE
    + "pipelines:\n- pipeline: etl\n  nodes:\n  - name: orders\n    read: {connection: lake, path: raw/orders.csv}\n"
)
CLEAN = ORDERS + "  - name: clean\n"


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        ("engine: ¦", ["auto", "pandas", "spark"]),
        ("engine:\n  ¦", ["auto", "pandas", "spark"]),
        ("retry: {backoff: c¦", ["constant"]),
        ("connections: {x: {type: ¦", ["local", "azure_adls", "unity_catalog"]),
        ("connections: {x: {type: azure_adls, hierarchical_namespace: ¦", ["true", "false"]),
        ("connections: {x: {type: local, base_path: l¦", ["lake/"]),
        ("functions: [tr¦", ["transforms.py"]),
        ("story: {connection: ¦}\n" + LAKE, ["lake"]),
        (CLEAN + "    write: {connection: l¦", ["lake"]),
        (CLEAN + "    write: {mode: over¦", ["overwrite", "overwrite_partitions"]),
        (CLEAN + "    write: {mode: 'mer¦", ["merge"]),
        (CLEAN + "    depends_on: ¦", ["[orders]"]),
        (CLEAN + "    depends_on: [¦", ["orders"]),
        (CLEAN + "    depends_on:\n    - o¦", ["orders"]),
        (CLEAN + "    depends_on:\n      ¦", ["- orders"]),
        (CLEAN + "    read: {connection: lake, path: ¦", ["raw/"]),
        (CLEAN + "    read: {connection: lake, path: raw/o¦", ["raw/orders.csv"]),
        (ORDERS + "    validation: {no_nulls: {columns: [¦", ["id", "qty", "day"]),
        (ORDERS + "    validation: {no_nulls: {columns: [id, ¦]}}", ["qty", "day"]),
        (ORDERS + "    validation: {range: {column: q¦", ["qty"]),
        (ORDERS + "    write: {connection: lake, partition_by: d¦", ["[day]"]),
        (LAKE + "nodes:\n- name: a\n  read: {connection: lake, path: raw/orders.csv, columns: [id], newer_than: ¦", ["id", "qty", "day"]),
        (CLEAN + "    read: {schema: {a: times¦", ["timestamp", "timestamp_ntz"]),
        (CLEAN + "    validation: {schema: {columns: {a: deci¦", ['"decimal(10,2)"']),
        ("vars: {region: EU}\nproject: {{ ¦", ["region }}"]),
        ("vars: {region: EU}\nproject: {{ re¦ }}", ["region"]),
        ("vars: {region: EU}\nnodes:\n- name: a\n  transform: {steps: [{sql: 'SELECT {{ ¦", ["region }}"]),
        ("connections: {x: {type: azure_adls, account_key: $¦", ["${ODIBI_TEST_KEY}"]),
        ("connections: {x: {type: azure_adls, account_key: ${ODIBI_TEST_¦", ["ODIBI_TEST_KEY}"]),
        ("key_vault_name: company-kv\nconnections: {x: {type: azure_adls, key_vault_name: ¦", ["company-kv"]),
    ],
)  # fmt: skip
def test_offered(
    text: str, offered: list[str], complete: Complete, asker: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    (asker.facts.folder / "transforms.py").touch()
    monkeypatch.setenv("ODIBI_TEST_KEY", "x")
    found = words(complete(text))
    assert found == offered or ("ODIBI" in text + offered[0] and set(offered) <= set(found))


def test_a_value_that_yaml_would_read_otherwise_is_quoted(complete: Complete, asker: Asker) -> None:
    for name in ("a, b.csv", "it's.csv", "5"):
        (asker.facts.folder / "lake/raw" / name).touch()
    found = words(complete(CLEAN + "    read: {connection: lake, path: raw/¦"))
    assert {"'raw/a, b.csv'", "'raw/it''s.csv'", "raw/orders.csv"} <= set(found)
    assert "'5'" in words(
        complete(CLEAN.replace("path: lake", "path: lake/raw") + "    read: {connection: lake, path: ¦")
    )


def test_tables_end_a_path_and_folders_do_not(complete: Complete, asker: Asker) -> None:
    (asker.facts.folder / "lake/clean/_delta_log").mkdir(parents=True)
    (asker.facts.folder / "lake/.hidden").touch()
    found = complete(CLEAN + "    read: {connection: lake, path: ¦")
    assert {one.text: one.about for one in found.offers} == {"clean": "Delta table", "raw/": "folder"}


def test_environments_are_filled_in(complete: Complete) -> None:
    text = LAKE.replace("base_path: lake", "base_path: '{{ place }}'") + "vars: {place: lake}\n"
    assert words(complete(text + "nodes:\n- name: a\n  read: {connection: lake, path: ¦")) == ["raw/"]


def test_a_connection_that_is_wrong_offers_no_paths(complete: Complete) -> None:
    text = "connections:\n  lake: {type: local, base_path: [lake]}\nnodes:\n- name: a\n  read: {connection: lake, path: ¦"
    assert words(complete(text)) == []


# Waiting --------------------------------------------------------------------------------------------------------------


def test_a_slow_place_is_waited_for_briefly_and_offered_the_next_time(
    asker: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    release, asked = threading.Event(), []

    def slow(connection: Any, folder: str) -> tuple[Entry, ...]:
        asked.append(folder)
        release.wait(60)
        return (Entry("late.csv"),)

    monkeypatch.setattr(places, "listing", slow)
    text = CLEAN + "    read: {connection: lake, path: "
    assert complete_cell(text, len(text), "pipeline", asker).offers == ()
    assert complete_cell(text, len(text), "pipeline", asker).offers == ()
    release.set()
    while not (found := complete_cell(text, len(text), "pipeline", asker)).offers:
        time.sleep(0.01)
    assert words(found) == ["late.csv"]
    assert asked == [""], "asked once, however often somebody types"


def test_all_that_a_completion_waits_for_shares_one_limit() -> None:
    answers, never, patience = Answers(), threading.Event(), Patience()
    for number in range(20):
        assert answers.get(number, never.wait, patience) is None
    assert patience.left == 0 and LIMIT < 1
    never.set()


def test_a_failure_is_not_asked_for_at_every_key_and_told_to_nobody(
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked: list[int] = []

    def fails() -> None:
        asked.append(1)
        raise OSError

    answers = Answers()
    for _ in range(3):
        assert answers.get("x", fails, Patience(60)) is None
    assert asked == [1]
    assert capsys.readouterr() == ("", "")


def test_answers_grow_old(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("odibi_magics.completion.waiting.monotonic", lambda: now[0])
    answers, found = Answers(), iter((1, 2))
    assert answers.get("x", lambda: next(found), Patience(60)) == 1
    now[0] = 20
    assert answers.get("x", lambda: next(found), Patience(60)) == 1
    now[0] = 31
    assert answers.get("x", lambda: next(found), Patience(60)) == 2


def test_an_old_answer_is_better_than_none(monkeypatch: pytest.MonkeyPatch) -> None:
    now, never = [0.0], threading.Event()
    monkeypatch.setattr("odibi_magics.completion.waiting.monotonic", lambda: now[0])
    answers = Answers()
    assert answers.get("x", lambda: 1, Patience(60)) == 1
    now[0] = 31
    assert answers.get("x", lambda: never.wait() and 2, Patience(0)) == 1
    never.set()


# Secrets --------------------------------------------------------------------------------------------------------------

VAULT = "connections:\n  bronze: {type: azure_adls, account: a, container: c, key_vault_name: kv, secret_name: s}\n"


def test_no_secret_is_fetched_for_a_path(asker: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    from odibi_magics.connections.adls import AdlsConnection

    def fetched(self: Any) -> None:
        raise AssertionError("asked for the credential")

    monkeypatch.setattr(AdlsConnection, "credential", fetched)
    text = VAULT + "nodes:\n- name: a\n  read: {connection: bronze, path: "
    found = places.connection_named("bronze", typed(text, len(text)), asker.facts)
    assert isinstance(found, AdlsConnection)
    assert not at_hand(found)
    assert listing(found, "") == ()
    assert complete_cell(text, len(text), "pipeline", asker).offers == ()


def test_a_folder_that_is_left_is_not_listed(tmp_path: Path) -> None:
    (tmp_path / "lake").mkdir()
    with pytest.raises(Exception, match="leaves its folder"):
        listing(LocalConnection("lake", tmp_path / "lake"), "../")


def test_the_written_form_is_read_back_as_it_was() -> None:
    from odibi_magics.config.marks import parse
    from odibi_magics.config.source import Source

    for text in ("a b", "5", "true", "a: b", "it's", "x#y", "[a]", "null", "- a", "é", "a,b"):
        for style in ("", "'", '"'):
            value = parse(Source(f"[{style}{cell.written(text, style)}{style}]")).value
            assert value == [text] or (text == "true" and not style)
