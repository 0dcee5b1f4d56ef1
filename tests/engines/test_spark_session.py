"""Spark sessions: which one is used, what it is set to meanwhile, and that it is left as it was."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from odibi_magics import Project
from odibi_magics.config import models
from odibi_magics.connections.adls import AdlsConnection
from odibi_magics.engines.base import Place
from odibi_magics.engines.registry import choose_engine
from odibi_magics.engines.spark import session
from odibi_magics.engines.spark.accounts import REDACTION
from odibi_magics.engines.spark.settings import ANSI, OURS, ZONE, settings_of
from odibi_magics.engines.spark.work import Work
from odibi_magics.errors import EngineError, MissingExtra, NodeFailed

CACHE = Path(os.environ.get("ODIBI_CACHE", Path(__file__).parents[2] / ".cache"))


@pytest.fixture
def offered() -> Iterator[dict[str, Any]]:
    """A notebook's variables."""
    names: dict[str, Any] = {}
    session.offer(names)
    yield names
    session.offer({})


def test_nothing_of_spark_is_imported_to_find_out() -> None:
    code = (
        "import sys; from odibi_magics.engines.registry import choose_engine; "
        "assert choose_engine('auto').name == 'pandas'; choose_engine('spark'); "
        "assert not {'pyspark', 'py4j', 'delta'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_pyspark_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"the spark engine needs pyspark.*odibi-magics\[spark\]"):
        choose_engine("spark")


def test_auto_is_spark_in_every_thread_where_a_session_is_active(spark: Any) -> None:
    found: list[str] = []
    thread = threading.Thread(target=lambda: found.append(choose_engine("auto").name))
    thread.start()
    thread.join()
    assert found == ["spark"]
    assert choose_engine("auto") is choose_engine("spark")


def test_the_notebook_s_own_session_comes_first(spark: Any, offered: dict[str, Any]) -> None:
    own = spark.cloneSession() if session.is_connect(spark) else spark.newSession()
    offered["spark"] = own
    assert session.active() == own
    offered["spark"] = "no session"
    assert session.active() is spark
    if session.is_connect(spark):
        own.client.close()
        offered["spark"] = own
        assert session.active() is spark


@pytest.mark.spark
@pytest.mark.classic
def test_where_no_session_is_active_a_local_one_with_delta_is_started(tmp_path: Path) -> None:
    """In a process of its own: it has a Java of its own."""
    (tmp_path / "a.csv").write_text("id,day\n2,2024-01-31\n")
    (tmp_path / "p.odibi.yaml").write_text(PIPELINE)
    code = (
        "from odibi_magics import Project; from odibi_magics.engines.spark.session import active; "
        "result = Project.from_file('p.odibi.yaml').run(); "
        "assert active().conf.get('spark.redaction.regex').endswith('azure'); "
        "assert 'hadoop-azure' in active().conf.get('spark.jars'); "
        "from odibi_magics.engines.spark.session import TALKATIVE; "
        "log = active()._jvm.org.apache.logging.log4j.LogManager.getLogger(TALKATIVE); "
        "assert log.getLevel().toString() == 'INFO'; "
        "print(result.engine, result.node('a').written.version_after, result['a'].to_arrow().num_rows)"
    )
    environment = {"ODIBI_CACHE": str(CACHE), **os.environ, "PYSPARK_PYTHON": sys.executable}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == ["spark", "engine", "0", "1"]


# Rows that several nodes read ----------------------------------------------------------------------------------------


def test_where_the_session_keeps_no_rows_the_report_says_so(
    spark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The refusal is Databricks' serverless one, made up here: nothing else refuses."""
    (tmp_path / "a.csv").write_text("id\n1\n2\n")
    text = f"""
engine: spark
connections: {{lake: {{type: local, base_path: {tmp_path}}}}}
nodes:
  - {{name: a, read: {{connection: lake, path: a.csv}}}}
  - {{name: b, transform: {{steps: [{{sql: "SELECT id + 1 AS id FROM a"}}]}}}}
  - {{name: c, transform: {{steps: [{{sql: "SELECT a.id FROM a JOIN b USING (id)"}}]}}}}
"""
    built = Project.from_yaml(text, folder=tmp_path)
    kept = built.preview()
    assert [node.warnings for node in kept] == [(), (), ()]

    def refused(*_: Any, **__: Any) -> Any:
        raise RuntimeError(
            "[NOT_SUPPORTED_WITH_SERVERLESS] PERSIST TABLE is not supported on serverless compute."
        )

    monkeypatch.setattr(type(spark.range(1)), "localCheckpoint", refused)
    told = built.preview()
    assert [[one.code for one in node.warnings] for node in told] == [["recomputed"], [], []]
    assert "for each of the 2 nodes that read them" in told.node("a").warnings[0].message
    assert told["c"].to_arrow().to_pylist() == kept["c"].to_arrow().to_pylist() == [{"id": 2}]


# Settings -------------------------------------------------------------------------------------------------------------

PIPELINE = """
engine: spark
connections: {lake: {type: local, base_path: .}}
pipelines:
  - pipeline: p
    nodes:
      - name: a
        read: {connection: lake, path: a.csv}
        transform: {steps: [{sql: "SELECT id, 10 / id AS x, CAST(day AS timestamp) AS at FROM df"}]}
        write: {connection: lake, path: out}
"""


def project(folder: Path, text: str) -> Project:
    (folder / "a.csv").write_text(text)
    return Project.from_yaml(PIPELINE, folder=folder)


@pytest.fixture
def own_settings(spark: Any) -> Iterator[Any]:
    """The session as somebody set it up who wants neither ANSI nor UTC, and gives jobs a name."""
    spark.conf.set(ANSI, "false")
    spark.conf.set(ZONE, "Asia/Tokyo")
    if session.is_connect(spark):
        spark.addTag("mine")
    else:
        spark.sparkContext.setJobGroup("mine", "my own work")
    yield spark
    spark.conf.unset(ANSI)
    spark.conf.set(ZONE, "UTC")
    if session.is_connect(spark):
        spark.removeTag("mine")
    else:
        spark.sparkContext.setLocalProperty("spark.jobGroup.id", None)


def mine(spark: Any) -> tuple[str, str, str]:
    if session.is_connect(spark):
        return spark.conf.get(ANSI), spark.conf.get(ZONE), " ".join(spark.getTags())
    group = spark.sparkContext.getLocalProperty("spark.jobGroup.id")
    return spark.conf.get(ANSI), spark.conf.get(ZONE), group


def test_settings_are_ours_in_a_run_and_as_they_were_after_it(own_settings: Any, tmp_path: Path) -> None:
    before = mine(own_settings)
    ours = {key: own_settings.conf.get(key, None) for key in OURS}
    result = project(tmp_path, "id,day\n2,2024-01-31\n").run()
    assert mine(own_settings) == before == ("false", "Asia/Tokyo", "mine")
    assert {key: own_settings.conf.get(key, None) for key in OURS} == ours
    (row,) = result["a"].to_arrow().to_pylist()
    assert (row["x"], row["at"].isoformat()) == (5.0, "2024-01-31T00:00:00+00:00")
    assert mine(own_settings) == before


def test_settings_are_as_they_were_after_a_failure_too(own_settings: Any, tmp_path: Path) -> None:
    before = mine(own_settings)
    with pytest.raises(NodeFailed, match="division by zero"):
        project(tmp_path, "id,day\n0,2024-01-31\n").run()
    assert mine(own_settings) == before


def test_a_session_goes_on_after_a_run(spark: Any, tmp_path: Path) -> None:
    result = project(tmp_path, "id,day\n2,2024-01-31\n").run()
    result.hold.close()  # type: ignore[union-attr]
    now: Any = session.active()
    assert now is spark
    assert spark.sql("SELECT 1").collect()[0][0] == 1
    assert spark.catalog.listTables() == []


def test_a_setting_goes_back_when_the_last_who_holds_it_ends(spark: Any) -> None:
    key, settings = "spark.sql.shuffle.partitions", settings_of(spark)
    before = spark.conf.get(key)
    with settings.held({key: "7"}):
        with settings.held({key: "7"}):
            assert spark.conf.get(key) == "7"
        assert spark.conf.get(key) == "7"
    assert spark.conf.get(key) == before


def test_a_setting_that_is_refused_is_told(spark: Any) -> None:
    with (
        pytest.raises(EngineError, match=r"does not let spark\.executor\.memory be set"),
        settings_of(spark).held({"spark.executor.memory": "1g"}),
    ):
        pass


# Accounts -------------------------------------------------------------------------------------------------------------

KEY = "a2V5IG9mIGFuIGFjY291bnQgdGhhdCBub2JvZHkgc2VlcyBhbnl3aGVyZSBpbiBTcGFyaw=="


def account(name: str) -> Place:
    model = models.AdlsConnection.model_validate(
        {
            "type": "azure_adls",
            "account": name,
            "container": "c",
            "auth_mode": "direct_key",
            "account_key": KEY,
            "hierarchical_namespace": True,
        }
    )
    return Place(AdlsConnection.of_model(name, model), "t", "delta")


def test_accounts_are_open_in_a_run_alone(spark: Any) -> None:
    work, mine = Work(spark), "(?i)my_own_option"
    spark.conf.set(REDACTION, mine)
    names = [f"fs.azure.account.key.{name}.dfs.core.windows.net" for name in ("account1", "account2")]
    for name in ("account1", "account2"):
        work.open_account(account(name))
    with work.running():
        assert [spark.conf.get(name) for name in names] == [KEY, KEY]
        assert spark.conf.get(REDACTION).startswith(f"{mine}|")
        assert spark.range(3).count() == 3
    assert [spark.conf.get(name, None) for name in (*names, REDACTION)] == [None, None, mine]
    spark.conf.unset(REDACTION)


@pytest.mark.classic
def test_keys_of_accounts_are_in_nothing_that_spark_shows(spark: Any) -> None:
    work = Work(spark)
    work.open_account(account("account1"))
    with work.running():
        assert spark.range(3).count() == 3
    shown = spark._jsparkSession.sharedState().statusStore().executionsList()
    told = [str(shown.apply(i).modifiedConfigs()) for i in range(shown.size())]
    assert any("fs.azure.account.key.account1" in text for text in told)
    assert not any(KEY in text for text in told)
