"""The jars of a local session: fetched once into the cache, checked, and told in one line where they cannot be had."""

from __future__ import annotations

from pathlib import Path

import pytest

from odibi_magics.engines.spark import jars, session
from odibi_magics.errors import EngineError
from tests.spark import sessions

pytestmark = [pytest.mark.spark, pytest.mark.classic]

# A mirror that is not there: nothing listens on port 9.
SETTINGS = """
<ivysettings>
  <settings defaultResolver="mirror"/>
  <resolvers><ibiblio name="mirror" m2compatible="true" root="http://127.0.0.1:9/"/></resolvers>
</ivysettings>
"""


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and no network."""
    settings = tmp_path / "ivysettings.xml"
    settings.write_text(SETTINGS)
    monkeypatch.setenv(jars.SETTINGS, str(settings))
    monkeypatch.setenv("ODIBI_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_the_set_is_for_the_spark_that_is_installed() -> None:
    assert jars.fits() and jars.hadoop() == "3.5.0"


def test_what_was_fetched_once_needs_no_network(offline: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    sessions.environment(monkeypatch)
    there = jars.fetched()
    assert jars.sums(there[0].parent) == jars.SUMS.read_text().splitlines()
    monkeypatch.setenv(jars.SETTINGS, str(offline.parent / "ivysettings.xml"))
    assert jars.fetched() == there


def test_without_a_network_one_line_says_what_to_do(offline: Path) -> None:
    with pytest.raises(EngineError) as raised:
        jars.fetched()
    said = str(raised.value)
    assert said.startswith("Delta's jars cannot be fetched from Maven Central: ") and "\n" not in said
    assert "IVY_SETTINGS" in said and "ODIBI_SPARK_JARS" in said
    assert list(offline.glob("jars-*")) == []


def test_other_jars_under_their_names_are_refused(offline: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(folder: Path, cache: Path) -> None:
        folder.mkdir()
        for line in jars.SUMS.read_text().splitlines():
            (folder / line.split()[1]).write_bytes(b"something else")

    monkeypatch.setattr(jars, "fetch", fetch)
    with pytest.raises(EngineError, match=r"are not those of jars\.sha256: .*delta-spark"):
        jars.fetched()
    assert list(offline.glob("jars-*")) == []


def test_a_folder_without_jars_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(session.JARS, str(tmp_path))
    with pytest.raises(EngineError, match=r"ODIBI_SPARK_JARS names .*, and there are no jars in it"):
        session._with_jars(None)


def test_java_that_is_missing_or_old_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Path(jars.java()).exists()
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(EngineError, match="takes Java 17 or newer; there is none"):
        jars.java()
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\" 2019-01-15' >&2\n")
    java.chmod(0o755)
    with pytest.raises(EngineError, match="takes Java 17 or newer; there is Java 11"):
        jars.java()
